"""The rules of the layout that no import contract can see."""

import operator
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_operator_folder_never_shadows_the_standard_library() -> None:
    assert not list((ROOT / "operator").glob("*.py"))
    assert Path(operator.__file__).resolve().parent != ROOT / "operator"


def test_no_python_file_outgrows_400_lines() -> None:
    long = {
        name: n
        for name in tracked()
        if name.endswith(".py") and (n := len((ROOT / name).read_text().splitlines())) > 400
    }
    assert not long


@pytest.mark.parametrize("word", ["util", "utils", "helper", "helpers", "common", "misc"])
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    assert not [name for name in tracked() if word in (Path(name).stem, *Path(name).parts[:-1])]
