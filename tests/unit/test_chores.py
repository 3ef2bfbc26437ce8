"""Background work goes on after whatever went wrong."""

import asyncio

import pytest
from sqlalchemy.exc import OperationalError

from api.chores import again_and_again
from api.conversations.bell import bell


@pytest.mark.parametrize("error", [OperationalError("SELECT", {}, Exception()), ConnectionRefusedError(), KeyError()])
async def test_what_fails_is_tried_again(error: Exception) -> None:
    done = asyncio.Event()
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise error
        done.set()

    chore = asyncio.create_task(again_and_again("a", work, 0.01))
    await asyncio.wait_for(done.wait(), 10)
    chore.cancel()
    assert tries >= 2


async def test_a_ring_is_answered_before_its_time() -> None:
    times: asyncio.Queue[None] = asyncio.Queue()
    chore = asyncio.create_task(again_and_again("b", lambda: times.put(None), 3600, "a key"))
    await asyncio.wait_for(times.get(), 10)
    bell.ring("a key")
    await asyncio.wait_for(times.get(), 10)
    chore.cancel()
