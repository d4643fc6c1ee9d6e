"""The scripts that people have in their notes do what the command does, or say what is missing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
NAMES = ["download", "convert", "optimize", "validate"]
NOTES = [
    ("download", ["--all", "--url", "http://127.0.0.1:9", "--sha256", "0"], "exactly one"),
    ("convert", ["--model", "whisper-base", "--all-formats"], "base"),
    ("optimize", ["--target", "npu", "--models", "whisper-base"], "base"),
    ("validate", ["--check-all"], "has no model"),
]


def bare_python(*words: str, script: Path) -> "subprocess.CompletedProcess[str]":
    """A Python that has nothing installed: isolated from this one's site-packages."""
    line = [sys.executable, "-S", "-E", str(script), *words]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(("name", "words", "said"), NOTES)
def test_it_takes_the_words_that_people_know(name: str, words: list[str], said: str, tmp_path: Path) -> None:
    line = [sys.executable, str(SCRIPTS / f"{name}-models.py"), *words, "--root", str(tmp_path)]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode in (1, 2)
    assert said in ended.stderr
    assert "unrecognized" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_python_without_the_package_uses_that_of_the_checkout(name: str) -> None:
    ended = bare_python("--help", script=SCRIPTS / f"{name}-models.py")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"usage: whisper-models {name} ")


@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_clone_is_told_to_set_itself_up(name: str, tmp_path: Path) -> None:
    for script in SCRIPTS.glob("*models*.py"):
        shutil.copy(script, tmp_path)
    ended = bare_python("--help", script=tmp_path / f"{name}-models.py")
    assert ended.returncode == 1
    assert "run `make setup`" in ended.stderr
    assert "Traceback" not in ended.stderr
