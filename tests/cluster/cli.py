"""The command line: `python3 -m tests.cluster VERB`."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster import doctor, settings
from tests.cluster.binaries import ALL, Binaries
from tests.cluster.builtin import Builtin
from tests.cluster.choice import DEFAULT_INSTANCE, choose
from tests.cluster.errors import ClusterError, UnsupportedError
from tests.cluster.provider import Cluster, Shape
from tests.cluster.settings import Settings

Arguments = argparse.Namespace


def say(line: str) -> None:
    """Progress for people; what a command answers goes to stdout instead."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 1 where it could not be done."""
    asked = _parser().parse_args(arguments)
    try:
        done: int = asked.verb(asked, settings.read())
    except ClusterError as error:
        say(f"cluster: {error}")
        return 1
    except OSError as error:
        say(f"cluster: {error}; `python3 -m tests.cluster doctor` says what this machine lacks, `up` starts over")
        return 1
    except KeyboardInterrupt:
        say("interrupted; `python3 -m tests.cluster down` clears up, and `up` starts over")
        return 130
    return done


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.cluster",
        description="A Kubernetes cluster for tests and for trying things out. CLUSTER chooses it: builtin, kind, "
        "existing (the one of KUBECONFIG); unset is builtin. WHISPER_CACHE is where everything is kept.",
    )
    parser.add_argument("--instance", default=DEFAULT_INSTANCE, help="which cluster, where several are up")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def add(name: str, verb: Callable[[Arguments, Settings], int], tells: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = verbs.add_parser(name, help=tells, description=tells)
        added.set_defaults(verb=verb)
        return added

    checking = add("doctor", _doctor, "say what this machine lacks, and how to get it")
    checking.add_argument("--install", action="store_true", help="apt-get install what Debian packages bring")
    building = add("build", _build, "build the programs (minutes the first time, then nothing)")
    building.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"only these; all are: {', '.join(ALL)}")
    finding = add("which", _which, "print the path of a program that `build` made, e.g. kubectl or helm")
    finding.add_argument("program", choices=ALL, metavar="PROGRAM")
    _add_up(add("up", _up, "bring the cluster up; at once where it is up, anew where a crash left half of one"))
    add("down", _down, "take it away, and leave nothing behind")
    loading = add("load", _load, "load images from OCI archives into every node")
    loading.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE")
    add("kubeconfig", _kubeconfig, "print the kubeconfig's path")
    add("status", _status, "print what is up, as JSON (builtin)")
    for name, tells in FAULTS.items():
        fault = add(name, _fault, tells)
        fault.set_defaults(fault=name)
        fault.add_argument("node", metavar="NODE", help="e.g. node2")
    return parser


FAULTS = {
    "kill": "lose a node at once, as a power cut would (builtin)",
    "cut": "cut a node's network, and let it run (builtin)",
    "mend": "undo kill or cut (builtin)",
}


def _add_up(up: argparse.ArgumentParser) -> None:
    usual = Shape()
    up.add_argument("--nodes", type=int, default=usual.nodes, metavar="N", help="how many (%(default)s)")
    up.add_argument("--dns-ttl", type=int, default=usual.dns_ttl, metavar="SECONDS", help="%(default)s; kubeadm: 30")
    grace = "until a lost node is NotReady: %(default)s; kubeadm: 50"
    up.add_argument("--node-grace", type=int, default=usual.node_grace, metavar="SECONDS", help=grace)


def _doctor(asked: Arguments, _: Settings) -> int:
    found = doctor.findings()
    if found and asked.install:
        doctor.install(found)
        found = doctor.findings()
    for finding in found:
        say(f"✗ {finding.says}")
    if not found:
        say("this machine has all that the built-in cluster needs")
    return 1 if found else 0


def _build(asked: Arguments, config: Settings) -> int:
    unknown = set(asked.programs) - set(ALL)
    if unknown:
        raise ClusterError(f"{', '.join(sorted(unknown))}: not a program of the cluster; those are {', '.join(ALL)}")
    binaries = Binaries(config.cache)
    binaries.build(asked.programs or ALL, say=say)
    say(f"every program is in {binaries.folder}")
    return 0


def _which(asked: Arguments, config: Settings) -> int:
    binaries = Binaries(config.cache)
    if binaries.missing([asked.program]):
        raise ClusterError(f"{asked.program} is not built yet; run `python3 -m tests.cluster build {asked.program}`")
    print(binaries.path(asked.program))
    return 0


def _cluster(asked: Arguments, config: Settings) -> Cluster:
    return choose(config, say, asked.instance)


def _up(asked: Arguments, config: Settings) -> int:
    cluster = _cluster(asked, config)
    cluster.up(Shape(asked.nodes, asked.dns_ttl, asked.node_grace))
    say(f"KUBECONFIG={cluster.kubeconfig()}")
    return 0


def _down(asked: Arguments, config: Settings) -> int:
    _cluster(asked, config).down()
    return 0


def _load(asked: Arguments, config: Settings) -> int:
    _cluster(asked, config).load(asked.archives)
    return 0


def _kubeconfig(asked: Arguments, config: Settings) -> int:
    print(_cluster(asked, config).kubeconfig())
    return 0


def _builtin(asked: Arguments, config: Settings) -> Builtin:
    cluster = _cluster(asked, config)
    if not isinstance(cluster, Builtin):
        raise UnsupportedError(f"only the built-in cluster can do that, and CLUSTER={config.provider}; unset CLUSTER")
    return cluster


def _status(asked: Arguments, config: Settings) -> int:
    print(json.dumps(_builtin(asked, config).status(), indent=1))
    return 0


def _fault(asked: Arguments, config: Settings) -> int:
    cluster = _builtin(asked, config)
    acts = {"kill": cluster.kill, "cut": cluster.cut, "mend": cluster.mend}
    acts[asked.fault](asked.node)
    return 0
