"""Whatever fails, is slow or talks nonsense: an honest sentence in time, and nothing confirmed without its row."""

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.crowd import (
    CLAIMS,
    HONEST,
    PERSON,
    RETRY,
    Caller,
    Message,
    addresses,
    all_of,
    crowd_client,
    failed,
    numbers_in,
    said_twice,
    tickets_of,
    words,
)
from tests.e2e.desk import Desk, free_port
from tests.e2e.faults import AFTER, BEFORE, FAULTS, FaultyProxy, LooseDesk

pytestmark = pytest.mark.xdist_group("heavy")

#: Conversations at a time: as many as a front desk has places for, so that no answer waits for another one's.
AT_ONCE = 8
#: What must not be said where it may have been done.
DENIED = re.compile(r"没有办成|没有登记|nothing (?:has been|was)|not (?:been )?(?:filed|done)", re.IGNORECASE)
#: Seconds within which an answer comes, whatever is broken.
BOUND = 4.0
LANGUAGES = {
    "zh": ("{}整栋楼停电了", "我姓王，139{:08}"),
    "en": ("no power in the whole of {}", "John Smith, 139{:08}"),
}
#: Each address once, in both languages.
_PLACES = iter(zip(addresses("zh"), addresses("en"), strict=True))


def opening(language: str) -> str:
    """A report of an outage at an address nobody has used yet."""
    zh, en = next(_PLACES)
    return LANGUAGES[language][0].format(zh if language == "zh" else en)


def contact(language: str, number: int) -> str:
    return LANGUAGES[language][1].format(number)


@pytest.fixture(scope="module")
def proxy_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def loose(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory, proxy_port: int) -> Iterator[LooseDesk]:
    """A desk whose actions call the API through the proxy's port."""
    home = tmp_path_factory.mktemp("loose") / "home"
    shutil.copytree(prepared_home, home)
    running = LooseDesk(home, api_url=f"http://127.0.0.1:{proxy_port}").up()
    yield running
    running.stop()


@pytest.fixture
async def proxy(loose: LooseDesk, proxy_port: int) -> AsyncIterator[FaultyProxy]:
    running = FaultyProxy(loose.base_url)
    await running.start(proxy_port)
    yield running
    await running.close()


@pytest.fixture
async def client(loose: LooseDesk) -> AsyncIterator[httpx.AsyncClient]:
    async with crowd_client(loose) as made:
        yield made


async def timed(caller: Caller, text: str) -> tuple[float, list[Message]]:
    """Seconds until a message was answered, and the answer."""
    began = time.monotonic()
    said = await caller.say(text)
    return time.monotonic() - began, said


def offers_a_person(said: list[Message]) -> bool:
    return any(PERSON.search(choice["label"]) for line in said for choice in line["choices"])


async def check_answer(desk: Desk, client: httpx.AsyncClient, caller: Caller, said: list[Message], what: str) -> bool:
    """An answer under a fault is honest with a way on, or backed by a row of the database. Whether it confirms."""
    where = f"under {what!r}:\n{caller.transcript()}"
    assert said, f"nothing was said {where}"
    assert not said_twice(said), where
    text = words(said)
    named = numbers_in(text)
    if CLAIMS.search(text):
        assert named, where
    if named:
        rows = {ticket["number"] for ticket in await tickets_of(desk, client, caller)}
        assert set(named) <= rows, f"confirmed without a row ({rows}) {where}"
        return True
    if what != "slow":
        assert HONEST.search(text), where
        assert offers_a_person(said), where
    assert not (what in AFTER and DENIED.search(text)), f"it was done {where}"
    return False


async def at_contact_question(client: httpx.AsyncClient, language: str) -> Caller:
    caller = await Caller(client, language).begin()
    said = await caller.say(opening(language))
    assert any(word in words(said) for word in ("姓名", "name")), caller.transcript()
    return caller


async def healthy_seconds(client: httpx.AsyncClient) -> float:
    """How long a turn takes on this machine while nothing is broken and all places are taken: the slowest of them."""

    async def one(number: int) -> float:
        caller = await Caller(client, "zh").begin()
        seconds, _ = await timed(caller, opening("zh"))
        return seconds

    return max(await asyncio.gather(*map(one, range(AT_ONCE))))


async def test_more_than_200_faults_and_no_confirmation_without_its_row(
    loose: LooseDesk, proxy: FaultyProxy, client: httpx.AsyncClient
) -> None:
    overhead = await healthy_seconds(client)
    slowest = 0.0
    queue = [("zh", "en")[n % 2] for n in range(24)]
    numbers = iter(range(10_000))

    async def dialogue(language: str) -> None:
        nonlocal slowest
        caller = await Caller(client, language).begin()
        number = next(numbers)
        report, whom = opening(language), contact(language, number)

        async def under(fault: str, text: str) -> bool:
            nonlocal slowest
            proxy.break_for(caller.id, fault)
            seconds, said = await timed(caller, text)
            proxy.heal(caller.id)
            if seconds > slowest:
                slowest = seconds
            assert seconds <= BOUND + overhead, f"{seconds:.1f} s under {fault!r}"
            return await check_answer(loose, client, caller, said, fault)

        # While the place is looked up …
        for fault in ("error 500", "wrong shape", "cut short"):
            assert not await under(fault, report)
        said = await caller.say(report)
        assert any(word in words(said) for word in ("姓名", "name")), caller.transcript()
        # … and while the ticket is filed, first so that nothing is done, then so that it is done and not heard of.
        confirmed = False
        for fault in BEFORE:
            if fault != "slow":
                assert not await under(fault, whom), caller.transcript()
                assert not await tickets_of(loose, client, caller)
        confirmed = await under(AFTER[number % len(AFTER)], whom)
        assert not confirmed, caller.transcript()
        if not confirmed:
            confirmed = await under("slow", whom)
        if not confirmed:
            said = await caller.say(whom)
        tickets = await tickets_of(loose, client, caller)
        assert len(tickets) == 1, caller.transcript()
        assert tickets[0]["number"] in numbers_in("\n".join(line["text"] for line in caller.lines.values()))

    async def place() -> None:
        while queue:
            await dialogue(queue.pop())

    began = time.monotonic()
    await asyncio.gather(*(place() for _ in range(AT_ONCE)))
    injected = sum(proxy.injected.values())
    print(
        f"{injected} faults in {time.monotonic() - began:.0f} s, slowest answer {slowest:.2f} s, "
        f"a healthy turn {overhead:.2f} s: {dict(proxy.injected)}"
    )
    assert injected > 200
    assert set(proxy.injected) == set(FAULTS)


@pytest.mark.parametrize("fault", AFTER)
async def test_a_complaint_whose_answer_was_lost_is_filed_once(
    loose: LooseDesk, proxy: FaultyProxy, client: httpx.AsyncClient, fault: str
) -> None:
    caller = await Caller(client, "zh").begin()
    for text in ("我要投诉", "你们抄表员态度恶劣，上周三来我家骂人", "说完了", "要他道歉"):
        said = await caller.say(text)
    assert "姓名" in words(said), caller.transcript()
    proxy.break_for(caller.id, fault)
    assert not await check_answer(loose, client, caller, await caller.say("郭敏 18600000017"), fault)
    proxy.heal(caller.id)
    await check_answer(loose, client, caller, await caller.say("郭敏 18600000017"), fault)
    filed = await tickets_of(loose, client, caller)
    assert [ticket["kind"] for ticket in filed] == ["complaint"], caller.transcript()


async def test_nobody_listens_where_the_api_should_be(
    loose: LooseDesk, proxy: FaultyProxy, proxy_port: int, client: httpx.AsyncClient
) -> None:
    callers = [await at_contact_question(client, language) for language in LANGUAGES]
    await proxy.stop()
    for caller in callers:
        said = await caller.say(contact(caller.language, 1))
        assert not await check_answer(loose, client, caller, said, "nobody listens")
    await proxy.start(proxy_port)
    for caller in callers:
        assert numbers_in(words(await caller.say(contact(caller.language, 1)))), caller.transcript()
        assert len(await tickets_of(loose, client, caller)) == 1


async def test_while_the_action_server_is_down_every_answer_is_honest(
    loose: LooseDesk, proxy: FaultyProxy, client: httpx.AsyncClient
) -> None:
    overhead = await healthy_seconds(client)
    callers = [await at_contact_question(client, language) for language in [*LANGUAGES] * (AT_ONCE // 2)]
    loose.down("actions")
    try:
        for number, caller in enumerate(callers):
            seconds, said = await timed(caller, contact(caller.language, number))
            assert seconds <= BOUND + overhead
            assert not await check_answer(loose, client, caller, said, "no action server")
            assert failed(said), caller.transcript()
    finally:
        loose.up("actions")
    for caller in callers:
        assert numbers_in(words(await caller.choose(RETRY))), caller.transcript()
        assert len(await tickets_of(loose, client, caller)) == 1


async def test_while_rasa_is_down_messages_are_kept_and_the_delay_is_told(
    loose: LooseDesk, proxy: FaultyProxy, client: httpx.AsyncClient
) -> None:
    callers = [await at_contact_question(client, language) for language in [*LANGUAGES] * 3]
    loose.down("bot")
    try:
        for number, caller in enumerate(callers):
            await caller.post(text=contact(caller.language, number))
        for caller in callers:
            await told_of_delay(caller)
    finally:
        loose.up("bot")
    await all_of(callers, Caller.answered)
    for caller in callers:
        answer = caller.answer_to(caller.accepted[-1])
        assert [line["from"] for line in answer[:2]] == ["system", "bot"], caller.transcript()
        assert not said_twice(answer), caller.transcript()
        assert len(await tickets_of(loose, client, caller)) == 1, caller.transcript()
        assert numbers_in(words(answer)), caller.transcript()


async def told_of_delay(caller: Caller) -> None:
    """Wait for the words that the answer is late; the message still waits."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        await caller.look(wait=1)
        said = caller.answer_to(caller.accepted[-1])
        if said:
            assert said[0]["from"] == "system", caller.transcript()
            assert HONEST.search(said[0]["text"]), caller.transcript()
            assert offers_a_person(said), caller.transcript()
            assert caller.busy
            return
    raise AssertionError(f"no word of a delay: {caller.transcript()}")
