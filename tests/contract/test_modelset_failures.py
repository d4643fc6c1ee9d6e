"""What keeps a model from coming has its reason in the set's status, and ends with its cause: nobody touches a Job."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.store import UnifiedModelManager

from tests.support.artifacts import linked_copy, onnx_store
from tests.support.certificates import Authority, make_authority
from tests.support.claim import Claim
from tests.support.downloads import BASE, ENTRY, WEIGHTS
from tests.support.hub import Hub, serve
from tests.support.hub.repositories import find
from tests.support.words import JFK
from tests.unit.operator.world import TINY, World

TRUST = "trust"
GATED = {"kind": "status", "path": WEIGHTS, "status": 403, "code": "GatedRepo"}
KILOBYTE = {"kind": "slow", "path": WEIGHTS, "rate": 1024}


@dataclass(frozen=True, slots=True)
class Place:
    """A set, its claim, and the two hubs that it may ask."""

    world: World
    claim: Claim
    hub: Hub
    secure: Hub

    def ask(self, endpoint: str) -> None:
        """Name the hub in the spec."""
        self.world.change(source={"huggingFace": {"endpoint": endpoint}})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def place(repositories: Path, hub: Hub, authority: Authority, tmp_path: Path) -> Iterator[Place]:
    with serve(repositories, tls=authority.server()) as secure:
        world, claim = World(spec={"models": [{"name": "tiny.en"}]}), Claim(tmp_path / "claim")
        claim.others[TRUST] = authority.folder
        found = Place(world, claim, hub, secure)
        found.ask(hub.url)
        yield found


def gate(place: Place) -> None:
    place.hub.faults.replace([GATED])


def slow_down(place: Place) -> None:
    repository = find(place.hub.root, ENTRY.repo)
    assert repository is not None
    repository.files()  # hashes them, for which an impatient client would not wait
    place.hub.faults.replace([KILOBYTE])


def give_up_faults(place: Place) -> None:
    place.hub.faults.replace([])


def encrypt(place: Place) -> None:
    place.ask(place.secure.url)


def trust(place: Place) -> None:
    place.world.change(caBundleRef={"kind": "ConfigMap", "name": TRUST, "key": "authority.crt"})


def misspell(place: Place) -> None:
    place.ask("http://no-such-hub.invalid")


def correct(place: Place) -> None:
    place.ask(place.hub.url)


Change = Callable[[Place], None]
FAILURES: dict[str, tuple[Change, Change]] = {
    "GatedRepo": (gate, give_up_faults),
    "TlsFailed": (encrypt, trust),
    "TooSlow": (slow_down, give_up_faults),
    "DnsFailed": (misspell, correct),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_it_is_named_and_over_when_its_cause_is(place: Place, reason: str) -> None:
    breaks, mends = FAILURES[reason]
    world = place.world
    breaks(place)
    world.settle()
    world.bind()
    world.settle()
    impatient = ("--patience", "1") if reason == "TooSlow" else ()
    said: dict[str, Any] = place.claim.run(world, "download", *impatient)
    assert (said["outcome"], said["reason"]) == ("Failed", reason), said
    world.settle()
    failure = world.variant().last_failure
    assert failure is not None
    assert (world.variant().state, failure.reason, failure.message) == ("Failed", reason, said["message"])
    assert world.condition("Ready") == ("False", reason)
    assert reason in world.reasons()

    mends(place)
    world.wait(minutes=1)
    world.settle()
    assert place.claim.run(world, "download")["outcome"] == "Ready"
    world.settle()
    assert (world.condition("Ready"), world.jobs) == (("True", "Ready"), {})
    assert UnifiedModelManager(place.claim.folder).damage(BASE) == []


def test_a_clip_that_cannot_be_heard_is_heard_again_once_it_is_mended_in_its_config_map(tmp_path: Path) -> None:
    claim, clips = Claim(linked_copy(onnx_store("tiny.en"), tmp_path / "claim")), tmp_path / "clips"
    store = UnifiedModelManager(claim.folder)
    clips.mkdir()
    (clips / "own.wav").write_bytes(b"no audio")
    claim.others["clips"] = clips
    world = World(spec={"models": [TINY], "validation": {"samplesConfigMapRef": {"name": "clips"}}})
    world.settle()
    world.bind()
    for task, variant in (("download", BASE), ("convert", Variant("tiny.en", Format.ONNX, Precision.INT8))):
        world.settle()
        manifest = store.manifest(variant)
        assert manifest is not None
        world.succeed(task, manifest.digest)
    world.settle()
    assert claim.run(world, "validate")["reason"] == "UnusableSample"
    world.settle()
    assert world.condition("Ready") == ("False", "UnusableSample")

    shutil.copyfile(JFK, clips / "own.wav")
    world.wait(minutes=1)
    world.settle()
    assert claim.run(world, "validate")["outcome"] == "Ready"
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
