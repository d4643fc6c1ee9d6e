from benchmarks.machine import Machine, parse, this_machine

X86 = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 avx512f avx512_vnni\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n"
MEMORY = "MemTotal:       25165824 kB\nMemFree: 1 kB\n"


def test_the_flags_that_decide_the_speed_of_small_numbers_are_named() -> None:
    assert parse(X86, MEMORY, 2) == Machine("AMD EPYC", ("avx2", "avx512f", "avx512_vnni"), 2, 24)
    assert str(parse(X86, MEMORY, 2)) == "AMD EPYC (avx2, avx512f, avx512_vnni), 2 cores, 24 GiB"


def test_an_arm_processor_that_does_not_give_its_name_is_described_all_the_same() -> None:
    assert str(parse(ARM, MEMORY, 4)) == "unnamed processor (asimddp, i8mm), 4 cores, 24 GiB"


def test_this_machine_has_cores_and_memory() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.memory_gib >= 1
