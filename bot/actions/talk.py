"""What belongs to no journey: greetings, cancel, repeat, language, not understood, out of scope."""

import re
from collections.abc import Iterable

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from bot.actions.desk import Json
from bot.actions.followups import what_the_colleague_said
from bot.actions.journey import MEANT, DeskAction, begin, proceed, running
from bot.actions.place_words import looks_like_address
from bot.actions.readings import PERSON, READINGS, STARTERS
from bot.actions.remarks import wants_crew
from bot.actions.tickets import amend, is_back, withdraw
from bot.actions.turn import Option, Turn
from bot.actions.wishes import wish_in

#: What ends even a story that takes any words.
_PLAIN_CANCEL = re.compile(
    r"(?:那|好吧|还是)?(?:算了|取消|不投诉了|不报了|不说了|不用了|停止)(?:吧|了)?[。.!！]*"
    r"|(?:please )?(?:cancel|never ?mind|forget it|stop)(?: (?:it|this|that|please))?[.!]*",
    re.IGNORECASE,
)
_WANTS_REPAIR = re.compile(r"报修|維修|维修|修理|\brepair\b|\bfault\b|\bproblem\b|\bissue\b", re.IGNORECASE)
#: A hand on the keyboard: no language has such runs of consonants.
_GIBBERISH = re.compile(r"\b\w*[bcdfghjklmnpqrstvwxz]{5,}\w*\b", re.IGNORECASE)
_ASKS_PLANNED = re.compile(r"停不停|会不?会?停|要停|停多久|\bany (?:planned )?cut", re.IGNORECASE)
#: Below this an intent is a guess.
UNSURE = 0.5


def readings(ranking: Iterable[Json], most: int = 2) -> list[Option]:
    """The likeliest readings of an unclear message, as choices."""
    found: list[Option] = []
    for guess in ranking:
        option = READINGS.get(str(guess.get("name")))
        if option and option is not PERSON and option not in found:
            found.append(option)
    return found[:most]


class ActionContinue(DeskAction):
    """Yes, no, a bare answer, or a chosen option: it belongs to whatever was asked."""

    action = "action_continue"

    async def act(self, turn: Turn) -> None:
        if turn.option == "person":
            turn.leave()
            await begin(turn, "human", reason="wish")
        elif turn.option and turn.option.startswith("start:"):
            turn.leave()
            await begin(turn, turn.option.removeprefix("start:").replace("outage_status", "outage"))
        elif await proceed(turn) or await amend(turn):
            return
        elif turn.entity("account"):
            await begin(turn, "bill")
        elif wish := wish_in(turn.words):
            await begin(turn, wish)
        elif _ASKS_PLANNED.search(turn.words):
            await begin(turn, "planned")
        elif turn.no or turn.yes:
            turn.say("utter_anything_else")
        else:
            turn.say("utter_what_is_it", [READINGS[name] for name in STARTERS])


class ActionCancel(DeskAction):
    """Never mind, no crew needed, it is back: the running journey ends, or the filed ticket is withdrawn."""

    action = "action_cancel"

    async def act(self, turn: Turn) -> None:
        active = running(turn)
        if active is not None and wants_crew(turn.words) and not active.keeps(turn):
            turn.ask_again()  # "stop asking, send someone" wants the report, not its end
        elif active is not None and active.keeps(turn) and not _PLAIN_CANCEL.fullmatch(turn.words.strip()):
            # "It is back" answers a guide's question, and "they came and left again" is part of a complaint.
            await active.answer(turn)
        elif active is not None and turn.step not in active.done_steps:
            await active.cancelled(turn)
            turn.slots["later"] = []
        elif turn.slots["ticket"] and re.search(r"[?？]|吗|没有$|了没", turn.words):
            await begin(turn, "ticket_status")
        elif not await withdraw(turn):
            turn.leave()
            turn.say("utter_anything_else")


class ActionRepeat(DeskAction):
    """Say the last words again, from the conversation's own record."""

    action = "action_repeat"

    async def act(self, turn: Turn) -> None:
        """Words that hardly sound like that wish are an answer."""
        await proceed(turn)

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        turn = Turn.of(dispatcher, tracker)
        if turn.confidence < MEANT and running(turn):
            return await super().run(dispatcher, tracker, domain)
        if await what_the_colleague_said(turn):
            return turn.changed_slots()
        if turn.slots["question"]:
            turn.ask_again()
            return turn.changed_slots()
        for text, buttons, custom in _last_words(tracker.events):
            dispatcher.utter_message(text=text, buttons=buttons, json_message=custom)
        if not dispatcher.messages:
            turn.say("utter_nothing_to_repeat")
        return turn.changed_slots()


def _last_words(events: list[Json]) -> list[tuple[str, list[Json], Json]]:
    """What the bot said after the customer's message before this one: text, choices, and what it waited for."""
    said: list[tuple[str, list[Json], Json]] = []
    passed = 0
    for event in reversed(events):
        if event.get("event") == "user":
            passed += 1
            if passed == 2 and said:
                break
        elif event.get("event") == "bot" and passed >= 1 and event.get("text"):
            data = event.get("data") or {}
            said.insert(0, (event["text"], data.get("buttons") or [], data.get("custom") or {}))
    return said


class ActionSwitchLanguage(DeskAction):
    """An explicit wish for a language wins over what the words look like."""

    action = "action_switch_language"

    async def act(self, turn: Turn) -> None:
        await turn.desk.patch(turn.desk.own, {"language": turn.language})
        turn.say("utter_language_switched")
        if not (looks_like_address(turn.words) and await proceed(turn)):
            turn.ask_again()


class ActionTalk(DeskAction):
    """Greetings, thanks, goodbye, "are you a robot": a word, then back to the question if one is open."""

    action = "action_talk"

    async def act(self, turn: Turn) -> None:
        active = running(turn)
        if active is not None and (
            active.keeps(turn) or (turn.step in active.done_steps and turn.intent in ("thank", "goodbye"))
        ):
            await active.answer(turn)
            return
        if active is not None and is_back(turn.words):
            await active.cancelled(turn)
            return
        if active is None and turn.intent == "greet" and await _wish_beside(turn):
            return
        turn.say(f"utter_{turn.intent}")
        if turn.intent == "goodbye":
            turn.leave()
        turn.ask_again()


async def _wish_beside(turn: Turn) -> bool:
    """A wish said along with the greeting ("Hello, 我想报修")."""
    if wish := wish_in(turn.words):
        await begin(turn, wish)
    elif _WANTS_REPAIR.search(turn.words):
        turn.say("utter_what_is_it", [READINGS[name] for name in STARTERS])
    else:
        return False
    return True


class ActionOutOfScope(DeskAction):
    """Not ours: say so and what is; inside a journey the words may still be an answer."""

    action = "action_out_of_scope"

    async def act(self, turn: Turn) -> None:
        unclear = turn.confidence < UNSURE or _GIBBERISH.search(turn.words)
        if unclear and not running(turn):
            await not_understood(turn)
        elif not await proceed(turn):
            turn.say("utter_out_of_scope", [READINGS[name] for name in STARTERS])


class ActionNotUnderstood(DeskAction):
    """Two stages: first the likeliest readings as choices, then a plain request to rephrase with a person on offer."""

    action = "action_not_understood"

    async def act(self, turn: Turn) -> None:
        if not await proceed(turn) and not await amend(turn):
            await not_understood(turn)


async def not_understood(turn: Turn) -> None:
    """The first time with the likeliest readings as choices, then with a request to rephrase."""
    wish = "bill" if turn.entity("account") else wish_in(turn.words)
    if wish:
        await begin(turn, wish)
        return
    turn.slots["misses"] += 1
    if turn.slots["misses"] == 1:
        turn.say("utter_which_reading", [*readings(turn.ranking), PERSON])
    else:
        turn.say("utter_rephrase", [PERSON])
