"""Journeys: what a customer came for, step by step, and what happens when they interrupt themselves.

A journey is a class whose `answer_<step>` methods take the reply to the question asked at that step. All of its memory
is in Rasa's slots, so that any action server can take the next turn.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from bot.actions.desk import DeskDown, DeskRefused
from bot.actions.readings import PERSON, READINGS, STARTERS
from bot.actions.turn import Option, Turn
from bot.actions.wishes import instead, is_vague, wish_in

#: What comes first when one message or conversation holds several wishes: danger, supply, complaint, the rest.
DANGER, SUPPLY, COMPLAINT, REST = 0, 1, 2, 3

#: An intent below this does not interrupt a journey: the words are taken as an answer first.
MEANT = 0.55
#: And below this it does not replace one of the same kind.
SURE = 0.75
#: Intents that carry no wish of their own: they answer whatever was asked.
ANSWERS = frozenset({"affirm", "deny", "inform", "nlu_fallback", "out_of_scope", "thank", "greet", "cancel"})

#: "Not the power, the water": what was begun is not to be taken up again.
_CHANGED_MIND = re.compile(
    r"说错|搞错|弄错|不是.{0,8}(?:是|而是)|其实|不对|[哦噢]不"
    r"|\bnot\b.{1,30}\bbut\b|\bi meant?\b|\bactually\b|\bwrong\b|\binstead\b|\bforget (?:that|it)\b",
    re.IGNORECASE,
)

_ALSO = re.compile(r"还有|另外|也没|也停|同时|\b(?:also|too|as well|besides|another thing)\b", re.IGNORECASE)


class Journey:
    """Base of all journeys. Subclasses are registered by their `name`."""

    name: ClassVar[str]
    rank: ClassVar[int] = REST
    #: What the customer is doing, for "shall we go on with …".
    title: ClassVar[dict[str, str]]
    #: Steps whose question is answered in free words, so that any message is an answer to it.
    free_steps: ClassVar[frozenset[str]] = frozenset()
    #: Steps after which nothing is owed any more: another wish simply begins.
    done_steps: ClassVar[frozenset[str]] = frozenset()
    registry: ClassVar[dict[str, "Journey"]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            Journey.registry[cls.name] = cls()

    async def start(self, turn: Turn) -> None:
        """The customer just said what they need. Memory is empty."""
        raise NotImplementedError

    async def answer(self, turn: Turn) -> None:
        """Take the reply to the pending question: `answer_<step>`."""
        method: Callable[[Turn], Awaitable[None]] | None = getattr(self, f"answer_{turn.step}", None)
        if method is None:
            turn.ask_again()
        else:
            await method(turn)

    async def again(self, turn: Turn) -> None:
        """The customer names the same wish once more; usually that is an answer in other words."""
        await self.answer(turn)

    async def cancelled(self, turn: Turn) -> None:
        """The customer no longer wants this, or supply is back."""
        turn.leave()
        turn.say("utter_cancelled")

    def keeps(self, turn: Turn) -> bool:
        """Whether a message that names another wish is still an answer to this journey's question."""
        return turn.step in self.free_steps

    async def misunderstood(self, turn: Turn) -> None:
        """An answer that fits no expectation: ask again, from the second time on with a person on offer.

        Nobody is handed over unasked: that would silence the assistant for a customer who may only need a hint.
        """
        turn.slots["misses"] += 1
        question = turn.slots["question"] or {}
        options = [Option(**option) for option in question.get("options") or ()]
        if (turn.yes or turn.no) and turn.option is None and len(options) > 1:
            # Understood, only it does not tell which.
            heard = turn.offered(options)
            choices = {"zh": "、".join(f"“{o.zh}”" for o in heard), "en": ", ".join(f"“{o.en}”" for o in heard)}
            turn.say("utter_which_one", options, expects=question.get("expects", ""), choices=choices)
            return
        if turn.slots["misses"] == 1:
            turn.say("utter_not_understood")
        else:
            turn.say("utter_not_understood_again", [PERSON])
        turn.ask_again()


def running(turn: Turn) -> Journey | None:
    """The journey under way, if any."""
    return Journey.registry.get(turn.journey or "")


def changed_mind(words: str) -> bool:
    """Whether the customer takes back what was understood or asked for."""
    return bool(_CHANGED_MIND.search(words))


async def begin(turn: Turn, name: str, **memory: Any) -> None:
    """Start the journey `name`, mindful of the one under way.

    Free words stay with the journey that asked for them; what is less urgent waits its turn (supply before complaint,
    B13); what is as urgent or more replaces it, and the other is offered afterwards.
    """
    if name in ("outage", "water") and turn.option is None:
        name = instead(turn.words) or name
    wanted, active = Journey.registry[name], running(turn)
    if active is wanted:
        await active.again(turn)
        return
    changed = changed_mind(turn.words)
    # Danger that the front desk saw, and what another step decided (`memory`), are no guesses.
    given = bool(turn.metadata.get("danger")) or bool(memory.keys() - {"asking"}) or turn.option is not None
    if active is not None and not given:
        needed = SURE if wanted.rank <= active.rank else MEANT
        plain = wish_in(turn.words) == name
        guess = turn.confidence < needed and not (changed or plain) and turn.step not in active.done_steps
        if active.keeps(turn) or guess:
            await active.answer(turn)
            return
    if active is not None and turn.step in active.done_steps:
        turn.leave()
        active = None
    added = bool(_ALSO.search(turn.words)) and wanted.rank == active.rank if active is not None else False
    if active is not None and (wanted.rank > active.rank or added) and turn.step is not None and not changed:
        also(turn, name)
        turn.ask_again()
        return
    if active is not None and turn.step is not None and not changed and active.rank < REST:
        _queue(turn, active.name, turn.memory.get("said", []))
    turn.enter(name, **memory)
    await wanted.start(turn)


def _queue(turn: Turn, name: str, said: list[str]) -> bool:
    """Have a journey wait, with what was said for it; False where it waits already."""
    if any(waiting["name"] == name for waiting in turn.later):
        return False
    turn.later.append({"name": name, "said": said})
    return True


def also(turn: Turn, name: str) -> None:
    """Remember a second wish of the same message; it is taken up when the first one is done."""
    if name != turn.journey and _queue(turn, name, [turn.words] if turn.words else []):
        turn.say("utter_noted_for_later", what=Journey.registry[name].title)


async def finish(turn: Turn) -> None:
    """End the running journey; go on with what waits, else say nothing more."""
    done = turn.journey
    turn.leave()
    waiting = [entry for entry in turn.later if entry["name"] != done]
    turn.slots["later"] = waiting[1:]
    if waiting:
        following = Journey.registry[waiting[0]["name"]]
        turn.say("utter_now_the_other", what=following.title)
        turn.enter(following.name, resumed=True, said=list(waiting[0]["said"]))
        await following.start(turn)


async def proceed(turn: Turn) -> bool:
    """Give the message to the running journey. False where none is running."""
    active = running(turn)
    if active is None:
        return False
    if turn.option == "person":
        await begin(turn, "human", reason="wish")
    else:
        await active.answer(turn)
    return True


#: Heard in this order before a message's intent is acted on; the first that answers it ends the turn.
FIRST: list[Callable[[Turn], Awaitable[bool]]] = []


def first(hear: Callable[[Turn], Awaitable[bool]]) -> Callable[[Turn], Awaitable[bool]]:
    """Register what hears every message before its intent is acted on; True where it answered."""
    FIRST.append(hear)
    return hear


class DeskAction(Action, ABC):
    """Base of all actions: one turn in, words and slots out, and an honest sentence when the API fails."""

    action: ClassVar[str]

    def name(self) -> str:
        return self.action

    @abstractmethod
    async def act(self, turn: Turn) -> None:
        """Answer the customer's message."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        turn = Turn.of(dispatcher, tracker)
        try:
            for hear in FIRST:
                if await hear(turn):
                    return turn.changed_slots()
            if running(turn) is None and is_vague(turn.words):
                turn.say("utter_what_is_it", [READINGS[name] for name in STARTERS])
            else:
                await self.act(turn)
        except (DeskDown, DeskRefused):
            # Nothing that was prepared may be said: it might confirm what did not happen. The step stays where it
            # was, so that "try again" takes the same answer once more.
            dispatcher.messages.clear()
            afresh = Turn.of(dispatcher, tracker)
            afresh.say("utter_desk_down", [PERSON])
            return afresh.slot_events()  # what a colleague told with this message; it is told once
        return turn.changed_slots()
