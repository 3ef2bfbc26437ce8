"""How a call begins, and whose calls are taken."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.channels.voice.tables import Caller as Preference
from api.conversations.engine import Engine
from api.db.engine import Database
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint
from api.outages.tables import Outage
from api.settings import Settings
from tests.integration.caller import Caller, Heard, signed
from tests.integration.calls.talk import EN, ZH, bot, customer_lines
from tests.integration.conftest import Clock
from tests.integration.stand_in import Rasa


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
