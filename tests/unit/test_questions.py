"""Questions as they leave the actions: what they wait for, and how many choices the telephone puts before a caller."""

from typing import Any

import pytest
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.desk import Desk
from bot.actions.readings import READINGS, STARTERS
from bot.actions.talk import _last_words
from bot.actions.turn import NO, YES, Option, Turn

FOUR = [Option(name, name, name) for name in ("a", "b", "c", "d")]


def a_turn(channel: str, language: str = "zh", question: Any = None) -> Turn:
    return Turn(
        dispatcher=CollectingDispatcher(),
        desk=Desk("cv_1", "m_1", None),
        language=language,
        text="",
        intent="",
        confidence=1,
        entities=[],
        ranking=[],
        metadata={"channel": channel},
        slots={"step": None, "question": question, "misses": 0},
    )


def said(turn: Turn) -> list[tuple[str | None, str, list[str]]]:
    """(response or text, what it waits for, labels) of each message."""
    return [
        (
            message["response"] or message["text"],
            message["custom"].get("expects", ""),
            [button["title"] for button in message["buttons"]],
        )
        for message in turn.dispatcher.messages
    ]


@pytest.mark.parametrize("channel", ["web", "wechat", "voice"])
def test_a_question_waits_for_what_its_step_waits_for(channel: str) -> None:
    turn = a_turn(channel)
    turn.ask("place", "utter_ask_place")
    turn.ask("place_confirm", "utter_confirm_place", [YES, NO], address="x")
    turn.ask("place", "utter_ask_place", expects="free")
    turn.ask("no such step", "utter_greet")
    assert said(turn) == [
        ("utter_ask_place", "place", []),
        ("utter_confirm_place", "yes_no", ["是的", "不是"]),
        ("utter_ask_place", "free", []),
        ("utter_greet", "", []),
    ]


def test_a_question_of_a_guide_tells_it_itself() -> None:
    turn = a_turn("voice", "en")
    turn.ask_text("guide", {"zh": "亮吗？", "en": "Is it lit?"}, [YES, NO], expects="yes_no")
    assert said(turn) == [("Is it lit?", "yes_no", ["Yes", "No"])]
    turn.dispatcher.messages.clear()
    turn.ask_again()
    assert said(turn) == [("Is it lit?", "yes_no", ["Yes", "No"])]


def test_put_again_it_waits_for_the_same() -> None:
    turn = a_turn("voice")
    turn.ask("contact", "utter_ask_contact", FOUR[:1])
    first = said(turn)
    turn.dispatcher.messages.clear()
    turn.ask_again()
    assert said(turn) == first == [("utter_ask_contact", "phone", ["a"])]


def test_a_question_that_was_put_before_there_was_such_a_word_is_put_again() -> None:
    turn = a_turn("web", question={"response": "utter_greet", "values": {}, "options": []})
    turn.ask_again()
    assert said(turn) == [("utter_greet", "", [])]


def test_what_is_only_said_waits_for_nothing() -> None:
    turn = a_turn("voice")
    turn.say("utter_thank")
    turn.tell("好的。")
    assert [message["custom"] for message in turn.dispatcher.messages] == [{}, {}]


def test_a_caller_hears_three_choices_and_may_say_another() -> None:
    turn = a_turn("voice")
    turn.ask("place_choice", "utter_ask_which_place", FOUR)
    assert said(turn) == [("utter_ask_which_place", "", ["a", "b", "c"]), ("utter_or_say_it", "", [])]
    assert [option["value"] for option in turn.slots["question"]["options"]] == ["a", "b", "c", "d"]


def test_the_last_line_waits_for_what_the_question_does() -> None:
    turn = a_turn("voice")
    turn.ask("scope", "utter_power_ask_scope", FOUR)
    assert [expects for _, expects, _ in said(turn)] == ["count", "count"]


def test_a_person_is_had_with_0_and_needs_no_choice() -> None:
    turn = a_turn("voice", "en")
    turn.say("utter_what_is_it", [READINGS[name] for name in STARTERS])
    assert said(turn) == [
        ("utter_what_is_it", "", ["My power is off", "No water", "A switch trips"]),
        ("utter_or_say_it", "", []),
    ]
    turn.dispatcher.messages.clear()
    turn.say("utter_which_reading", [*FOUR[:3], READINGS["talk_to_human"]])
    assert said(turn) == [("utter_which_reading", "", ["a", "b", "c"])]


@pytest.mark.parametrize("channel", ["web", "wechat"])
def test_who_reads_gets_all_choices(channel: str) -> None:
    turn = a_turn(channel)
    turn.ask("place_choice", "utter_ask_which_place", FOUR)
    assert said(turn) == [("utter_ask_which_place", "", ["a", "b", "c", "d"])]


def test_the_last_words_keep_what_they_wait_for() -> None:
    buttons = [{"title": "x", "payload": "y"}]
    events = [
        {"event": "user", "text": "停电了"},
        {"event": "bot", "text": "您好。", "data": {"buttons": None, "custom": None}},
        {"event": "bot", "text": "请问是哪里？", "data": {"buttons": buttons, "custom": {"expects": "place"}}},
        {"event": "user", "text": "再说一遍"},
    ]
    assert _last_words(events) == [("您好。", [], {}), ("请问是哪里？", buttons, {"expects": "place"})]
