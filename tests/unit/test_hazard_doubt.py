"""Whether danger is real: a plain no by voice is asked about once more; what is written or keyed is taken."""

import asyncio
from typing import Any

import pytest
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.desk import Desk
from bot.actions.hazard import Hazard
from bot.actions.turn import Turn

MORE, GONE = "utter_hazard_ask_once_more", "utter_hazard_only_asked"


def answered(channel: str, *answers: tuple[str, str, str | None]) -> list[list[str]]:
    """What is said to each (words, intent, option), beginning at "is it real?" with nothing filed."""
    slots: dict[str, Any] = {"journey": "hazard", "step": "is_real", "memory": {}, "place": {}, "contact": {}}
    slots |= {"question": None, "ticket": None, "outage": None, "later": [], "misses": 0}
    heard = []
    for words, intent, option in answers:
        turn = Turn(
            dispatcher=CollectingDispatcher(),
            desk=Desk("cv_1", "m_1", None),
            language="zh",
            text=words,
            intent=intent,
            confidence=1,
            entities=[{"entity": "option", "value": option}] if option else [],
            ranking=[],
            metadata={"channel": channel},
            slots=slots,
        )
        asyncio.run(Hazard().answer(turn))
        heard.append(turn.said)
    return heard


def test_a_plain_no_by_voice_is_asked_about_once_more() -> None:
    assert answered("voice", ("没有", "deny", None), ("没有", "deny", None)) == [[MORE], [GONE]]


@pytest.mark.parametrize("channel", ["web", "wechat"])
def test_a_written_no_is_taken(channel: str) -> None:
    assert answered(channel, ("没有", "deny", None)) == [[GONE]]


@pytest.mark.parametrize("answer", [("我只是问问", "deny", None), ("/inform", "inform", "only_asked")])
def test_more_than_a_plain_no_is_taken(answer: tuple[str, str, str | None]) -> None:
    assert answered("voice", answer) == [[GONE]]
