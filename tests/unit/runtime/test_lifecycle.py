"""What each phase means for requests."""

import asyncio

import pytest
from whisper_runtime.errors import DeviceLost, Draining, Loading
from whisper_runtime.serving.lifecycle import LifeCycle, Phase


@pytest.mark.parametrize(
    ("phase", "error"),
    [
        (Phase.STARTING, Loading),
        (Phase.VERIFYING, Loading),
        (Phase.LOADING, Loading),
        (Phase.WARMING, Loading),
        (Phase.DRAINING, Draining),
        (Phase.FAILED, DeviceLost),
    ],
)
async def test_requests_are_welcome_only_when_ready(phase: Phase, error: type[Exception]) -> None:
    life = LifeCycle()
    life.enter(phase)
    with pytest.raises(error):
        life.require_ready()
    assert not life.ready


async def test_draining_is_final() -> None:
    life = LifeCycle()
    life.enter(Phase.DRAINING)
    life.enter(Phase.READY)
    assert life.phase is Phase.DRAINING


async def test_draining_waits_for_what_is_in_flight() -> None:
    life = LifeCycle()
    life.enter(Phase.READY)
    async with life.working():
        assert not await life.idle(within=0.01)
        waiting = asyncio.create_task(life.idle(within=60))
        await asyncio.sleep(0)
    assert await waiting
    assert life.in_flight == 0
