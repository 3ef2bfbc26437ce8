"""Calls through the webhooks, on both databases, with a stand-in for Rasa."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import func, select, text

from api.agents.tables import Agent, AgentSession
from api.channels.voice import prompts, steps, turns
from api.channels.voice.speech import digits
from api.channels.voice.tables import Call, Step
from api.channels.voice.tables import Caller as Preference
from api.conversations.engine import Engine
from api.conversations.tables import Conversation, Message
from api.danger import scan
from api.db.engine import Database
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint
from api.outages.tables import Outage
from api.settings import Settings
from api.tickets.tables import Ticket
from tests.integration.caller import Caller, Heard, signed, with_voice
from tests.integration.conftest import Clock
from tests.integration.test_turn_engine import Rasa, Server

ZH, EN = "cmn-CN", "en-US"


@pytest.fixture
def rasa() -> Rasa:
    return Rasa()


@pytest.fixture
async def server(rasa: Rasa) -> AsyncIterator[Server]:
    server = Server(rasa)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def settings(settings: Settings, server: Server) -> Settings:
    return with_voice(settings, port=server.port - 10_000, turn_seconds=4.0)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> float:
    """A busy machine makes no apologies, except where a test is about them; the deadline that is set."""
    scan("")  # loads its words, as the start of a desk does
    deadline = steps.DEADLINE
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    return deadline


@pytest.fixture
async def engine(settings: Settings, database: Database, clock: Clock) -> AsyncIterator[Engine]:
    engine = Engine(settings, database, clock)
    engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
def caller(client: httpx.AsyncClient) -> Caller:
    return Caller(client)


def bot(*lines: str, expects: str = "", choices: tuple[str, ...] = ()) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"text": line, "choices": []} for line in lines]
    messages[-1]["expects"] = expects
    messages[-1]["choices"] = [{"label": label, "payload": f'/inform{{"option": "{label}"}}'} for label in choices]
    return {"messages": messages, "silent": False, "failed": False}


async def customer_lines(database: Database, caller: Caller) -> list[str]:
    async with database.read() as session:
        query = (
            select(Message.text)
            .join(Call, Call.conversation_id == Message.conversation_id)
            .where(Call.sid == caller.sid, Message.sender == "customer")
            .order_by(Message.seq)
        )
        return list(await session.scalars(query))


async def owner(database: Database, caller: Caller) -> str:
    async with database.read() as session:
        query = select(Conversation.owner).join(Call, Call.conversation_id == Conversation.id)
        return str(await session.scalar(query.where(Call.sid == caller.sid)))


async def on_duty(database: Database, clock: Clock) -> None:
    """An agent whose console was just seen."""
    async with database.write() as session, session.begin():
        session.add(
            Agent(
                id="ag_1",
                username="lin",
                password_hash="-",
                role="agent",
                languages=["zh"],
                skills=[],
                created_at=clock(),
            )
        )
        await session.flush()
        session.add(
            AgentSession(
                token_hash="t",
                agent_id="ag_1",
                seen_at=clock(),
                expires_at=clock().replace(year=2030),
                created_at=clock(),
            )
        )


# -- the beginning ----------------------------------------------------------------------------------------------------


async def test_greeting_says_what_it_is_and_asks_for_the_language(caller: Caller) -> None:
    await caller.dial()
    assert "自动助手" in caller.said
    assert "automatic assistant" in caller.said
    assert "不录音" in caller.said
    assert "not recorded" in caller.said
    assert caller.heard.voices == {ZH, EN}
    assert caller.said.index("中文请按") < caller.said.index("For English")
    assert caller.heard.gather["input"] == "speech dtmf"
    assert caller.heard.gather["actionOnEmptyResult"] == "true"
    assert caller.heard.gather["numDigits"] == "1"
    assert caller.heard.gather["finishOnKey"] == ""
    assert caller.action.startswith("/voice/turn?step=1")


async def test_says_that_it_is_recorded(app: Any, settings: Settings, caller: Caller) -> None:
    app.state.settings = settings.model_copy(update={"voice_recorded": True})
    await caller.dial()
    assert "会录音" in caller.said
    assert "is recorded" in caller.said


async def test_paths_carry_the_prefix_of_the_public_url(
    app: Any, settings: Settings, client: httpx.AsyncClient
) -> None:
    app.state.settings = settings.model_copy(update={"public_url": "https://example.com/desk/"})
    caller = Caller(client)
    fields = caller.fields
    headers = signed("/voice/incoming", fields, public_url="https://example.com/desk")
    response = await client.post("/voice/incoming", data=fields, headers=headers)
    assert Heard(response.text).gather["action"].startswith("/desk/voice/turn?step=1")


@pytest.mark.parametrize(("key", "voice", "words"), [("1", ZH, "有什么可以帮您"), ("2", EN, "How may I help you")])
async def test_language_by_key_is_remembered_for_the_number(
    client: httpx.AsyncClient, database: Database, key: str, voice: str, words: str
) -> None:
    first = await (await Caller(client).dial()).press(key)
    assert words in first.said
    assert first.heard.voices == {voice}
    second = await Caller(client).dial()
    order = ["For English", "中文请按"] if key == "2" else ["中文请按", "For English"]
    assert second.said.index(order[0]) < second.said.index(order[1])
    assert words in (await second.silence()).said
    async with database.read() as session:
        kept = (await session.scalars(select(Preference))).all()
    assert [k.language for k in kept] == ["zh" if key == "1" else "en"]
    assert "13800138000" not in kept[0].number_hash


async def test_a_wish_told_in_the_language_menu_is_not_lost(
    caller: Caller,
    rasa: Rasa,
    engine: Engine,
    database: Database,
) -> None:
    rasa.always("我家停电了", bot("请问您在哪里？", expects="place"))
    await (await caller.dial()).say("我家停电了")
    assert "请问您在哪里" in caller.said
    assert await customer_lines(database, caller) == ["我家停电了"]


async def test_big_outages_are_told_first(caller: Caller, database: Database, clock: Clock) -> None:
    async with database.write() as session, session.begin():
        session.add(Asset(id="l1", utility="power", kind="line", name_zh="东线", name_en="East"))
        session.add(Place(id="p1", kind="estate", name_zh="洛河湾", name_en="Luohe Bay", area_class="urban"))
        await session.flush()
        session.add(AssetAncestor(asset_id="l1", ancestor_id="l1", depth=0))
        session.add(
            ServicePoint(
                id="s1", place_id="p1", number="1", address_zh="洛河湾1栋", address_en="Luohe Bay 1",
                area_class="urban", power_asset_id="l1",
            )
        )  # fmt: skip
        for number, affected in enumerate((900, 800, 700, 1)):
            session.add(
                Outage(
                    id=f"o{number}", number=f"n{number}", utility="power", kind="fault", status="repairing",
                    asset_id="l1",
                    starts_at=clock(), expected_end_at=clock().replace(hour=8), ended_at=None, affected_count=affected,
                    created_at=clock(), updated_at=clock(),
                )
            )  # fmt: skip
    clock.advance(minutes=1)
    await (await caller.dial()).press("1")
    assert caller.said.count("洛河湾一带现在停电") == 2
    assert caller.said.index("停电") < caller.said.index("有什么可以帮您")
    assert "抢修" in caller.said
    assert "恢复" in caller.said


# -- who may call -----------------------------------------------------------------------------------------------------


ROUTES = ["/voice/incoming", "/voice/turn", "/voice/turn?step=1"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_signed_forms_of_our_account(client: httpx.AsyncClient, caller: Caller, route: str) -> None:
    fields = caller.fields
    good = signed(route, fields)
    altered = {**fields, "From": "+8613800138001"}
    foreign = {**fields, "AccountSid": "AC2"}
    refused = [
        await client.post(route, data=fields),
        await client.post(route, data=fields, headers={"X-Twilio-Signature": "x"}),
        await client.post(route, data=altered, headers=good),
        await client.post(f"{route}{'&' if '?' in route else '?'}a=1", data=fields, headers=good),
        await client.post(route, data=foreign, headers=signed(route, foreign)),
        await client.post(route, data=fields, headers=signed(route, fields, public_url="http://desk")),
        await client.post(route, content=b"", headers=good),
    ]
    assert {response.status_code for response in refused} == {403}
    assert {response.headers["Content-Type"] for response in refused} == {"application/problem+json"}
    form = {**good, "Content-Type": "application/json"}
    assert (await client.post(route, content=b"{}", headers=form)).status_code == 415
    large = {**fields, "SpeechResult": "x" * 70_000}
    assert (await client.post(route, data=large, headers=signed(route, large))).status_code == 413
    nameless = {**fields, "CallSid": ""}
    assert (await client.post(route, data=nameless, headers=signed(route, nameless))).status_code == 422
    assert (await client.post(route, data=fields, headers=good)).status_code == 200


# -- turns ------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def zh(caller: Caller, engine: Engine) -> Caller:
    """A caller who has chosen Chinese."""
    return await (await caller.dial()).press("1")


async def test_choices_become_keys(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("停电", bot("只有您一家停电吗？", choices=("只有我家", "整栋楼", "不清楚", "都停了")))
    rasa.always('/inform{"option": "整栋楼"}', bot("好的，整栋楼。"))
    await zh.say("停电")
    assert "只有我家，请按一" in zh.said
    assert "不清楚，请按三" in zh.said
    assert "都停了" not in zh.said
    assert "也可以直接说" in zh.said
    assert "只有我家" in zh.heard.gather["hints"]
    await zh.press("2")
    assert "好的，整栋楼" in zh.said
    assert await customer_lines(database, zh) == ["停电", "整栋楼"]


@pytest.mark.parametrize("said", ["整栋楼。", "第二个"])
async def test_choices_are_taken_by_their_words(zh: Caller, rasa: Rasa, said: str) -> None:
    rasa.always("停电", bot("只有您一家停电吗？", choices=("只有我家", "整栋楼")))
    rasa.always('/inform{"option": "整栋楼"}', bot("好的，整栋楼。"))
    await (await zh.say("停电")).say(said)
    assert "好的，整栋楼" in zh.said


async def test_yes_and_no_by_key(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("停电", bot("是这里吗？", expects="yes_no"))
    await zh.say("停电")
    assert "是请按一" in zh.said
    await zh.press("2")
    assert await customer_lines(database, zh) == ["停电", "不是"]


async def test_zero_is_a_person_and_star_repeats(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("停电", bot("请问地址是？", expects="place"))
    rasa.always("转人工", bot("好的。"))
    await zh.say("停电")
    first = zh.heard
    await zh.press("*")
    assert zh.heard.text == first.text
    assert zh.heard.gather["action"] != first.gather["action"]
    await zh.press("0")
    assert await customer_lines(database, zh) == ["停电", "转人工"]


async def test_numbers_are_keyed_and_read_back(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("查电费", bot("请告诉我户号。", expects="account"))
    rasa.always("4560", bot("余额是十元。"))
    await zh.say("查电费")
    gather = zh.heard.gather
    assert gather["finishOnKey"] == "#"
    assert "numDigits" not in gather
    assert gather["input"] == "speech dtmf"
    await zh.press("123*4560")
    assert await customer_lines(database, zh) == ["查电费", "4560"]
    assert zh.said.index("您输入的是") < zh.said.index("余额")
    assert "号码不对" in zh.said
    assert "4560" not in zh.said  # spelled


async def test_star_alone_begins_a_number_again(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("查电费", bot("请告诉我户号。", expects="account"))
    await (await zh.say("查电费")).press("12*")
    assert "户号" in zh.said
    assert await customer_lines(database, zh) == ["查电费"]


async def test_slower_on_request(zh: Caller, rasa: Rasa) -> None:
    rasa.always("停电", bot("请问地址是？", expects="place"))
    await (await zh.say("停电")).say("说慢一点")
    assert "请问地址是" in zh.said
    assert 'rate="slow"' in zh.heard.xml
    await zh.press("*")
    assert 'rate="slow"' in zh.heard.xml


async def test_the_voice_follows_the_language(zh: Caller, rasa: Rasa) -> None:
    rasa.always("please speak English with me", bot("All right, English it is."))
    await zh.say("please speak English with me")
    assert zh.heard.voices == {EN}
    assert zh.heard.gather["language"] == EN


async def test_hints_hold_the_names_of_places(
    zh: Caller,
    rasa: Rasa,
    settings: Settings,
) -> None:
    settings.names_file.write_text('{"place": ["洛河湾", "Luohe Bay"], "line": []}', encoding="utf-8")
    rasa.always("停电", bot("请问地址是？", expects="place"))
    await zh.say("停电")
    hints = zh.heard.gather["hints"].split(",")
    assert "洛河湾" in hints
    assert "Luohe Bay" not in hints


async def test_goodbye_ends_the_call(zh: Caller, rasa: Rasa) -> None:
    rasa.always("再见", bot("感谢您的联系，再见。"))
    await zh.say("再见")
    assert "再见" in zh.said
    await zh.silence()
    assert zh.heard.verbs == ["Hangup"]


async def test_a_step_without_a_number_is_the_present_one(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    await zh.go("/voice/turn", SpeechResult="停电", Confidence="0.9")
    await zh.go("/voice/turn", SpeechResult="没有水", Confidence="0.9")
    assert await customer_lines(database, zh) == ["停电", "没有水"]


async def test_a_step_ahead_is_taken_as_the_present_one(zh: Caller, database: Database) -> None:
    await zh.go("/voice/turn?step=9", SpeechResult="停电", Confidence="0.9")
    assert await customer_lines(database, zh) == ["停电"]
    assert zh.action.startswith("/voice/turn?step=10")


# -- silence, mumbling ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["silence", "mumble", "empty", "fallback"])
async def test_two_tries_then_keys_then_a_person(
    zh: Caller,
    rasa: Rasa,
    database: Database,
    what: str,
) -> None:
    rasa.always("哦哦哦", bot("对不起，我没有听明白。"))

    async def fail() -> None:
        if what == "silence":
            await zh.silence()
        elif what == "mumble":
            await zh.say("嗯哼", confidence="0.1")
        elif what == "empty":
            await zh.say("", confidence="0.0")
        else:
            await zh.say("哦哦哦")

    await fail()
    assert zh.heard.gather["input"] == "speech dtmf"
    await fail()
    assert zh.heard.gather["input"] == "dtmf"
    assert "停电请按一" in zh.said
    if what != "fallback":  # whose answers are not listened to any more
        await fail()
        assert zh.heard.gather["input"] == "dtmf"
        await fail()
        assert await owner(database, zh) == "waiting"
        assert "人工" in zh.said


async def test_the_menu_of_keys_leads_on_and_understanding_resets(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    rasa.always("停水了", bot("请问地址是？", expects="place"))
    await zh.silence()
    await zh.silence()
    await zh.press("2")
    assert await customer_lines(database, zh) == ["停水了"]
    assert zh.heard.gather["input"] == "speech dtmf"
    async with database.read() as session:
        call = await session.get_one(Call, zh.sid)
    assert (call.silences, call.misheard, call.keys_only) == (0, 0, False)


async def test_what_is_said_again_is_the_question(zh: Caller, rasa: Rasa) -> None:
    rasa.always("哦哦哦", bot("对不起，我没有听明白。", "好的，和泰花园。", "请问是几栋？"))
    await zh.say("哦哦哦")
    await zh.press("*")
    assert "没有听明白" not in zh.said
    assert "和泰花园" in zh.said
    await zh.silence()
    assert "和泰花园" not in zh.said
    assert "请问是几栋" in zh.said


async def test_silence_and_mumbling_are_counted_apart(zh: Caller) -> None:
    await zh.silence()
    await zh.say("嗯哼", confidence="0.1")
    assert zh.heard.gather["input"] == "speech dtmf"
    await zh.say("嗯哼", confidence="0.1")
    assert zh.heard.gather["input"] == "dtmf"


# -- danger -----------------------------------------------------------------------------------------------------------


async def test_danger_is_answered_first_and_filed(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    rasa.always("电线掉下来了在冒火花", bot("请问在哪里？", expects="place"))
    await zh.say("电线掉下来了在冒火花", confidence="0.1", follow=False)
    assert zh.heard.verbs[0] == "Say"
    assert "Record" not in zh.heard.xml
    async with database.read() as session:
        number = await session.scalar(select(Ticket.number))
    assert number is not None
    assert zh.heard.redirect
    await zh.go(zh.heard.redirect)
    assert digits(number, "zh") in zh.said
    assert "请问在哪里" in zh.said


async def test_the_ticket_of_a_danger_is_named_once(zh: Caller, rasa: Rasa, database: Database) -> None:
    async def name_it(_body: dict[str, Any]) -> dict[str, Any]:
        async with database.read() as session:
            return bot(f"工单号{await session.scalar(select(Ticket.number))}。请问在哪里？", expects="place")

    rasa.script["电线掉下来了在冒火花"] = name_it
    await zh.say("电线掉下来了在冒火花")
    assert zh.said.count("工单号") == 1


async def test_a_crowd_of_calls_and_a_bot_that_hangs(
    client: httpx.AsyncClient, rasa: Rasa, engine: Engine, unhurried: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each webhook within 3 s, with everything as it is set."""

    async def hang(_body: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(10)
        return bot("好的。")

    rasa.script["停电"] = hang
    monkeypatch.setattr(steps, "DEADLINE", unhurried)
    callers = [Caller(client, f"+86138001380{n}") for n in range(10, 20)]
    await asyncio.gather(*(caller.dial() for caller in callers))
    await asyncio.gather(*(caller.press("1") for caller in callers))
    took: list[float] = []

    async def ask(caller: Caller) -> None:
        target, answer = caller.action, {"SpeechResult": "停电", "Confidence": "0.9"}
        for _ in range(2):
            began = time.monotonic()
            heard = await caller.post(target, **answer)
            took.append(time.monotonic() - began)
            target, answer = heard.redirect or heard.gather["action"], {}

    await asyncio.gather(*(ask(caller) for caller in callers))
    assert max(took) < 3


async def test_danger_goes_to_a_person_on_duty(zh: Caller, database: Database, clock: Clock) -> None:
    await on_duty(database, clock)
    await zh.say("电线掉下来了在冒火花", follow=False)
    assert zh.heard.verbs[0] == "Say"
    assert await owner(database, zh) == "waiting"
    assert "Enqueue" in zh.heard.xml


# -- once, in time ----------------------------------------------------------------------------------------------------


async def test_a_replayed_step_does_nothing_and_gives_the_same(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    action = zh.action
    heard = [(await zh.post(action, SpeechResult="停电", Confidence="0.9")).xml for _ in range(3)]
    heard += [
        one.xml
        for one in await asyncio.gather(*(zh.post(action, SpeechResult="停电", Confidence="0.9") for _ in range(5)))
    ]
    assert len(set(heard)) == 1
    assert await customer_lines(database, zh) == ["停电"]
    assert len(rasa.asked) == 1
    first = {(await zh.post("/voice/incoming")).xml for _ in range(3)}
    assert len(first) == 1
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Conversation)) == 1


async def test_copies_at_once_make_one_turn(
    zh: Caller,
    rasa: Rasa,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if they came to different processes: none knows of the others' work."""
    monkeypatch.setattr(steps, "_running", Forgetful())
    action = zh.action
    heard = await asyncio.gather(*(zh.post(action, SpeechResult="停电", Confidence="0.9") for _ in range(4)))
    assert len({one.xml for one in heard}) == 1
    assert await customer_lines(database, zh) == ["停电"]
    assert len(rasa.asked) == 1


class Forgetful(dict[Any, Any]):
    def get(self, key: Any, default: Any = None) -> Any:
        return default


async def test_two_calls_from_one_number_do_not_mix(
    client: httpx.AsyncClient,
    rasa: Rasa,
    engine: Engine,
    database: Database,
) -> None:
    one, two = Caller(client), Caller(client)
    await asyncio.gather(one.dial(), two.dial())
    await asyncio.gather(one.press("1"), two.press("2"))
    await asyncio.gather(one.say("停电"), two.say("my power is off"))
    assert "echo停电" in one.said
    assert "echo my power is off" in two.said
    assert await customer_lines(database, one) == ["停电"]
    assert await customer_lines(database, two) == ["my power is off"]


async def test_a_slow_bot_is_held_for(
    zh: Caller,
    rasa: Rasa,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "BOT_SECONDS", 0.2)
    answer = asyncio.Event()

    async def late(_body: dict[str, Any]) -> dict[str, Any]:
        await answer.wait()
        return bot("请问地址是？", expects="place")

    rasa.script["停电"] = late
    action = zh.action
    await zh.go(action, follow=False, SpeechResult="停电", Confidence="0.9")
    assert "请稍等" in zh.said
    held = zh.heard
    assert held.redirect.startswith("/voice/turn?step=2")
    assert "wait=1" in held.redirect
    again = await zh.post(held.redirect)
    assert "wait=2" in again.redirect
    answer.set()
    await zh.go(again.redirect)
    assert "请问地址是" in zh.said
    assert (await zh.post(action, SpeechResult="停电", Confidence="0.9")).xml == held.xml
    assert (await zh.post(held.redirect)).xml == again.xml


async def test_a_person_is_offered_while_the_bot_is_away(
    zh: Caller,
    server: Server,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "BOT_SECONDS", 0.05)
    await server.stop()
    await zh.say("停电")
    assert zh.heard.gather["input"] == "dtmf"
    assert "转人工请按零" in zh.said
    await zh.press("0")
    assert await owner(database, zh) == "waiting"


async def stall(database: Database, url: str, sid: str) -> Any:
    """Hold what a call's writes need; the answer lets go."""
    if database.is_sqlite:
        writer = sqlite3.connect(url.partition("///")[2], isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")

        async def let_go() -> None:
            writer.rollback()
            writer.close()

        return let_go
    holder = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute(
        "SELECT 1 FROM conversations WHERE id = (SELECT conversation_id FROM voice_calls WHERE sid = $1) FOR UPDATE",
        sid,
    )

    async def release() -> None:
        await transaction.rollback()
        await holder.close()

    return release


async def test_a_stalled_database_gets_an_apology_and_nothing_is_lost(
    zh: Caller,
    rasa: Rasa,
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steps, "DEADLINE", 0.4)
    rasa.always("停电", bot("请问地址是？", expects="place"))
    action = zh.action
    let_go = await stall(database, database_url, zh.sid)
    began = time.monotonic()
    await zh.go(action, follow=False, SpeechResult="停电", Confidence="0.9")
    assert time.monotonic() - began < 1.5
    assert "请您不要挂机" in zh.said
    assert zh.heard.voices == {ZH}
    assert "sorry=1" in zh.heard.redirect
    await zh.go(zh.heard.redirect, follow=False)
    assert "sorry=2" in zh.heard.redirect
    await let_go()
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    await zh.go(zh.heard.redirect)
    assert "请问地址是" in zh.said
    assert await customer_lines(database, zh) == ["停电"]
    assert len(rasa.asked) == 1


async def test_danger_is_answered_without_a_database(
    zh: Caller, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "DEADLINE", 0.4)
    action = zh.action
    let_go = await stall(database, database_url, zh.sid)
    await zh.go(action, follow=False, SpeechResult="着火了，电线在冒烟", Confidence="0.9")
    assert zh.said.strip().startswith("请马上离开")
    assert "在安全的地方的话" in zh.said
    assert zh.heard.redirect
    await let_go()
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    await zh.go(zh.heard.redirect)
    async with database.read() as session:
        assert (await session.scalars(select(Ticket))).one().priority == 1


async def test_what_never_reached_the_database_is_asked_for_again(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    """The process that had the words is gone: another one gets the redirect of the apology."""
    step = zh.action
    await zh.go(f"{step}&sorry=1")
    assert "再说一遍" in zh.said
    assert "有什么可以帮您" in zh.said
    assert zh.action == step
    await zh.say("停电")
    assert "echo停电" in zh.said
    assert await customer_lines(database, zh) == ["停电"]


async def test_a_stalled_database_at_the_first_ring(
    client: httpx.AsyncClient, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "DEADLINE", 0.3)
    caller = Caller(client)
    async with database.write() as session, session.begin():
        lock = "UPDATE voice_calls SET slow = slow" if database.is_sqlite else "LOCK TABLE voice_calls"
        await session.execute(text(lock))
        await caller.dial(follow=False)
        assert "不要挂机" in caller.said
        assert "stay on the line" in caller.said
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    await caller.go(caller.heard.redirect)
    assert "自动助手" in caller.said
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Call)) == 1


async def test_what_is_broken_ends_with_an_apology(zh: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("no words")

    monkeypatch.setattr(prompts, "ask", broken)
    await zh.silence()
    assert "请您不要挂机" in zh.said
    assert zh.heard.verbs[-1] == "Hangup"


async def test_steps_are_kept_by_call(zh: Caller, database: Database) -> None:
    async with database.read() as session:
        kept = (await session.scalars(select(Step.step).where(Step.call_sid == zh.sid))).all()
    assert sorted(kept) == ["incoming", "turn:1"]
