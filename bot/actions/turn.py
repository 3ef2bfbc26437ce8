"""One turn as the journeys see it: what the customer said, what is remembered, and ways to answer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.desk import Desk, Json
from bot.actions.spoken import EXPECTS, MOST_SPOKEN, VOICE
from bot.briefing import Briefing
from bot.nlu.text import simplified
from bot.sheet import put_away

#: Slots that journeys read and write; each is written back only when it changed.
SLOTS = (
    *("journey", "step", "question", "memory", "place", "contact", "ticket", "outage", "later", "misses"),
    *("past", "briefing"),
)


@dataclass(frozen=True)
class Option:
    """A choice under a message. `value` comes back as the entity `option` when it is chosen."""

    value: str
    zh: str
    en: str

    def button(self, language: str) -> Json:
        return {"title": self.zh if language == "zh" else self.en, "payload": f'/inform{{"option": "{self.value}"}}'}


#: The value of the choice to talk to a person.
PERSON_VALUE = "person"
YES = Option("yes", "是的", "Yes")
NO = Option("no", "不是", "No")


@dataclass
class Turn:
    """The customer's message, the conversation's memory, and the words to send back."""

    dispatcher: CollectingDispatcher
    desk: Desk
    language: str
    text: str
    intent: str
    confidence: float
    entities: list[Json]
    ranking: list[Json]
    metadata: Json
    slots: Json
    #: The tracker's events, this message's included.
    events: list[Json] = field(default_factory=list, repr=False)
    #: Names of the responses said in this turn.
    said: list[str] = field(default_factory=list)
    _before: Json = field(default_factory=dict)

    @classmethod
    def of(cls, dispatcher: CollectingDispatcher, tracker: Tracker) -> "Turn":
        """Read the turn out of Rasa's tracker."""
        message = tracker.latest_message or {}
        metadata = cast(Json, message.get("metadata") or {})
        slots = {name: tracker.get_slot(name) for name in SLOTS}
        for name in ("memory", "place", "contact"):
            slots[name] = dict(slots[name] or {})
        for name in ("later", "past"):
            slots[name] = list(slots[name] or [])
        slots["misses"] = int(slots["misses"] or 0)
        fence = metadata.get("fence")
        turn = cls(
            dispatcher=dispatcher,
            desk=Desk(
                conversation_id=str(metadata.get("conversation_id") or tracker.sender_id),
                message_id=str(metadata.get("message_id") or message.get("message_id") or ""),
                fence=int(fence) if fence is not None else None,
            ),
            language=str(tracker.get_slot("language") or metadata.get("language") or "zh"),
            text=str(message.get("text") or "").strip(),
            intent=str((message.get("intent") or {}).get("name") or ""),
            confidence=float((message.get("intent") or {}).get("confidence") or 0),
            entities=list(message.get("entities") or []),
            ranking=list(message.get("intent_ranking") or []),
            metadata=metadata,
            slots=slots,
            events=tracker.events,
            _before={name: _copy(value) for name, value in slots.items()},
        )
        if briefing := Briefing.of(metadata.get("briefing")):
            turn._take_over(briefing)
        return turn

    # -- what was said ------------------------------------------------------------------------------------------

    @property
    def zh(self) -> bool:
        return self.language == "zh"

    @property
    def voice(self) -> bool:
        """Whether this is a telephone call."""
        return self.metadata.get("channel") == VOICE

    @property
    def raw(self) -> str:
        """The customer's own words as they wrote them; empty when an option was chosen instead."""
        return "" if self.text.startswith("/") else self.text

    @property
    def words(self) -> str:
        """`raw` in Simplified characters, for the patterns of the journeys."""
        return simplified(self.raw)

    @property
    def option(self) -> str | None:
        """The value of the chosen option, if one was chosen."""
        value = self.entity("option")
        return str(value) if value is not None else None

    @property
    def yes(self) -> bool:
        return self.option == "yes" or (self.option is None and self.intent == "affirm")

    @property
    def no(self) -> bool:
        return self.option == "no" or (self.option is None and self.intent == "deny")

    def choose(self, value: str) -> None:
        """Take the message for the choice of this option."""
        self.text = f'/inform{{"option": "{value}"}}'
        self.entities = [
            *(e for e in self.entities if e.get("entity") != "option"),
            {"entity": "option", "value": value},
        ]
        self.intent, self.confidence = "inform", 1.0

    def entity(self, name: str) -> Any:
        """The value of the first entity of that name, else None."""
        return next((e.get("value") for e in self.entities if e.get("entity") == name), None)

    # -- what is remembered -------------------------------------------------------------------------------------

    @property
    def journey(self) -> str | None:
        return cast("str | None", self.slots["journey"])

    @property
    def step(self) -> str | None:
        return cast("str | None", self.slots["step"])

    @property
    def memory(self) -> Json:
        """What the running journey knows; emptied when it ends."""
        return cast(Json, self.slots["memory"])

    @property
    def place(self) -> Json:
        """Where, kept across journeys: service_point_id, address_zh, address_en, detail, resolved, words.

        `planned`: what was last asked of it about announced cuts, until another journey begins.
        """
        return cast(Json, self.slots["place"])

    @property
    def contact(self) -> Json:
        """{"name", "phone"}; kept across journeys. `danger`: the danger order that the customer said is real."""
        return cast(Json, self.slots["contact"])

    @property
    def later(self) -> list[Json]:
        """Journeys that wait until the present one is done: {"name", "said": what was said for them}."""
        return cast("list[Json]", self.slots["later"])

    @property
    def briefing(self) -> str:
        """What the colleague who handed the conversation back said about it; '' where nobody did."""
        return str((self.slots.get("briefing") or {}).get("summary") or "")

    def changed_slots(self) -> list[EventType]:
        """The events that bring Rasa's tracker up to date; the last one ends the turn without asking the policies."""
        return [*self.slot_events(), FollowupAction("action_listen")]

    def slot_events(self) -> list[EventType]:
        """The events of the slots that have changed."""
        return [SlotSet(name, value) for name, value in self.slots.items() if value != self._before[name]]

    # -- what to say --------------------------------------------------------------------------------------------

    def pick(self, zh: str, en: str) -> str:
        """The variant in the customer's language."""
        return zh if self.zh else en

    def say(self, response: str, options: Sequence[Option] = (), *, expects: str = "", **values: Any) -> None:
        """Say a response of bot/data/responses in the conversation's language.

        A value that is {"zh": …, "en": …} is given in that language, so that a question put again after a change of
        language is whole. `expects`: what answer it waits for (see EXPECTS).
        """
        spoken = {name: self.in_language(value) for name, value in values.items()}
        self.said.append(response)
        self._utter(options, expects, response=response, **spoken)

    def tell(self, text: str, options: Sequence[Option] = (), *, expects: str = "") -> None:
        """Say a text that is data already (a guide's step, an article)."""
        self._utter(options, expects, text=text)

    def _utter(self, options: Sequence[Option], expects: str, **what: Any) -> None:
        offered = self.offered(options)
        custom = {"expects": expects} if expects else None
        self.dispatcher.utter_message(buttons=self._buttons(offered), json_message=custom, **what)
        if len(offered) < len([option for option in options if option.value != PERSON_VALUE]):
            self.dispatcher.utter_message(response="utter_or_say_it", json_message=custom)

    def offered(self, options: Sequence[Option]) -> Sequence[Option]:
        """The choices that this channel puts before the customer: an ear keeps few, and 0 is a person anyway."""
        if not self.voice or len(options) <= MOST_SPOKEN:
            return options
        return [option for option in options if option.value != PERSON_VALUE][:MOST_SPOKEN]

    def in_language(self, value: Any) -> Any:
        """The conversation's variant of a bilingual value; any other value as it is."""
        return value[self.language] if isinstance(value, Mapping) and self.language in value else value

    def _buttons(self, options: Sequence[Option]) -> list[Json]:
        return [option.button(self.language) for option in options]

    def ask(
        self, step: str, response: str, options: Sequence[Option] = (), *, expects: str | None = None, **values: Any
    ) -> None:
        """Say a question and remember that its answer belongs to `step`, which tells what it waits for too."""
        expects = EXPECTS.get(step, "") if expects is None else expects
        self.say(response, options, expects=expects, **values)
        self._expect(step, {"response": response, "values": values, "expects": expects}, options)

    def ask_text(
        self, step: str, texts: Mapping[str, str], options: Sequence[Option] = (), *, expects: str | None = None
    ) -> None:
        """As `ask`, for a question that is data in both languages."""
        expects = EXPECTS.get(step, "") if expects is None else expects
        self.tell(texts[self.language], options, expects=expects)
        self._expect(step, {"texts": dict(texts), "expects": expects}, options)

    def ask_again(self) -> None:
        """Put the pending question once more (after an interruption); nothing where none is pending."""
        question = self.slots["question"]
        if not question:
            return
        options, expects = [Option(**option) for option in question["options"]], question.get("expects", "")
        if "texts" in question:
            self.tell(question["texts"][self.language], options, expects=expects)
        else:
            self.say(question["response"], options, expects=expects, **question["values"])

    def _expect(self, step: str, question: Json, options: Sequence[Option]) -> None:
        self.slots["step"] = step
        self.slots["question"] = {**question, "options": [asdict(option) for option in options]}
        self.slots["misses"] = 0

    # -- journeys -----------------------------------------------------------------------------------------------

    def enter(self, journey: str, **memory: Any) -> None:
        """Make `journey` the running one, with a fresh memory."""
        self._put_away()
        self.slots.update(journey=journey, step=None, question=None, memory=dict(memory), misses=0)
        self.place.pop("planned", None)

    def leave(self) -> None:
        """End the running journey; place, contact and ticket stay known."""
        self._put_away()
        self.slots.update(journey=None, step=None, question=None, memory={}, misses=0)

    def _put_away(self) -> None:
        """Keep what the running journey found out for whoever takes the conversation over."""
        self.slots["past"] = put_away(self.slots.get("past") or [], self.journey, self.memory)

    def _take_over(self, briefing: Briefing) -> None:
        """A colleague hands the conversation back: what was under way is theirs, what they tell is known.

        Where they tell nothing, it goes on as before.
        """
        self.slots["briefing"] = {"summary": briefing.summary}
        if briefing == Briefing():
            return
        self.leave()
        self.slots["later"] = []
        if briefing.place:
            self.slots["place"] = dict(briefing.place)
        if briefing.phone:
            self.contact["phone"] = briefing.phone
        for name, value in (("ticket", briefing.ticket), ("outage", briefing.outage)):
            self.slots[name] = value or self.slots[name]


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_copy(v) for v in value]
    return value
