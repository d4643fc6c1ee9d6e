"""The examples are what their comments say; that they work is for the tests on a cluster."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from whisper_operator.api.modelset import ModelSet
from whisper_operator.api.whisperservice import WhisperService

from scripts.demo_run.settings import CLIP, HUB_MANIFEST, QUICKSTART
from scripts.demo_run.waiting import WATCHED
from scripts.image_build.settings import REPOSITORY

TYPES = {"ModelSet": ModelSet, "WhisperService": WhisperService}
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))


def objects(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_only_fields_that_the_operator_knows(path: Path) -> None:
    for document in objects(path):
        if document["kind"] in TYPES:
            metadata = {"namespace": "default", **document["metadata"]}
            TYPES[document["kind"]].model_validate({**document, "metadata": metadata})


def test_the_demo_waits_for_what_the_quickstart_makes() -> None:
    made = [(document["kind"].lower(), document["metadata"]["name"]) for document in objects(QUICKSTART)]
    assert tuple(made) == WATCHED


def test_the_demos_clip_is_there() -> None:
    assert CLIP.read_bytes().startswith(b"RIFF")


def test_the_test_hub_asks_for_no_privilege() -> None:
    pod = next(o for o in objects(HUB_MANIFEST) if o["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
