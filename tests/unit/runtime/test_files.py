"""`transcribe`: several files, their forms, where they go, and what it says meanwhile."""

import argparse
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from whisper_runtime.engine import Artifact
from whisper_runtime.fake import FakeEngine
from whisper_runtime.files import add_file_flags, refuse_contradiction, transcribe_files
from whisper_runtime.settings import Settings

from tests.support.words import JFK, SAMPLE

Run = Callable[..., int]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(lambda _: " Hello.")


@pytest.fixture
def run(engine: FakeEngine) -> Run:
    return lambda *arguments: transcribe_files(
        "whisper", engine, Settings(), Artifact(Path("/nowhere"), "tiny.en", "int8", 1), flags(*arguments)
    )


def flags(*arguments: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_file_flags(parser)
    return parser.parse_args([str(argument) for argument in arguments])


SRT = "1\n00:00:00,000 --> 00:00:11,000\nHello.\n"
VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:11.000\nHello.\n"


@pytest.mark.parametrize(("form", "printed"), [([], "Hello.\n"), (["--srt"], SRT), (["--vtt"], VTT)])
def test_a_form_is_printed_and_nothing_else(
    run: Run, capsys: pytest.CaptureFixture[str], form: list[str], printed: str
) -> None:
    assert run(JFK, *form, "--language", "en") == 0
    out, err = capsys.readouterr()
    assert out == printed
    assert err.startswith(f"whisper: {JFK}: 11.0 s of audio in ")


def test_json_is_a_result_a_line(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(JFK, SAMPLE, "--json", "--words") == 0
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [result["request_id"] for result in results] == [str(JFK), str(SAMPLE)]
    assert [word["word"] for word in results[0]["words"]] == [" Hello."]


def test_answers_go_into_a_folder_that_is_made(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "subtitles"
    assert run(JFK, SAMPLE, "--srt", "--to", folder) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["jfk.srt", "sample.srt"]
    assert (folder / "jfk.srt").read_text() == SRT
    assert capsys.readouterr().out == ""


def test_one_files_failure_is_named_and_the_others_are_done(
    run: Run, engine: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("no audio")
    engine.says = lambda audio: " Hello." if len(audio) < 12 * 16_000 else broken()
    assert run(tmp_path / "text", tmp_path / "none", SAMPLE, JFK) == 1
    out, err = capsys.readouterr()
    assert out == "Hello.\n"
    lines = err.splitlines()
    assert f"{tmp_path / 'text'}: this is not an audio format" in lines[0]
    assert "No such file" in lines[1]
    assert lines[2] == f"whisper: {SAMPLE}: the engine failed: RuntimeError: boom"


def broken() -> str:
    raise RuntimeError("boom")


def test_what_cannot_be_honoured_is_said(run: Run, engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.info = replace(engine.info, capabilities=frozenset())
    assert run(JFK, "--prompt", "A speech.", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["degraded"] == ["prompt"]
    assert "without prompt" in err
    assert run(JFK, "--task", "translate") == 1
    assert "was not trained to translate" in capsys.readouterr().err


def test_a_terminal_sees_how_far_it_is(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    audio, rate = soundfile.read(SAMPLE)
    soundfile.write(tmp_path / "long.wav", [*audio, *audio], rate)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(tmp_path / "long.wav") == 0
    shown = capsys.readouterr().err.split("\r\x1b[K")
    assert len(shown) > 2
    assert "of 60 s" in shown[1]
    assert "60.0 s of audio" in shown[-1]


def test_the_page_names_every_flag() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "whisper-runtimes.md").read_text()
    parser = argparse.ArgumentParser(add_help=False)
    add_file_flags(parser)
    flags = {flag for action in parser._actions for flag in action.option_strings}
    assert set(re.findall(r"`(--[a-z]+)`", page)) == flags


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a.wav", "b.wav", "--srt"], "--srt of several files needs --to"),
        (["a.wav", "--words"], "--words needs --json"),
        (["a.wav", "b/a.mp3", "--to", "folder"], "the same name"),
    ],
)
def test_what_contradicts_itself_is_refused(arguments: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        refuse_contradiction(flags(*arguments))
