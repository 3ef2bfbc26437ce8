"""What belongs to no journey: greetings, cancel, repeat, language, not understood, out of scope."""

import re
from collections.abc import Iterable

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from bot.actions.choosing import numbered, offered_last
from bot.actions.desk import Json
from bot.actions.followups import what_the_colleague_said
from bot.actions.information import PLANNED
from bot.actions.journey import MEANT, DeskAction, begin, first, proceed, running
from bot.actions.place import address_of, place_instead
from bot.actions.place_words import looks_like_address
from bot.actions.readings import PERSON, READINGS, STARTERS
from bot.actions.remarks import wants_crew
from bot.actions.spoken import NUMBERS
from bot.actions.tickets import amend, is_back, withdraw
from bot.actions.turn import Option, Turn
from bot.actions.wishes import wish_in

#: What ends even a story that takes any words.
_PLAIN_CANCEL = re.compile(
    r"(?:那|好吧|还是|我|就|先|暂时|[,，])*(?:算了|取消|不(?:想|要)?投诉了?|别投诉了?|不报了|不说了|不用了|停止)(?:吧|了)?[。.!！]*"
    r"|(?:ok(?:ay)?,? |no,? |please |actually,? )*(?:cancel|never ?mind|forget it|stop|no complaint)"
    r"(?: (?:it|this|that|please))?[.!]*"
    r"|(?:no,? |actually,? )*i (?:do not|don['’]?t) (?:want|need) to complain(?: any ?more| after all)?[.!]*",
    re.IGNORECASE,
)
_WANTS_REPAIR = re.compile(r"报修|維修|维修|修理|\brepair\b|\bfault\b|\bproblem\b|\bissue\b", re.IGNORECASE)
#: A hand on the keyboard: no language has such runs of consonants.
_GIBBERISH = re.compile(r"\b\w*[bcdfghjklmnpqrstvwxz]{5,}\w*\b", re.IGNORECASE)
_ASKS_PLANNED = re.compile(r"停不停|会不?会?停|要停|停多久|\bany (?:planned )?cut", re.IGNORECASE)
_IN_THE_STREET = re.compile(r"路灯|井盖|\bstreet ?lights?\b|\bmanhole\b", re.IGNORECASE)
#: A question about a day to come.
_AHEAD = re.compile(
    r"(?:明天|明日|明早|明晚|后天|下周|周末|下个?(?:星期|礼拜)).{0,8}停.{0,4}(?:吗|么|不|多久|[?？])"
    r"|\b(?:tomorrow|next week|weekend)\b.{0,40}\?",
    re.IGNORECASE,
)
#: Steps in which a number names something of its own.
_BY_OWN_NUMBER = frozenset({"place", "place_choice", "place_number", "what", "when", "story", "wish"})
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


async def chosen(turn: Turn) -> bool:
    """A choice that begins something; False where the message is none."""
    if turn.option == PERSON.value:
        turn.leave()
        await begin(turn, "human", reason="wish")
    elif turn.option and turn.option.startswith("start:"):
        turn.leave()
        await begin(turn, turn.option.removeprefix("start:").replace("outage_status", "outage"))
    else:
        return False
    return True


@first
async def by_number(turn: Turn) -> bool:
    """ "2" under choices that the page shows without numbers; on the telephone a key has its own meaning."""
    place = numbered(turn.words) if turn.words and not turn.voice else None
    question = turn.slots["question"] or {}
    if place is None or question.get("expects") in NUMBERS or turn.step in _BY_OWN_NUMBER:
        return False
    options = offered_last(turn.events)
    if place >= len(options):
        return False
    turn.choose(options[place].value)
    return await chosen(turn) or await proceed(turn)


class ActionContinue(DeskAction):
    """Yes, no, a bare answer, or a chosen option: it belongs to whatever was asked."""

    action = "action_continue"

    async def act(self, turn: Turn) -> None:
        if await chosen(turn) or await proceed(turn) or await amend(turn):
            return
        if turn.entity("account"):
            await begin(turn, "bill")
        elif wish := wish_in(turn.words):
            await begin(turn, wish)
        elif _ASKS_PLANNED.search(turn.words):
            await begin(turn, "planned")
        elif _IN_THE_STREET.search(turn.words):
            await begin(turn, "others")
        elif turn.no or turn.yes:
            turn.say("utter_anything_else")
        elif not (
            turn.place.get("planned")
            and looks_like_address(turn.words)
            and await PLANNED.elsewhere(turn, turn.place["planned"], turn.words)
        ):
            await _place_first(turn)
            turn.say("utter_what_is_it", [READINGS[name] for name in STARTERS])


async def _place_first(turn: Turn) -> None:
    """Where it is, said before what it is about, is not asked for again."""
    best = await place_instead(turn, turn.words) if looks_like_address(turn.words) else None
    if best:
        turn.slots["place"] = {**best, "resolved": True, "words": turn.words[:200]}
        turn.say("utter_place_heard", address=address_of(turn.place))


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
            turn.slots["later"] = []
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
    wish = "bill" if turn.entity("account") else "planned" if _AHEAD.search(turn.words) else wish_in(turn.words)
    if wish:
        await begin(turn, wish)
        return
    turn.slots["misses"] += 1
    likely = readings(turn.ranking)
    if turn.slots["misses"] == 1 and likely:
        turn.say("utter_which_reading", [*likely, PERSON])
    elif turn.slots["misses"] == 1:
        turn.say("utter_what_is_it", [READINGS[name] for name in STARTERS])
    else:
        turn.say("utter_rephrase", [PERSON])
