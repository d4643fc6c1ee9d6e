"""Flags before variables before defaults, once."""

import argparse
from pathlib import Path

import pytest
from whisper_runtime.settings import Settings, add_flags, read_settings

DEFAULTS = {"port": 5004, "threads": 2}


def read(arguments: list[str], environment: dict[str, str] | None = None) -> Settings:
    parser = argparse.ArgumentParser()
    add_flags(parser, Settings, DEFAULTS)
    return read_settings(parser.parse_args(arguments), Settings, environment or {}, DEFAULTS)


def test_a_flag_wins_over_its_variable_and_that_over_the_default() -> None:
    environment = {"WHISPER_PORT": "6000", "WHISPER_THREADS": "4"}
    settings = read(["--port", "7000"], environment)
    assert (settings.port, settings.threads, settings.precision) == (7000, 4, "int8")


def test_names_come_repeated_or_listed() -> None:
    assert read(["--served-model-name", "a", "--served-model-name", "b"]).served_model_name == ("a", "b")
    assert read([], {"WHISPER_SERVED_MODEL_NAME": "a, b"}).served_model_name == ("a", "b")


def test_a_wrong_value_names_its_flag() -> None:
    with pytest.raises(ValueError, match=r"--port.*'high'"):
        read(["--port", "high"])


def test_the_upload_limits_are_the_contracts_until_told_otherwise() -> None:
    assert (read([]).max_upload_bytes, read([]).openai_limit) == (64 << 20, 25_000_000)
    assert read(["--max-upload-bytes", "100"]).max_upload_bytes == 100


@pytest.mark.parametrize(
    ("arguments", "variables", "limit"),
    [
        (["--max-upload-bytes", "100"], {}, 100),
        (["--max-upload-bytes", "500000000"], {}, 25_000_000),
        (["--max-upload-bytes", "100", "--openai-upload-bytes", "400"], {}, 400),
        (["--max-upload-bytes", "500000000", "--openai-upload-bytes", "500000000"], {}, 500_000_000),
        (["--max-upload-bytes", "100"], {"WHISPER_OPENAI_UPLOAD_BYTES": "400"}, 400),
    ],
)
def test_openais_limit_is_its_own_once_it_is_given(arguments: list[str], variables: dict[str, str], limit: int) -> None:
    assert read(arguments, variables).openai_limit == limit


def test_what_is_on_or_off_is_a_flag_without_a_value_or_a_variable_with_one() -> None:
    assert [read([]).allow_unverified, read(["--allow-unverified"]).allow_unverified] == [False, True]
    assert read([], {"WHISPER_ALLOW_UNVERIFIED": "true"}).allow_unverified
    with pytest.raises(ValueError, match=r"--allow-unverified.*'perhaps'"):
        read([], {"WHISPER_ALLOW_UNVERIFIED": "perhaps"})


def test_the_store_is_the_users_own_unless_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read([]).models == tmp_path / ".local/share/whisper-models"
    assert read(["--models=~/elsewhere"]).models == tmp_path / "elsewhere"
    assert read([], {"WHISPER_MODELS": "/models"}).models == Path("/models")


def test_a_user_without_a_home_is_asked_for_a_folder() -> None:
    with pytest.raises(ValueError, match=r"--models.*name a folder in full"):
        read(["--models", "~nobody-of-that-name/models"])
