"""Bulletins on the telephone: for everybody before the first question, of an area once the caller's place is known."""

import httpx
import pytest
from sqlalchemy import select

from api.bulletins.tables import BulletinTold
from api.channels.voice.tables import Call
from api.conversations.tables import Message
from api.db.engine import Database
from tests.integration.bulletin_board import Board, at, lay_network
from tests.integration.caller import Caller
from tests.integration.calls.talk import bot
from tests.integration.conftest import Clock
from tests.integration.stand_in import Rasa


@pytest.fixture
async def board(client: httpx.AsyncClient, database: Database, clock: Clock, service: dict[str, str]) -> Board:
    await lay_network(database)
    return Board(client, database, clock, service)


async def told(database: Database, caller: Caller) -> list[str]:
    """The lines of `system` in the call's transcript; as many bulletins are noted as told."""
    async with database.read() as session:
        own = await session.scalar(select(Call.conversation_id).where(Call.sid == caller.sid))
        lines = select(Message.text).where(Message.conversation_id == own, Message.sender == "system")
        noted = select(BulletinTold).where(BulletinTold.conversation_id == own)
        found = list(await session.scalars(lines))
        assert len((await session.scalars(noted)).all()) == "\n".join(found).count("请注意")
        return found


async def test_a_call_begins_with_what_is_for_everybody(board: Board, zh: Caller, database: Database) -> None:
    assert "请注意" not in zh.said
    for number, word in enumerate(("一", "二", "三"), 1):
        await board.publish(word, text_zh=f"{number}月5号14:00起有大风{word}。")
        board.clock.advance(seconds=1)
    caller = await (await Caller(board.client).dial()).press("1")
    assert caller.said.index("请注意") < caller.said.index("有什么可以帮您")
    assert "大风三" in caller.said
    assert "大风二" in caller.said
    assert "大风一" not in caller.said
    assert not any(sign.isdigit() for sign in caller.said.split("转人工")[0])
    assert len(await told(database, caller)) == 1


async def test_the_rest_and_the_area_come_before_the_bot_s_answer(
    board: Board, zh: Caller, rasa: Rasa, database: Database
) -> None:
    await board.publish("大风")
    await board.publish("抢修", asset_id="line_a")
    rasa.always("我家停电了", bot("请问您在哪里？", expects="place"))
    rasa.always("和泰花园", {**bot("还没有停电记录。周围都停了吗？"), "sheet": at("sp_he_1")})
    rasa.always("是的", bot("好的，请稍等。"))
    await zh.say("我家停电了")
    assert zh.said.index("请注意：大风来了") < zh.said.index("请问您在哪里")
    await zh.say("和泰花园")
    assert zh.said.index("请注意：抢修来了") < zh.said.index("还没有停电记录")
    assert "大风" not in zh.said
    await zh.say("是的")
    assert "请注意" not in zh.said
    assert await told(database, zh) == ["请注意：大风来了。", "请注意：抢修来了。"]


async def test_a_caller_elsewhere_hears_nothing_of_it(board: Board, zh: Caller, rasa: Rasa) -> None:
    await board.publish("抢修", asset_id="line_a")
    rasa.always("万达", {**bot("请讲。"), "sheet": at("sp_wan_1")})
    await zh.say("万达")
    assert "请讲" in zh.said
    assert "请注意" not in zh.said
