from pathlib import Path
from typing import Any

import pytest

from benchmarks.ceiling import Ceiling, encoder_operations
from benchmarks.contender import Take
from benchmarks.rounds import Spread
from benchmarks.runtimes.calls import Answer, Crowd
from benchmarks.runtimes.clips import Clip
from benchmarks.runtimes.contenders import ENTRANTS
from benchmarks.runtimes.engines import LANES, Heat
from benchmarks.runtimes.goals import GOALS, Goal, goals_table
from benchmarks.runtimes.probes import Probed
from benchmarks.runtimes.served import Latency, Memory, Served
from benchmarks.runtimes.tables import (
    answered_within,
    bound_table,
    crowd_table,
    engine_metrics,
    http_metrics,
    latency_table,
    memory_table,
    overhead_table,
    probe_metrics,
    probes_table,
    speed_table,
    word_metrics,
    words_table,
)
from benchmarks.runtimes.words import Mistakes
from tests.support.words import JFK_WORDS

BASE = {
    "d_model": 512,
    "encoder_ffn_dim": 2048,
    "encoder_layers": 6,
    "max_source_positions": 1500,
    "num_mel_bins": 80,
}
SECONDS = {
    "whisper-cpu": 1.0,
    "cut": 0.4,
    "words on": 1.2,
    "cut, words on": 0.5,
    "whisper-npu": 0.8,
    "npu, cut": 0.5,
    "faster-whisper": 2.0,
    "openvino-genai": 1.5,
    "whisper-cpp": 4.0,
}
CLIP = Clip("11 s", Path(__file__), 11.0, JFK_WORDS)
SHORT = Clip("2 s", Path(__file__), 2.0, "And so")


def heat(threads: int = 1) -> Heat:
    takes = {
        name: [Take(seconds * load, seconds, JFK_WORDS, peak_mib=300.0 + load) for load in (1, 3, 2)]
        for name, seconds in SECONDS.items()
    }
    return Heat(CLIP, threads, takes)


def answer(seconds: float, engine: float = 0.1, text: str = JFK_WORDS) -> Answer:
    return Answer(seconds, {"text": text, "timings": {"inference": engine - 0.02, "vad": 0.02}})


def served() -> Served:
    answers = [answer(0.1 + ms / 1000) for ms in (2, 4, 3)]
    latencies = [Latency("whisper-cpu", clip, words, answers) for clip in (SHORT, CLIP) for words in (False, True)]
    crowds = {"whisper-cpu": {1: Crowd(4.0, 8), 4: Crowd(2.0, 8), 16: Crowd(2.0, 16)}}
    return Served(2, latencies, crowds, CLIP, {"whisper-cpu": Memory(ready=200, peak=300)})


def probed() -> list[Probed]:
    """A hundred answers each; one of each server's is slow, and that is beyond the 99th."""
    return [
        Probed("whisper-cpu", [0.5, *[0.010] * 9, *[0.004] * 90]),
        Probed("whisper-npu", [0.4, 0.020, *[0.005] * 98]),
    ]


def mistakes() -> Mistakes:
    errors = {name: {"2 s": 0, "11 s": 0} for name in (*ENTRANTS, "cut", "npu, cut")}
    errors["faster-whisper"]["11 s"], errors["cut"]["2 s"] = 6, 3
    return Mistakes([SHORT, CLIP], errors)


def test_ours_takes_part_with_both_contexts_and_words_on_and_so_do_four_others() -> None:
    assert set(LANES) == set(SECONDS)


def test_a_run_of_all_parts_measures_every_goal() -> None:
    values: dict[str, Any] = engine_metrics([heat(1), heat(2)]) | http_metrics(served()) | word_metrics(mistakes())
    values |= probe_metrics(probed())
    assert set(GOALS) < set(values)
    assert {name: values[name].median for name in GOALS} == pytest.approx(
        {
            "cpu_base_int8_speed_vs_faster_whisper": 2.0,
            "cpu_base_int8_speed_vs_openvino_genai": 1.5,
            "cpu_base_int8_2threads_speed_vs_openvino_genai": 1.5,
            "cpu_base_int8_11s_clip_speed_vs_faster_whisper": 5.0,
            "npu_engine_on_cpu_speed_vs_faster_whisper": 4.0,
            "words_on_cost_ratio": 1.25,
            "http_overhead_ms_p50": 3.0,
            "livez_p99_ms": 20.0,
        }
    )
    assert values["cpu_base_int8_wer_minus_faster_whisper"].median == pytest.approx(-25.0)
    assert values["cpu_base_int8_wer_cut_minus_full"].median == pytest.approx(12.5)


def test_a_goal_is_reached_at_its_bound_and_not_on_the_other_side_of_it() -> None:
    assert Goal(2.0).reached(2.0)
    assert not Goal(2.0).reached(1.99)
    assert Goal(3.0, at_most=True).reached(3.0)
    assert not Goal(3.0, at_most=True).reached(3.01)


def test_each_metric_stands_beside_its_goal_and_those_without_one_come_last() -> None:
    measured = {"other": Spread(7, 7, 7), "words_on_cost_ratio": Spread(1.35, 1.2, 1.4)}
    assert goals_table(measured).rows == [
        ("words_on_cost_ratio", "1.35 [1.20, 1.40]", "≤ 1.3", "no"),
        ("other", "7.00 [7.00, 7.00]", "", ""),
    ]


def test_each_engine_has_a_row_and_ours_is_compared_with_the_others() -> None:
    rows = {row[0]: row for row in speed_table(heat()).rows}
    assert rows["faster-whisper int8"][2:5] == ("2.00 [2.00, 2.00]", "2.00", "2.00")
    assert rows["whisper-cpu int8"][2:6] == ("", "1.00", "", "0")
    assert rows["whisper-cpu int8, context cut to the clip, words on"][2] == "0.50 [0.50, 0.50]"


def test_the_encoder_of_base_takes_87_gflop_for_30_seconds() -> None:
    assert encoder_operations(BASE) == pytest.approx(87.4e9, rel=1e-3)


def test_the_share_of_the_bound_is_the_encoders_arithmetic_over_our_whole_time() -> None:
    table = bound_table(heat(), Ceiling(int8=874.0, fp32=87.4), 87.4e9)
    assert table.rows == [("87.4", "0.100", "1.000", "2.000", "5 %")]


@pytest.mark.parametrize(("share", "ms"), [(0.5, 10), (0.95, 19), (1.0, 20)])
def test_a_quantile_is_a_time_that_was_measured(share: float, ms: int) -> None:
    one = Latency("whisper-cpu", CLIP, words=False, answers=[answer(n / 1000) for n in range(20, 0, -1)])
    assert answered_within(one, share) == ms / 1000


def test_probes_have_a_row_for_each_server_and_the_slower_one_is_the_metric() -> None:
    assert probes_table(probed()).rows == [
        ("whisper-cpu", "4.0", "10.0", "500.0"),
        ("whisper-npu", "5.0", "20.0", "400.0"),
    ]
    assert probe_metrics(probed())["livez_p99_ms"].median == pytest.approx(20)


def test_a_latency_counts_the_words_that_any_of_its_answers_got_wrong() -> None:
    one = Latency("whisper-cpu", SHORT, words=False, answers=[answer(1, text="And so"), answer(1, text="And")])
    assert one.errors() == 1


def test_a_row_of_latencies_has_both_with_words_and_without() -> None:
    table = latency_table(served())
    assert [row[0] for row in table.rows] == ["2 s: whisper-cpu int8", "11 s: whisper-cpu int8"]
    assert table.rows[1][1:] == ("103", "104", "103", "104", "0.009", "0", "3")


def test_throughput_is_audio_heard_in_a_second() -> None:
    assert crowd_table(served()).rows == [("whisper-cpu int8", "22.0", "44.0", "88.0")]


def test_what_http_adds_is_the_callers_time_less_the_engines() -> None:
    (_, row) = overhead_table(served()).rows
    assert row[0] == "11 s: whisper-cpu"
    assert row[2] == "3.00 [2.50, 3.50]"


def test_memory_is_told_when_ready_and_at_its_peak() -> None:
    assert memory_table(served()).rows == [("whisper-cpu int8", "200", "300")]


def test_word_errors_are_numbers_for_each_clip_and_a_rate_of_all() -> None:
    table = words_table(mistakes())
    rows = {row[0]: row[1:] for row in table.rows}
    assert table.columns == ("engine", "2 s (2 words)", "11 s (22 words)", "of all")
    assert rows["faster-whisper int8"] == ("0", "6", "25.0 %")
    assert rows["whisper-cpu int8, context cut to the clip"] == ("3", "0", "12.5 %")
