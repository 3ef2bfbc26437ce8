"""A turn that comes with a colleague's briefing: what was under way is left, what they tell is known."""

import asyncio
from typing import Any, ClassVar

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.desk import DeskDown
from bot.actions.journey import DeskAction
from bot.actions.remarks import asks_colleague
from bot.actions.turn import Turn

PLACE = {"service_point_id": "sp1", "address_zh": "和泰花园3栋", "address_en": "Building 3, Hetai Garden"}
BRIEFING = {"summary": "Crew at five.", "slots": {"ticket": "123456789012", "outage_id": "ou_1", **PLACE}}
UNDER_WAY = {
    "journey": "outage",
    "step": "scope",
    "question": {"response": "utter_power_ask_scope", "options": [], "values": {}},
    "memory": {"scope": "household", "tried": [{"guide": "g", "step": "s", "answer": "a"}]},
    "place": {"service_point_id": "sp0", "resolved": True},
    "contact": {"phone": "13812345678"},
    "later": [{"name": "complaint", "said": []}],
}


def tracker_of(briefing: Any, **slots: Any) -> Tracker:
    metadata = {"conversation_id": "cv_1", "message_id": "ms_1", "fence": 1, "language": "en", "briefing": briefing}
    message = {"text": "hello", "intent": {"name": "greet", "confidence": 1.0}, "metadata": metadata}
    return Tracker("cv_1.1", {**UNDER_WAY, **slots}, message, [], False, None, {}, "action_listen")


def turn_of(briefing: Any, **slots: Any) -> Turn:
    return Turn.of(CollectingDispatcher(), tracker_of(briefing, **slots))


def test_what_was_under_way_is_left_and_what_is_told_known() -> None:
    turn = turn_of(BRIEFING)
    assert (turn.journey, turn.step, turn.slots["question"], turn.memory, turn.later) == (None, None, None, {}, [])
    assert (turn.slots["ticket"], turn.slots["outage"], turn.briefing) == ("123456789012", "ou_1", "Crew at five.")
    assert turn.place == {**PLACE, "resolved": True, "words": ""}
    assert turn.contact == {"phone": "13812345678"}
    assert turn.slots["past"] == [{"journey": "outage", **UNDER_WAY["memory"]}]  # type: ignore[dict-item]


def test_what_is_not_told_stays_known() -> None:
    turn = turn_of({"summary": "Nothing to do."}, ticket="999999999999")
    assert (turn.slots["ticket"], turn.place) == ("999999999999", UNDER_WAY["place"])


@pytest.mark.parametrize("briefing", [None, {}, "x"])
def test_without_a_briefing_all_stays(briefing: Any) -> None:
    turn = turn_of(briefing)
    assert (turn.journey, turn.step, turn.briefing) == ("outage", "scope", "")
    assert turn.slot_events() == []


class Broken(DeskAction):
    """Loses the API in the middle of the turn."""

    action: ClassVar[str] = "action_broken"

    async def act(self, turn: Turn) -> None:
        turn.say("utter_greet")
        raise DeskDown


def test_a_briefing_outlives_an_api_that_does_not_answer() -> None:
    dispatcher = CollectingDispatcher()
    events = asyncio.run(Broken().run(dispatcher, tracker_of(BRIEFING), {}))  # type: ignore[typeddict-item]
    assert [message["response"] for message in dispatcher.messages] == ["utter_desk_down"]
    told = {event["name"]: event["value"] for event in events}
    assert (told["ticket"], told["briefing"]) == ("123456789012", {"summary": "Crew at five."})
    assert asyncio.run(Broken().run(CollectingDispatcher(), tracker_of(None), {})) == []  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("刚才同事怎么说的", True),
        ("他们说了什么？", True),
        ("客服答应了什么", True),
        ("What did your colleague say?", True),
        ("what was it the lady promised me", True),
        ("我同事说停电了", False),
        ("你说什么", False),
        ("What did you say?", False),
        ("the agent said it would be back", False),
    ],
)
def test_who_asks_what_the_colleague_said(words: str, asked: bool) -> None:
    assert asks_colleague(words) is asked
