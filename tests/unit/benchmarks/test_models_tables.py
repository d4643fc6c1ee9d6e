import pytest

from benchmarks.models.checkpoints import LARGE
from benchmarks.models.conversions import HALF, OPENVINO, OPTIMUM, OUR, QUANTISED, TOOLS, Heat, Kind
from benchmarks.models.downloads import CLIENT, CUT, KILLED, UNDISTURBED, Fetched, Race
from benchmarks.models.downloads import OUR as OUR_DOWNLOAD
from benchmarks.models.likeness import Likeness
from benchmarks.models.processes import Take
from benchmarks.models.tables import Measured, conversion_table, download_table, likeness_table, metrics

SIZE = 100.0


def takes(seconds: float, mib: float) -> list[Take]:
    """The machine is twice as slow in the second round."""
    return [Take(seconds * slow, seconds, mib + slow) for slow in (1, 2, 1)]


def heat(model: str, kind: Kind, peer: str | None) -> Heat:
    theirs = {peer: takes(24.0, 998.0)} if peer else {}
    return Heat(model, kind, {OUR: takes(2.0, 198.0), **theirs})


def race(model: str, way: str) -> Race:
    ours = [Fetched(take, 50.0) for take in takes(1.0, 60.0)]
    theirs = [Fetched(take, 100.0) for take in takes(1.5, 70.0)]
    return Race(model, SIZE, way, {OUR_DOWNLOAD: ours, CLIENT: theirs})


MEASURED = Measured(
    [
        heat("tiny.en", OPENVINO, OPTIMUM),
        heat("base", OPENVINO, OPTIMUM),
        heat("base", QUANTISED, TOOLS),
        heat("base", HALF, TOOLS),
        heat(LARGE, OPENVINO, None),
        heat(LARGE, QUANTISED, TOOLS),
    ],
    {"tiny.en": 50.0, "base": SIZE, LARGE: 400.0},
    [Likeness("base", "ggml fp16", "byte for byte the same")],
    [race(model, way) for model in ("base", "other") for way in (UNDISTURBED, CUT, KILLED)],
)


def test_the_metrics_have_the_agreed_names_and_are_of_base() -> None:
    agreed = {
        "openvino_int8_speed_vs_optimum": 12.0,
        "openvino_int8_memory_vs_optimum": 0.2,
        "ggml_speed_vs_whisper_cpp_tools": 12.0,
        "ggml_f16_speed_vs_whisper_cpp_tools": 12.0,
        "large_v3_peak_memory_vs_size": 0.5,
        "download_speed_vs_hub_client": 1.5,
    }
    assert agreed.items() <= metrics(MEASURED).items()


def test_other_models_bear_their_names() -> None:
    names = metrics(MEASURED).keys()
    assert {"tiny_en_openvino_int8_speed_vs_optimum", "other_download_speed_vs_hub_client"} <= names
    assert {"resume_seconds", "resume_speed_vs_hub_client", "large_v3_shape_openvino_int8_seconds"} <= names


def test_nothing_is_said_of_a_peer_that_did_not_run() -> None:
    alone = Measured([heat(LARGE, OPENVINO, None)], {LARGE: 400.0}, [], [])
    assert set(metrics(alone)) == {"large_v3_peak_memory_vs_size", "large_v3_shape_openvino_int8_seconds"}
    assert len(conversion_table(alone, OPENVINO).rows) == 1


def test_two_steps_of_a_peer_add_their_seconds_and_not_their_memory() -> None:
    assert Take(2.0, 1.0, 900.0).then(Take(1.0, 1.0, 50.0)) == Take(3.0, 2.0, 900.0)


def test_a_table_is_of_one_format_and_names_the_model_in_each_row() -> None:
    rows = conversion_table(MEASURED, OPENVINO).rows
    assert [row[0] for row in rows] == [
        f"tiny.en, {OUR}",
        f"tiny.en, {OPTIMUM}",
        f"base, {OUR}",
        f"base, {OPTIMUM}",
        f"{LARGE}, {OUR}",
    ]
    assert rows[3][3:] == ("12.0 [12.0, 12.0]", "1000", "10.00", "0.20")


@pytest.mark.parametrize("place", [0, 2, 4])
def test_the_share_of_a_download_is_shown_beside_the_client(place: int) -> None:
    rows = download_table(MEASURED.races[:3]).rows
    assert rows[place][2] == ""
    assert rows[place + 1][2] == "1.50 [1.50, 1.50]"


def test_what_was_made_is_said_in_words() -> None:
    assert likeness_table(MEASURED.likenesses).rows == [("base", "ggml fp16", "byte for byte the same")]
