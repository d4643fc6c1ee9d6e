"""What goes on in a namespace while the operator cannot see it, and what must be so once it can."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

BEFORE = 120.0


@dataclass(frozen=True)
class Scene:
    """One namespace: `kept` is changed, `doomed` deleted, `new` and `late` made, while a fault lasts."""

    place: Kubectl

    def begin(self) -> None:
        """The models are ready, and `kept` uses them."""
        self.place.apply([model_set(), whisper_service("kept")])
        jobs.succeed_all(self.place)
        self.place.wait_condition("wsvc", "kept", "ModelsReady", within=BEFORE)

    def prepare(self) -> None:
        """The state before a fault: `doomed` is there, and nothing of the last fault is left."""
        self.place.run("delete", "wsvc/new", "mset/late", "--ignore-not-found")
        self.place.apply([whisper_service("kept"), whisper_service("doomed")])
        wait_until(self._prepared, within=BEFORE, what="everything is as it should be before the fault")

    def disturb(self) -> None:
        """Make, change, delete, and edit by hand."""
        self.place.run("delete", "wsvc/doomed", "--wait=false")
        changed = whisper_service("kept", routing={"replicas": 3})
        late = model_set("late", model="base.en")
        self.place.run("scale", "deployment/kept-cpu", "--replicas=7")
        self.place.apply([changed, whisper_service("new"), late])

    def repaired(self) -> bool:
        """All of that is noticed, carried out and told."""
        found = {f"{one['kind']}/{one['metadata']['name']}": one for one in self.place.items("wsvc,mset,deploy,jobs")}
        assert self._replicas(found, "kept-cpu") == 1, "what was edited by hand is put back"
        assert self._replicas(found, "kept-router") == 3, "the changed service is carried out"
        assert self._replicas(found, "new-cpu") == 1, "the new service is made"
        assert self._used_by(found) == ["kept", "new"], "status knows who is gone and who is new"
        assert [one for one in found if one.startswith("Job/")], "the late set is being made"
        for name in ("WhisperService/kept", "WhisperService/new", "ModelSet/late"):
            one = found[name]
            assert one.get("status", {}).get("observedGeneration") == one["metadata"]["generation"], name
        return True

    def _prepared(self) -> bool:
        found = {f"{one['kind']}/{one['metadata']['name']}": one for one in self.place.items("wsvc,mset,deploy,jobs")}
        assert self._replicas(found, "kept-cpu") == self._replicas(found, "doomed-cpu") == 1
        assert self._replicas(found, "kept-router") == 2
        assert self._used_by(found) == ["doomed", "kept"]
        assert not [one for one in found if one.startswith("Job/")]
        return True

    def _replicas(self, found: dict[str, dict[str, Any]], name: str) -> int | None:
        one = found.get(f"Deployment/{name}")
        return None if one is None else int(one["spec"]["replicas"])

    def _used_by(self, found: dict[str, dict[str, Any]]) -> list[str]:
        users: list[str] = found["ModelSet/models"].get("status", {}).get("usedBy", [])
        return users
