"""What `scripts/images.py doctor` finds missing."""

from pathlib import Path

import pytest

from scripts.image_build import requirements
from scripts.image_build.settings import read_settings
from scripts.image_build.tools import HOW_TO_GET_ONE, MissingToolError


def test_a_docker_without_a_daemon_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def none_works(_: Path) -> None:
        raise MissingToolError(HOW_TO_GET_ONE)

    monkeypatch.setattr(requirements, "choose_tool", none_works)
    found = list(requirements.findings(read_settings({"WHISPER_CACHE": str(tmp_path), "BASE": "public"})))

    assert [finding.packages for finding in found] == [("buildah",)]
