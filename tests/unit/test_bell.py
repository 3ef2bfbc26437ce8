"""Waiting for the first of several rings."""

import asyncio

from api.conversations.bell import Bell


async def test_the_first_ring_of_several_ends_the_wait_and_stays_until_it_is_cleared() -> None:
    bell = Bell()
    with bell.listen_to(["a", "b"]) as rings:
        waiting = asyncio.create_task(rings.first(30))
        await asyncio.sleep(0)
        bell.ring("c")
        bell.ring("b")
        await asyncio.wait_for(waiting, 5)
        assert [key for key, event in rings.items() if event.is_set()] == ["b"]
        await asyncio.wait_for(rings.first(30), 5)
        rings["b"].clear()
        await rings.first(0)
        assert not rings["b"].is_set()


async def test_what_is_held_back_wakes_nobody_and_is_not_forgotten() -> None:
    bell = Bell()
    with bell.listen_to(["queue", "lines"]) as rings:
        bell.ring("queue")
        waiting = asyncio.create_task(rings.first(30, but={"queue"}))
        for _ in range(3):
            bell.ring("queue")
            await asyncio.sleep(0)
        assert not waiting.done()
        bell.ring("lines")
        await asyncio.wait_for(waiting, 5)
        assert rings["queue"].is_set()
        assert rings["lines"].is_set()


async def test_nobody_listens_any_more_after_the_block() -> None:
    bell = Bell()
    with bell.listen_to(["a"]) as rings:
        pass
    bell.ring("a")
    assert not rings["a"].is_set()
