"""What the bot tells the desk beside its answer, and what an agent tells the bot: kept, told once, never in the way."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.conversations import insight, queue
from api.conversations.engine import Engine
from api.conversations.rasa import Said
from api.conversations.tables import Conversation, Understanding
from api.conversations.transcript import lock_conversation
from api.db.engine import Database
from tests.integration.conftest import Clock
from tests.integration.stand_in import Rasa, Server, said
from tests.integration.test_turn_engine import chat, idle
from tests.integration.test_web_channel import Chat

__all__ = ["chat"]

GUESSES = [{"name": "no_water", "confidence": 0.4}, {"name": "ask_bill", "confidence": 0.3}]
UNDERSTOOD = {"intent": "nlu_fallback", "confidence": 0.4, "ranking": GUESSES, "missed": True, "answer": False}
SHEET = {"journey": "water", "place": {"service_point_id": "sp_1"}, "tried": [{"step": "valve", "answer": "open"}]}
BRIEFING = {"summary": "The crew comes at five.", "slots": {"ticket": "123456789012"}}


async def conversation_of(database: Database, chat: Chat) -> Conversation:
    async with database.read() as session:
        return await session.get_one(Conversation, chat.id)


async def understandings(database: Database, chat: Chat) -> list[Understanding]:
    async with database.read() as session:
        query = select(Understanding).where(Understanding.conversation_id == chat.id).order_by(Understanding.at)
        return list(await session.scalars(query))


async def brief(database: Database, chat: Chat, briefing: dict[str, Any]) -> None:
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, chat.id)
        assert conversation is not None
        conversation.briefing = briefing


async def test_the_answer_s_understanding_and_sheet_are_kept(
    engine: Engine, rasa: Rasa, chat: Chat, database: Database, client: httpx.AsyncClient, service: dict[str, str]
) -> None:
    rasa.always("no water maybe", said("What is it?", understood=UNDERSTOOD, sheet=SHEET))
    await chat.send("1", "no water maybe")
    await idle(chat, 2)
    (kept,) = await understandings(database, chat)
    assert (kept.intent, kept.confidence, kept.ranking, kept.missed) == ("nlu_fallback", 0.4, GUESSES, True)
    assert (kept.language, kept.person_next, kept.reviewed_at) == ("en", False, None)
    assert (await conversation_of(database, chat)).sheet == SHEET

    lines = (await client.get(f"/api/v1/conversations/{chat.id}/transcript", headers=service)).json()["items"]
    shown = [line["understood"] for line in lines if line["from"] == "customer"]
    assert shown == [{"intent": "nlu_fallback", "confidence": 0.4, "missed": True}]
    assert [line["understood"] for line in lines if line["from"] != "customer"] == [None] * (len(lines) - 1)
    assert all("understood" not in message for message in (await chat.news())["messages"])


GARBAGE: dict[str, dict[str, Any]] = {
    "absent": {},
    "null": {"understood": None, "sheet": None},
    "other types": {"understood": "no_water", "sheet": ["x"]},
    "no confidence": {"understood": {"intent": "no_water"}, "sheet": 1},
    "out of bounds": {"understood": {"intent": "no_water", "confidence": 7}, "sheet": "x"},
    "long": {"understood": {"intent": "x" * 41, "confidence": 1}, "sheet": {"x": "y" * insight.LONGEST_SHEET}},
    "nul": {"understood": {"intent": "", "confidence": 1}, "sheet": {"x": "\u0000"}},
    "many guesses": {"understood": UNDERSTOOD | {"ranking": GUESSES * 30}, "sheet": [[]]},
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage_beside_an_answer_never_fails_it(
    engine: Engine, rasa: Rasa, chat: Chat, database: Database, kind: str
) -> None:
    rasa.always("first", said("fine", sheet=SHEET))
    rasa.always("hello", said("answered", **GARBAGE[kind]))
    await chat.send("1", "first")
    await idle(chat, 2)
    await chat.send("2", "hello")
    assert (await idle(chat, 4))[-1]["text"] == "answered"
    assert await understandings(database, chat) == []
    assert (await conversation_of(database, chat)).sheet == SHEET, "as it was"


async def test_choices_and_commands_are_not_understood_but_done(
    engine: Engine, rasa: Rasa, chat: Chat, database: Database
) -> None:
    offer = {"text": "Which?", "choices": [{"label": "Yes", "payload": "/affirm"}]}
    rasa.always("hello", {"messages": [offer], "silent": False, "failed": False, "sheet": SHEET})
    rasa.always("/affirm", said("good", understood=UNDERSTOOD))
    rasa.always("…", said("pardon?", understood=UNDERSTOOD))
    await chat.send("1", "hello")
    (which,) = await idle(chat, 2)
    await chat.send("2", choice=which["choices"][0]["token"])
    await idle(chat, 4)
    await chat.send("3", "/restart")
    await idle(chat, 6)
    assert [body["message"] for body in rasa.asked] == ["hello", "/affirm", "…"]
    assert await understandings(database, chat) == []


async def test_words_tried_again_are_the_first_message_s(
    engine: Engine, rasa: Rasa, chat: Chat, database: Database
) -> None:
    rasa.always("no water", said(failed=True))
    await chat.send("1", "no water")
    (told,) = await idle(chat, 2)
    rasa.always("no water", said("done", understood=UNDERSTOOD))
    for number in (2, 3):  # twice: an understanding that is there already is no fault
        await chat.send(str(number), choice=told["choices"][0]["token"])
        assert (await idle(chat, 2 * number))[-1]["text"] == "done"
    (kept,) = await understandings(database, chat)
    assert kept.message_id == rasa.asked[0]["message_id"]


async def test_the_wish_for_a_person_is_noted_of_the_words_before(
    database: Database, clock: Clock, client: httpx.AsyncClient, chat: Chat
) -> None:
    understood = insight.Understood(intent="no_water", confidence=0.9)
    for number, text in enumerate(("water?", "again", "a person please"), 1):
        await chat.send(str(number), text)
        (claim,) = await queue.claim(database, "one", clock(), 6)
        if number == 3:
            headers = {
                "Authorization": "Bearer bot-token",
                "X-Conversation-Id": chat.id,
                "X-Message-Id": claim.message_id,
                "X-Turn-Fence": str(claim.fence),
            }
            body = {"reason": "wish", "skill": "water"}
            handed = await client.post(f"/api/v1/conversations/{chat.id}/handover", json=body, headers=headers)
            assert handed.status_code == 200, handed.text
        assert await queue.finish(database, claim, (Said("yes", ()),), clock.advance(seconds=1), understood=understood)
    assert [one.person_next for one in await understandings(database, chat)] == [False, True, False]
    assert (await conversation_of(database, chat)).skill == "water"


async def test_a_briefing_is_told_until_a_turn_was_answered(
    engine: Engine, rasa: Rasa, chat: Chat, database: Database
) -> None:
    await brief(database, chat, BRIEFING)
    rasa.always("hello", said(failed=True))
    await chat.send("1", "hello")
    (told,) = await idle(chat, 2)
    assert (await conversation_of(database, chat)).briefing == BRIEFING
    rasa.always("hello", said("good", sheet=SHEET))
    await chat.send("2", choice=told["choices"][0]["token"])
    await idle(chat, 4)
    await chat.send("3", "more")
    await idle(chat, 6)
    assert [body["metadata"].get("briefing") for body in rasa.asked] == [BRIEFING, BRIEFING, None]
    conversation = await conversation_of(database, chat)
    assert (conversation.briefing, conversation.sheet) == ({}, SHEET)


async def test_a_briefing_is_not_lost_with_a_turn_that_was(
    database: Database, clock: Clock, chat: Chat, server: Server
) -> None:
    await brief(database, chat, BRIEFING)
    await chat.send("1", "hello")
    (first,) = await queue.claim(database, "one", clock(), 6)
    assert await queue.put_back(database, first, clock(), lost=True)
    (second,) = await queue.claim(database, "two", clock.advance(seconds=10), 6)
    assert second.request["metadata"]["briefing"] == first.request["metadata"]["briefing"] == BRIEFING
    assert await queue.finish(database, second, (), clock()), "also a silent turn has heard it"
    assert (await conversation_of(database, chat)).briefing == {}
