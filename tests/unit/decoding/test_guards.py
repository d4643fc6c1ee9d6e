"""Loops are noticed, and warmer attempts follow."""

from whisper_runtime.decoding.guards import compression_ratio, loops, temperatures


def test_warmer_attempts_follow_the_first() -> None:
    assert temperatures(0.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert temperatures(0.7) == [0.7, 0.9]
    assert temperatures(1.0) == [1.0]


def test_what_is_said_again_and_again_is_a_loop() -> None:
    assert loops("you know, " * 30)
    assert not loops("Ask not what your country can do for you, ask what you can do for your country.")
    assert compression_ratio("") == 0.0
