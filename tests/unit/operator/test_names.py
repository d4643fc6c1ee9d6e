"""Names are valid for every legal input, and no two are the same."""

import re

from hypothesis import given
from hypothesis import strategies as st
from whisper_operator.api.resource import NAME_LIMIT
from whisper_operator.api.schema import LABEL_NAME
from whisper_operator.api.whisperservice import SUFFIXES
from whisper_operator.plan import names

RESOURCES = st.from_regex(rf"[a-z]([-a-z0-9]{{0,{NAME_LIMIT - 2}}}[a-z0-9])?", fullmatch=True)
SERVICES = RESOURCES.filter(lambda name: not name.endswith(tuple(f"-{suffix}" for suffix in SUFFIXES)))
CLAIMS = st.from_regex(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?", fullmatch=True)
MODELS = st.from_regex(r"[a-z0-9]([-._a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
FORMATS = st.sampled_from(["pytorch", "onnx"])
PRECISIONS = st.sampled_from(["stored", "int8", "fp32", "q8_0"])
JOBS = st.tuples(CLAIMS, MODELS, FORMATS, PRECISIONS)


def is_valid(name: str) -> bool:
    return len(name) <= 63 and re.fullmatch(LABEL_NAME, name) is not None


def of_service(name: str) -> list[str]:
    runtimes = [names.runtime(name, kind) for kind in ("npu", "gpu", "mac", "cpu")]
    return [names.service(name), names.router(name), *runtimes]


@given(SERVICES, SERVICES)
def test_names_of_a_service_are_valid_and_its_own(one: str, other: str) -> None:
    assert all(is_valid(name) for name in of_service(one))
    assert len(set(of_service(one))) == 6
    if one != other:
        assert not set(of_service(one)) & set(of_service(other))


@given(RESOURCES, RESOURCES)
def test_claims_are_valid_and_one_for_each_set(one: str, other: str) -> None:
    assert is_valid(names.claim(one))
    assert (names.claim(one) == names.claim(other)) == (one == other)


@given(JOBS, JOBS)
def test_jobs_are_valid_and_one_for_each_variant_on_each_claim(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert is_valid(names.job(*one))
    assert (names.job(*one) == names.job(*other)) == (one == other)


def test_parts_that_read_the_same_when_joined_stay_apart() -> None:
    assert names.job("a", "b-c", "onnx", "int8") != names.job("a-b", "c", "onnx", "int8")


def test_what_fits_is_kept_readable() -> None:
    assert names.router("whisper") == "whisper-router"
    assert names.runtime("whisper", "cpu") == "whisper-cpu"
    assert names.job("models-models", "tiny.en", "onnx", "int8").startswith("models-models-tiny-en-onnx-int8-")


@given(st.lists(st.text(max_size=80), min_size=1, max_size=4))
def test_anything_at_all_becomes_a_valid_name(parts: list[str]) -> None:
    assert is_valid(names.bounded(*parts))
    assert is_valid(names.hashed(*parts))
