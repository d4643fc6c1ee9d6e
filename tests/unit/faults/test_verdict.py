"""What the fault suite finds wrong, and what it lets pass."""

from typing import Any

import pytest

from tests.e2e.faults.verdict import Ending, Expectation, Kind, Observation, Request, complaints

FAULT_AT = 100.0


def request(began: float, took: float = 0.1, ending: Ending = Ending.GOOD, **other: Any) -> Request:
    told = {"caller": 1, "kind": Kind.LIGHT, **other}
    return Request(began=FAULT_AT + began, ended=FAULT_AT + began + took, ending=ending, **told)


def found(*requests: Request, **expected: Any) -> list[str]:
    return complaints(Observation([*requests, request(60)], FAULT_AT), Expectation(**expected))


def test_good_requests_are_nothing_to_complain_of() -> None:
    assert found(request(-1), request(0), request(9)) == []


def test_where_nobody_begins_a_light_request_afterwards_nothing_is_shown() -> None:
    seen = Observation([request(4), request(6, kind=Kind.TRANSCRIPTION)], FAULT_AT)
    assert complaints(seen, Expectation(fresh_within=5))


@pytest.mark.parametrize("ending", [ending for ending in Ending if ending is not Ending.GOOD])
def test_where_nothing_is_tolerated_every_bad_end_is_told(ending: Ending) -> None:
    assert len(found(request(-1, ending=ending), request(1, ending=ending), fresh_within=5)) == 2


def test_what_is_tolerated_is_so_only_until_new_requests_must_be_good() -> None:
    requests = [request(began, ending=Ending.CUT) for began in (-1, 4.9, 5.1)]
    (told,) = found(*requests, fresh_within=5, tolerated=frozenset({Ending.CUT}))
    assert "begun +5.1 s" in told


def test_a_fault_that_must_take_requests_from_a_pod_and_took_none_shows_nothing() -> None:
    assert found(request(-1), met=True)
    assert found(request(-1, attempts=2), met=True) == []


@pytest.mark.parametrize(
    ("began", "other", "shown"),
    [
        (-1, {}, True),
        (3, {}, True),
        (-9, {}, False),
        (3, {"runtime": "npu"}, False),
        (3, {"kind": Kind.LIGHT}, False),
        (3, {"ending": Ending.WRONG}, False),
    ],
)
def test_another_runtime_must_have_answered_a_transcription_since_the_fault(
    began: float,
    other: dict[str, Any],
    shown: bool,  # noqa: FBT001  # a parameter of the cases
) -> None:
    passed = request(began, **{"took": 2, "kind": Kind.TRANSCRIPTION, "runtime": "cpu", **other})
    told = found(passed, passed_to="cpu")
    assert ("the cpu has answered no transcription since the fault" not in told) is shown


def test_a_wrong_word_is_never_tolerated_in_place_of_a_broken_connection() -> None:
    assert found(request(1, ending=Ending.WRONG), fresh_within=5, tolerated=frozenset({Ending.CUT}))


def test_a_request_that_takes_too_long_is_told_even_if_its_end_is_good() -> None:
    assert found(request(-1, took=61, kind=Kind.TRANSCRIPTION), longest=60)


def test_a_new_light_request_must_be_prompt_and_a_transcription_may_queue() -> None:
    (told,) = found(request(6, took=20), request(6, took=20, kind=Kind.TRANSCRIPTION), fresh_within=5)
    assert "late" in told


def test_the_first_good_answer_is_each_callers_own_and_of_a_request_begun_after_the_fault() -> None:
    seen = [
        request(-1, took=2, caller=1),
        request(2, took=0.5, caller=1),
        request(3, took=0.5, caller=1),
        request(0.5, took=1, caller=2, ending=Ending.CUT),
        request(4, took=1, caller=2),
        request(0.1, took=0.1, caller=3, kind=Kind.TRANSCRIPTION),
    ]
    assert Observation(seen, FAULT_AT).first_good() == pytest.approx([2.5, 5.0])


def test_an_expectation_reads_as_a_sentence() -> None:
    assert Expectation().text() == "none lost; no request takes longer than 180 s"
    stopped = Expectation(fresh_within=5, tolerated=frozenset({Ending.TIMED_OUT}), longest=90)
    assert stopped.text() == (
        "those begun before or within 5 s may end in a 504; every later one is good; no request takes longer than 90 s"
    )
