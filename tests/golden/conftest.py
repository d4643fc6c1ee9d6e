"""Golden tests: small YAML in, full YAML out.

`--golden-update` writes what comes out now; the diff is what is reviewed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Check = Callable[[Path, Any], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-update", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Check:
    """Compare a value with the file that it should equal, or write that file."""
    # Absent where pytest met this file only while collecting.
    update = request.config.getoption("golden_update", default=False)

    def check(path: Path, value: Any) -> None:
        text = yaml.dump(value, Dumper=Readable, sort_keys=False, width=120)
        if update:
            path.write_text(text)
        assert path.exists(), f"{path} does not exist yet: `make golden` writes it"
        assert text == path.read_text(), f"{path} differs: if that is right, `make golden` writes it anew"

    return check


class Readable(yaml.SafeDumper):
    """Texts of several lines as such, and no anchors."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def _text(dumper: Readable, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Readable.add_representer(str, _text)
