"""What a processor must have for variants in 8 and 4 bits to be worth their name."""

import pytest
from whisper_cpu.engine import processor

X86 = "processor\t: 0\nflags\t\t: fpu sse4_2 avx {}\n"
ARM = "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm {}\n"


@pytest.mark.parametrize(
    ("machine", "cpuinfo", "missing"),
    [
        ("x86_64", X86.format("avx2 fma"), None),
        ("x86_64", X86.format(""), "avx2"),
        ("aarch64", ARM.format("asimdhp asimddp"), None),
        ("aarch64", ARM.format("crc32"), "asimddp"),
        ("riscv64", "isa\t: rv64imafdcv\n", None),
    ],
)
def test_it_is_named_by_its_flag(machine: str, cpuinfo: str, missing: str | None) -> None:
    assert processor.missing(machine, cpuinfo) == missing


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ("avx512f avx512bw avx512dq avx512vl avx512_bf16", None),
        ("avx512f avx512bw avx512dq avx512vl avx512_vnni", "avx512_bf16"),
        ("avx2 fma", "avx512f"),
    ],
)
def test_attention_in_bf16_wants_every_flag_that_it_is_compiled_for(flags: str, missing: str | None) -> None:
    assert processor.missing_for_bf16(X86.format(flags)) == missing


def test_attention_in_bf16_is_not_for_processors_of_which_nothing_is_known() -> None:
    assert processor.missing_for_bf16(ARM.format("asimddp bf16")) == "avx512f"
    assert processor.missing_for_bf16("") == "avx512f"
