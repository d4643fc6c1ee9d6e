import pytest

from benchmarks.ceiling import Ceiling, encoder_operations
from benchmarks.contender import Take
from benchmarks.cpu.contenders import ENTRANTS
from benchmarks.cpu.measure import Heat, Words
from benchmarks.cpu.tables import bound_table, metrics, speed_table, words_table
from tests.support.words import JFK_WORDS

BASE = {
    "d_model": 512,
    "encoder_ffn_dim": 2048,
    "encoder_layers": 6,
    "max_source_positions": 1500,
    "num_mel_bins": 80,
}
SECONDS = {"whisper-cpu": 1.0, "faster-whisper": 2.0, "openvino-genai": 1.5, "whisper-cpp": 4.0}


def heat(model: str = "base", threads: int = 1) -> Heat:
    takes = {
        name: [Take(seconds * load, seconds, JFK_WORDS, peak_mib=300.0 + load) for load in (1, 3, 2)]
        for name, seconds in SECONDS.items()
    }
    return Heat(model, threads, takes)


def words(model: str = "base") -> Words:
    return Words(model, {"whisper-cpu": 13, "faster-whisper": 15}, spoken=87)


def test_the_entrants_are_ours_and_three_others() -> None:
    assert set(ENTRANTS) == set(SECONDS)


def test_the_metrics_are_of_one_thread_and_have_the_agreed_names() -> None:
    heats = [heat("base"), heat("base", threads=2), heat("tiny.en")]
    values = metrics(heats, [words("base"), words("tiny.en")])
    agreed = (
        "speed_vs_faster_whisper",
        "speed_vs_openvino_genai",
        "speed_vs_whisper_cpp",
        "wer_minus_faster_whisper",
        "peak_mib",
    )
    assert set(values) == {f"{model}_int8_{name}" for model in ("base", "tiny_en") for name in agreed}
    assert values["base_int8_speed_vs_faster_whisper"] == 2.0
    assert values["base_int8_speed_vs_whisper_cpp"] == 4.0
    assert values["base_int8_wer_minus_faster_whisper"] == pytest.approx(-2.299, abs=1e-3)
    assert values["base_int8_peak_mib"] == 303.0


def test_each_engine_has_a_row_and_ours_is_compared_with_the_others() -> None:
    rows = {row[0]: row for row in speed_table(heat()).rows}
    assert rows["faster-whisper int8"][3] == "2.00 [2.00, 2.00]"
    assert rows["whisper-cpu int8"][3] == ""
    assert rows["whisper-cpu int8"][4] == "0"


def test_word_errors_are_rates_with_their_numbers_and_the_difference_in_points() -> None:
    assert words_table([words()]).rows == [("base", "14.9 % (13)", "17.2 % (15)", "-2.3")]


def test_the_encoder_of_base_takes_87_gflop_for_30_seconds() -> None:
    assert encoder_operations(BASE) == pytest.approx(87.4e9, rel=1e-3)


def test_the_share_of_the_bound_is_the_encoders_arithmetic_over_our_whole_time() -> None:
    table = bound_table([heat(), heat(threads=2)], Ceiling(int8=874.0, fp32=87.4), {"base": 87.4e9})
    assert table.rows == [("base", "87.4", "0.100", "1.000", "2.000", "5 %")]
