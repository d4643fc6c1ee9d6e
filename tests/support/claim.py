"""A claim for Jobs as they are planned: their real commands on a real store, their last words read by the plan.

Only Kubernetes is played: a pod is a process, the claim a folder.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from whisper_operator.plan.modelset.mounts import ROOT, TERMINATION_LOG

from tests.unit.operator.world import World

DEADLINE = 600.0


class Claim:
    """A folder that is everybody's claim, what else may be mounted, and what was done on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.others: dict[str, Path] = {}
        """What other claims and ConfigMaps hold, by their names; keys of a ConfigMap are files."""
        self.done: Counter[str] = Counter()

    def run(self, world: World, task: str, *more: str) -> dict[str, Any]:
        """The Job of this task, to its end, with more words than the plan's; its last words."""
        job = world.running(task)
        log = self.folder.parent / f"{job}.log"
        pod = world.jobs[job]["spec"]["template"]["spec"]
        places = {ROOT: str(self.folder), TERMINATION_LOG: str(log)} | self._mounted(pod)
        args = [places.get(one, one) for one in pod["containers"][0]["args"]]
        line = [sys.executable, "-m", "whisper_models.cli", *_without_port(args), *more]
        ended = subprocess.run(line, capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert log.exists(), f"{task} left no last word and ended with {ended.returncode}: {ended.stderr}"
        said: dict[str, Any] = json.loads(log.read_text())
        world.end(job, said, ended.returncode)
        self.done[task] += 1
        return said

    def _mounted(self, pod: dict[str, Any]) -> dict[str, str]:
        """Where each path in the pod lies here."""
        found: dict[str, str] = {}
        mounts = {one["name"]: one for one in pod["containers"][0]["volumeMounts"]}
        for volume in pod["volumes"]:
            path = mounts[volume["name"]]["mountPath"]
            if (claim := volume.get("persistentVolumeClaim")) and claim["claimName"] in self.others:
                found[path] = str(self.others[claim["claimName"]] / mounts[volume["name"]].get("subPath", ""))
            if content := volume.get("configMap"):
                found[path] = str(self.others[content["name"]])
                for item in content.get("items", ()):
                    found[f"{path}/{item['path']}"] = str(self.others[content["name"]] / item["key"])
        return found


def _without_port(args: Any) -> list[str]:
    """No port is free for certain; progress over HTTP has tests of its own."""
    found = list(args)
    at = found.index("--progress-port")
    return found[:at] + found[at + 2 :]
