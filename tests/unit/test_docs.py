"""What the docs name exists."""

import re
from pathlib import Path

import pytest
from whisper_models import errors
from whisper_operator.api.conditions import ConditionType, Reason

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
CAMEL_CASE = re.compile(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`")


def leaves(kind: type[errors.ModelFailure]) -> set[str]:
    below = kind.__subclasses__()
    return {kind.__name__} if not below else set().union(*(leaves(each) for each in below))


def test_every_reason_that_the_troubleshooting_page_names_exists() -> None:
    page = (ROOT / "docs" / "how-to" / "find-out-what-is-wrong.md").read_text()
    known = {*Reason, *ConditionType} | leaves(errors.ModelFailure)

    assert len(set(CAMEL_CASE.findall(page))) > 20
    assert set(CAMEL_CASE.findall(page)) - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`(?:[A-Z]+=\S+ )*make ([a-z][a-z0-9-]*)`", page.read_text()))
    assert named - targets == set()
