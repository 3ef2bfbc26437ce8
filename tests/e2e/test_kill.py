"""Fifty conversations at once, and each process of the desk killed in the middle: nothing lost, nothing twice."""

import asyncio
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.e2e.crowd import (
    CLAIMS,
    RETRY,
    Caller,
    addresses,
    all_of,
    crowd_client,
    failed,
    numbers_in,
    said_twice,
    tickets_of,
    until,
    words,
)
from tests.e2e.desk import PARTS, Desk

pytestmark = pytest.mark.xdist_group("heavy")

CROWD = 50
#: Of the sentence for an API that did not answer in time (fifty at once on a small machine).
NO_ANSWER = "没有响应"
#: Accepted messages, or answered ones, after which a part is killed.
MOMENTS = {"while messages come in": ("accepted", 5), "while answers go out": ("answered", 15)}
_ADDRESSES = iter(addresses())


@pytest.fixture(scope="module")
def sturdy(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk of this module's own: hundreds of reports would change what other tests find."""
    home = tmp_path_factory.mktemp("sturdy") / "home"
    shutil.copytree(prepared_home, home)
    running = Desk(home).start()
    yield running
    running.stop()


async def say_and_kill(desk: Desk, callers: list[Caller], texts: list[str], part: str, moment: tuple[str, int]) -> None:
    """All say their text at once; the part is killed when so many were accepted or answered; all are answered."""
    counted, enough = moment
    progress = {"accepted": 0, "answered": 0}

    async def one(caller: Caller, text: str) -> None:
        await caller.post(text=text)
        progress["accepted"] += 1
        await caller.answered()
        progress["answered"] += 1

    async def kill() -> int:
        await until(lambda: progress[counted] >= enough)
        return desk.kill(part)

    *_, old = await asyncio.gather(*map(one, callers, texts), kill())
    await asyncio.to_thread(desk.wait_replaced, part, old)


async def try_again(callers: list[Caller], texts: list[str]) -> None:
    """Take the way on that a failed turn offers, as long as it fails: the button, or sending the words again."""

    async def one(caller: Caller, text: str) -> None:
        for _ in range(3):
            answer = caller.answer_to(caller.accepted[-1])
            if failed(answer):
                await caller.choose(RETRY)
            elif NO_ANSWER in words(answer):
                await caller.say(text)

    await asyncio.gather(*map(one, callers, texts))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("part", PARTS)
async def test_nothing_is_lost_and_nothing_is_done_twice(sturdy: Desk, part: str, moment: str) -> None:
    places = list(islice(_ADDRESSES, CROWD))
    async with crowd_client(sturdy) as client:
        callers = await all_of([Caller(client) for _ in places], Caller.begin)

        reports = [f"{place}整栋楼停电了" for place in places]
        await say_and_kill(sturdy, callers, reports, part, MOMENTS[moment])
        await try_again(callers, reports)
        for caller in callers:
            assert "姓名" in words(caller.answer_to(caller.accepted[-1])), caller.transcript()

        contacts = [f"我姓王，139{n:08}" for n in range(CROWD)]
        await say_and_kill(sturdy, callers, contacts, part, MOMENTS[moment])
        await try_again(callers, contacts)

        for caller in callers:
            tickets = await tickets_of(sturdy, client, caller)
            assert len(tickets) == 1, (tickets, caller.transcript())
            said = words(caller.answer_to(caller.accepted[-1]))
            assert numbers_in(said) == [tickets[0]["number"]], (tickets, caller.transcript())
            for seq in caller.accepted:
                answer = caller.answer_to(seq)
                assert answer, f"message {seq} was not answered:\n{caller.transcript()}"
                assert not said_twice(answer), caller.transcript()
            confirmations = [line for line in caller.lines.values() if CLAIMS.search(line["text"])]
            assert len(confirmations) == 1, caller.transcript()
            mine = [line for line in caller.lines.values() if line["from"] == "customer"]
            assert len(mine) == len(caller.accepted), caller.transcript()
