"""What the environment may say to the demo and to the image builds."""

import json
from pathlib import Path

import pytest

from scripts.demo_run import chart
from scripts.demo_run.settings import read_settings
from scripts.demo_run.transcript import read_answer
from scripts.image_build import settings as image_settings


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [({"NODES": "none"}, "NODES=none is not a number"), ({"HUB": "mirror"}, "HUB=mirror is not known")],
)
def test_nonsense_is_refused_in_a_sentence(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_settings(environment)


def test_an_unknown_base_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="use one of auto, local, public"):
        image_settings.read_settings({"BASE": "alpine"})


def test_everything_about_images_is_in_one_folder() -> None:
    settings = image_settings.read_settings({"WHISPER_CACHE": "/somewhere"})
    assert {settings.contexts.parent, settings.logs.parent, settings.storage.parent} == {Path("/somewhere/images")}


def test_a_release_is_known_by_chart_and_values(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("version: 1")
    before = chart.fingerprint(tmp_path, {"a": 1})
    assert chart.fingerprint(tmp_path, {"a": 1}) == before
    assert chart.fingerprint(tmp_path, {"a": 2}) != before
    (tmp_path / "Chart.yaml").write_text("version: 2")
    assert chart.fingerprint(tmp_path, {"a": 1}) != before


def test_the_answer_says_who_served_it() -> None:
    body = json.dumps({"text": " Ask not. ", "duration": 11.0})
    answer = read_answer(body, "HTTP/1.1 200 OK\r\nX-Whisper-Runtime: cpu\r\n\r\n", 0.2, "curl …")
    assert (answer.text, answer.runtime, answer.seconds) == ("Ask not.", "cpu", 0.2)


def test_an_answer_that_hides_who_served_it_is_not_taken() -> None:
    with pytest.raises(KeyError, match="x-whisper-runtime"):
        read_answer('{"text": "", "duration": 1}', "HTTP/1.1 200 OK\r\n", 0.1, "curl …")
