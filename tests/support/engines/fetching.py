"""Looks on a hub for what is not in its folder."""

import urllib.request
from pathlib import Path
from typing import Any


def load(_path: Path) -> Any:
    return urllib.request.urlopen("http://127.0.0.1:9/tokenizer.json")
