"""What `whisper-npu` may be told."""

import argparse

import pytest
from pydantic import ValidationError
from whisper_npu.settings import NpuSettings
from whisper_runtime.settings import add_flags, read_settings


def read(*arguments: str, **environment: str) -> NpuSettings:
    parser = argparse.ArgumentParser()
    add_flags(parser, NpuSettings, {})
    return read_settings(parser.parse_args(arguments), NpuSettings, environment, {})


@pytest.mark.parametrize("given", [["--device-order", "gpu,cpu"], ["--device-order", "GPU", "--device-order", "CPU"]])
def test_the_order_is_a_list_or_a_repeated_flag(given: list[str]) -> None:
    assert read(*given).device_order == ("GPU", "CPU")


def test_the_order_is_a_variable_too_and_each_device_counts_once() -> None:
    assert read(WHISPER_DEVICE_ORDER="NPU, CPU,npu").device_order == ("NPU", "CPU")
    assert read().device_order == ("NPU", "GPU", "CPU")


@pytest.mark.parametrize("order", ["AUTO", "AUTO:NPU,CPU", "TPU", ""])
def test_what_is_no_device_is_refused(order: str) -> None:
    with pytest.raises(ValidationError):
        NpuSettings(device_order=(order,))
