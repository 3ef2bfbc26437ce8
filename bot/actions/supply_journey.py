"""What the supply journeys share: known stop told, own side checked, else a ticket (C1–C20, D6, E6)."""

import re
from datetime import UTC, datetime
from typing import ClassVar

from bot.actions.contact_words import name_beside_number, room_in, without_contact
from bot.actions.desk import DeskRefused, Json
from bot.actions.filing import contact_record, file_ticket, remember_words, said_so_far, uses_phone_on_file
from bot.actions.guides import Step
from bot.actions.journey import SUPPLY, also, changed_mind, finish
from bot.actions.outlets import nearest_outlet
from bot.actions.place import address_of, place_instead
from bot.actions.place_words import looks_like_address, whole_place
from bot.actions.remarks import asks_arrears, no_crew, only_tell, wants_crew
from bot.actions.supply_known import KnownSteps
from bot.actions.times import Bilingual, parse_time, spoken_number, spoken_time
from bot.actions.turn import Option, Turn
from bot.actions.verify import own_account
from bot.actions.wishes import besides_supply, brown_water, wishes_in
from bot.nlu.scope import scope_in

HOUSEHOLD = Option("household", "只有我家", "Only my home")
UNSURE = Option("unknown", "不清楚", "I don't know")
ANNOUNCED = Option("announced", "就是通知里说的", "It is what the notice says")
CHECK_ACCOUNT = Option("account", "先核对户号", "Check my account first")
CHECK_HERE = Option("check", "直接检查", "Check right away")

MOST_MISSES = 2
#: Steps in which "is it because I have not paid?" is answered by checking the account.
BEFORE_CHECKS = ("place", "scope", "check_first", "verify")
_ACCOUNT = re.compile(r"户号|核对|account|verify", re.IGNORECASE)
_SWITCHES = re.compile(r"开关|总闸|空开|\bswitch(?:es)?\b|\bbreakers?\b|fuse ?box", re.IGNORECASE)
_WITHOUT_ACCOUNT = re.compile(
    r"(?:不|别|没法|不用|不想|无法)(?:用|想|要|能)?(?:核对|查户号)|没(?:有)?户号|户号.{0,4}(?:不记得|忘|不知道|没有)"
    r"|(?:不记得|忘了?|不知道).{0,4}户号"
    r"|\b(?:no|without|don'?t (?:know about|have|know|remember)) (?:an? |my |the )?account|not my account",
    re.IGNORECASE,
)
_SKIP = re.compile(
    r"(?:跳过|略过|下一步|不查了?|不检查了?|不想查)[吧了]?[。.!！]*|(?:just )?skip(?: (?:it|this|that))?[.!]*",
    re.IGNORECASE,
)
_CHECKS_FIRST = re.compile(
    r"(?:先|自己|想)(?:自己|来)?(?:检查|查看|看看|看一下|查一下)|直接检查"
    r"|\b(?:let me|i (?:will|can|want to|would like to|['’]?ll)) (?:\w+ )?check\b|\bcheck (?:it )?(?:first|myself)\b",
    re.IGNORECASE,
)
UNABLE = re.compile(
    r"不会|不敢|看不(?:清|见|到|懂)|眼睛|腿脚|老人|年纪大|八十|七十|够不着|找不到"
    r"|can'?t (?:see|reach|find|do)|afraid|scared|disabled|wheelchair|elderly|too old|blind",
    re.IGNORECASE,
)


_NOTICE = re.compile(
    r"通知|公告|刚才说的|就是(?:这个|那个|这次)"
    r"|\b(?:notice|announce\w*|what you (?:just )?said|that is it|that['’]s it)\b",
    re.IGNORECASE,
)
#: "我没看到通知", "不是通知里说的": nobody is sent away for these.
_NOT_THAT = re.compile(
    r"不(?:是|像|一样|在|知道|清楚)|没有?(?:看|收|听|接|通知)|另|别的|无关"
    r"|\b(?:not|no notice|never|other|another|different)\b|n['’]t\b",
    re.IGNORECASE,
)


def _announced_meant(turn: Turn) -> bool:
    named = bool(_NOTICE.search(turn.words)) and not _NOT_THAT.search(turn.words)
    return turn.option is None and (turn.yes or named) and not turn.no


class SupplyJourney(KnownSteps):
    """`memory`: said, scope, asking (a question about a known stop), join (ticket to be added to), outage_id, tried.

    Responses are named `utter_<utility>_…`, so that each utility has its own words.
    """

    rank = SUPPLY
    done_steps = frozenset({"known"})
    topic: ClassVar[str]
    surroundings: ClassVar[Option]
    symptoms: ClassVar[dict[str, Bilingual]]

    @property
    def scope_options(self) -> list[Option]:
        """One household or the surroundings (D6)."""
        return [HOUSEHOLD, self.surroundings, UNSURE]

    async def start(self, turn: Turn) -> None:
        if not turn.memory.get("asking") and not turn.memory.get("resumed"):
            self.say(turn, "sorry")
        self._take_in(turn)
        other = {"power": "water", "water": "outage"}[self.utility]
        if not turn.memory.get("resumed") and not changed_mind(turn.words):
            if other in wishes_in(turn.words):
                also(turn, other)
            if self.utility == "power" and brown_water(turn.words):
                also(turn, "water_quality")
        for wish in besides_supply(turn.words):
            also(turn, wish)
        if asks_arrears(turn.words):
            await self._asked_why(turn)
        else:
            await self.need_place(turn)

    async def again(self, turn: Turn) -> None:
        """The same wish in other words: it may hold a scope or a place; it never counts as a failed answer."""
        self._take_in(turn)
        step = turn.step or ""
        if step == "known":
            await self.place_known(turn)
        elif step == "scope" and turn.memory.get("scope"):
            await self._unknown_cause(turn)
        elif step.startswith("place"):
            if not (turn.words and await self._from_words(turn, turn.words, whole_sentence=True)):
                turn.ask_again()
        elif self.keeps(turn):
            await self.answer(turn)
        elif not (step == "contact" and await self._put_right(turn)):
            if turn.intent == "ask_outage_status":
                turn.say("utter_when_not_known_yet")
            turn.ask_again()

    def keeps(self, turn: Turn) -> bool:
        if turn.step == "scope" and scope_in(turn.words, asked=True):
            return True
        if turn.step not in (None, *self.done_steps) and only_tell(turn.words):
            return True
        if (turn.step or "").startswith(BEFORE_CHECKS) and asks_arrears(turn.words):
            return True
        if turn.step in ("guide", "check_first", "scope") and wants_crew(turn.words):
            return True
        if turn.step in ("guide", "check_first") and _SKIP.fullmatch(turn.words.strip()):
            return True
        if turn.step == "check_first" and turn.intent in ("ask_bill", "prepaid_card_problem"):
            return True  # "check my account" is one of the two answers
        return turn.step == "overdue" or super().keeps(turn)

    async def answer(self, turn: Turn) -> None:
        if turn.step != "known" and (scope := scope_in(turn.words)):
            turn.memory["scope"] = scope
        self._keep_time(turn)
        # A phone number instead of an answer: the customer wants somebody to come.
        early = turn.entity("phone") and not self.keeps(turn)
        if only_tell(turn.words):
            await self._only_tell(turn)
        elif asks_arrears(turn.words) and (turn.step or "").startswith("verify"):
            turn.ask_again()
        elif asks_arrears(turn.words) and (turn.step or "").startswith(BEFORE_CHECKS):
            remember_words(turn)
            await self._asked_why(turn)
        elif turn.step == "contact" and no_crew(turn.words) and not turn.entity("phone"):
            await self.cancelled(turn)
        elif turn.step == "contact" and await self._put_right(turn):
            return
        elif turn.entity("account") and (turn.step or "").startswith(("guide", "scope", "place")):
            if not turn.place.get("resolved"):
                turn.memory["why_asked"] = True  # the account tells the place, too
            await self.need_account(turn)
        elif early and turn.step in ("guide", "check_first"):
            self._take_contact(turn)
            await self.need_contact(turn)
        elif early and turn.step == "scope":
            self._take_contact(turn)
            turn.say("utter_contact_noted")
            turn.ask_again()
        elif turn.step == "guide" and (wants_crew(turn.words) or _SKIP.fullmatch(turn.words.strip())):
            await self.need_contact(turn)
        elif turn.step in ("guide", "check_first") and not self.keeps(turn) and await self._noted(turn):
            turn.ask_again()
        else:
            await super().answer(turn)

    async def _put_right(self, turn: Turn) -> bool:
        """Said only when a number is asked for: it is this home alone after all, or another address."""
        if turn.entity("phone"):
            return False
        checks = bool(_CHECKS_FIRST.search(turn.words)) and turn.memory.get("scope") != "surroundings"
        if (scope_in(turn.words) == "household" or checks) and not turn.memory.get("tried"):
            remember_words(turn)
            for known in ("join", "outage_id"):
                turn.memory.pop(known, None)
            turn.memory["scope"] = "household"
            await self.place_known(turn)
            return True
        if not (turn.place.get("resolved") and looks_like_address(turn.words)) or whole_place(turn.words):
            return False
        best = await place_instead(turn, turn.words)
        if best is None or best["service_point_id"] == turn.place.get("service_point_id"):
            return False
        return await self._corrected(turn, turn.words)

    async def _noted(self, turn: Turn) -> bool:
        """Place or extent told while something else was asked: kept, and no misunderstanding."""
        scope = scope_in(turn.words)
        if scope:
            turn.memory["scope"] = scope
        known = turn.place.get("resolved")
        named = await place_instead(turn, turn.words) if looks_like_address(turn.words) and not known else None
        if known and (room := room_in(turn.words)):
            turn.place["detail"] = turn.place.get("detail") or room
            return True
        if named:
            self._take_place(turn, named)
            turn.say("utter_place_heard", address=address_of(turn.place))
        time = turn.entity("time") and not named
        if time:
            turn.say("utter_time_noted")
        return bool(scope or named or time)

    def heard_beside(self, turn: Turn) -> bool:
        scope, phone = scope_in(turn.words), turn.entity("phone")
        if scope:
            turn.memory["scope"] = scope
        if phone:
            self._take_contact(turn)
        return bool(scope or phone)

    def place_changed(self, turn: Turn) -> None:
        for known in ("join", "outage_id", "joined", "known_outage"):
            turn.memory.pop(known, None)

    def contact_question(self, turn: Turn) -> str:
        return "utter_ask_contact_join" if turn.memory.get("join") else self.ask_contact

    def _take_in(self, turn: Turn) -> None:
        remember_words(turn)
        turn.memory["only_tell"] = turn.memory.get("only_tell") or only_tell(turn.words)
        scope = scope_in(turn.words)
        if scope:
            turn.memory["scope"] = scope

    # -- nothing known: this household or more? (C13–C15, D6) -----------------------------------------------------

    async def _unknown_cause(self, turn: Turn) -> None:
        scope = turn.memory.get("scope")
        if scope != "household" and turn.memory.pop("announced", False):
            # A notice was read out just now: whether it is that comes before any report.
            options = [ANNOUNCED, HOUSEHOLD, self.surroundings, UNSURE]
            turn.ask("scope", f"utter_{self.utility}_ask_announced", options, expects="")
            return
        account = await own_account(turn) if scope == "household" and turn.contact.get("on_file") else None
        if scope == "household" and turn.memory.get("balance"):
            await self.run_guide(turn, self.guide_for(turn))  # the account was checked already
        elif account and self._is_for(turn, account):
            await self.verified(turn, account)
        elif scope == "household":
            turn.ask("check_first", f"utter_{self.utility}_household_first", [CHECK_ACCOUNT, CHECK_HERE])
        elif scope in ("surroundings", "unknown"):
            await self.need_contact(turn)
        else:
            turn.ask("scope", f"utter_{self.utility}_ask_scope", self.scope_options)

    def _is_for(self, turn: Turn, account: Json) -> bool:
        """Whether the proved account is this utility's and this place's, so that its state may be the reason."""
        here = account["service_point_id"] == turn.place.get("service_point_id")
        return here and bool(account["utility"] == self.utility)

    async def answer_scope(self, turn: Turn) -> None:
        question = str((turn.slots["question"] or {}).get("response") or "")
        if turn.option == ANNOUNCED.value or (question.endswith("_ask_announced") and _announced_meant(turn)):
            self.say(turn, "announced_wait")
            await contact_record(turn, "bulletin", "the bulletin read out explains the cut; nothing filed")
            await finish(turn)
            return
        scope = (
            turn.option if turn.option in ("household", "surroundings", "unknown") else scope_in(turn.words, asked=True)
        )
        most = 1 if turn.yes else MOST_MISSES
        if scope is None and (turn.slots["misses"] >= most or wants_crew(turn.words)):
            scope = "unknown"  # whoever cannot or will not say it is helped all the same
        if scope is None and turn.words and (self._time_told(turn) or await self._other_place(turn)):
            return
        if scope is None:
            await self.misunderstood(turn)
            return
        turn.memory["scope"] = scope
        remember_words(turn)
        await self._unknown_cause(turn)

    def _time_told(self, turn: Turn) -> bool:
        """When it began, instead of an answer: kept for the order (`_keep_time`), and asked again."""
        if not turn.entity("time") or looks_like_address(turn.words):
            return False
        turn.say("utter_time_noted")
        turn.ask_again()
        return True

    def _keep_time(self, turn: Turn) -> None:
        """When it began belongs on the order, whichever question it was told under."""
        if turn.entity("time") and not (turn.step or "").startswith("verify"):
            said = turn.memory.setdefault("said", [])
            words = without_contact(turn.raw, name_beside_number(turn.raw)) if turn.entity("phone") else turn.raw
            if words and words not in said:
                said.append(words[:300])

    async def _other_place(self, turn: Turn) -> bool:
        """Another full address, or the flat, instead of an answer."""
        if room := room_in(turn.words):
            turn.place["detail"] = turn.place.get("detail") or room
            turn.ask_again()
            return True
        return looks_like_address(turn.words) and await self._corrected(turn, turn.words)

    async def answer_check_first(self, turn: Turn) -> None:
        if wants_crew(turn.words) or UNABLE.search(turn.words) or _SKIP.fullmatch(turn.words.strip()):
            turn.say("utter_no_need_to_check")
            await self.need_contact(turn)
        elif _WITHOUT_ACCOUNT.search(turn.words) or _SWITCHES.search(turn.words):
            await self.not_verified(turn)
        elif turn.option == "account" or _ACCOUNT.search(turn.words) or turn.entity("account"):
            await self.need_account(turn)
        elif turn.option == "check" or turn.yes or turn.no or turn.words:
            await self.run_guide(turn, self.guide_for(turn))
        else:
            await self.misunderstood(turn)

    async def guide_ended(self, turn: Turn, step: Step) -> None:
        if step.outlets:
            await nearest_outlet(turn, self.utility, hall=step.outlets == "hall")
        if step.end == "ticket":
            turn.memory["topic"] = step.topic
            turn.memory["symptom"] = step.symptom.both if step.symptom else None
            await self.need_contact(turn)
        else:
            await contact_record(turn, "self_check", f"self-check ended: {step.end}")
            await finish(turn)

    # -- the ticket (C19) or the caller's name on an open one ----------------------------------------------------

    async def contact_known(self, turn: Turn) -> None:
        try:
            if turn.memory.get("join"):
                await self._join(turn, turn.memory["join"])
            else:
                await self._file(turn)
        except DeskRefused as refusal:
            if refusal.status != 422:
                raise
            turn.contact.pop("phone", None)
            turn.ask("contact", "utter_phone_invalid", digits=sum(c.isdigit() for c in turn.words))
            return
        await finish(turn)

    async def _file(self, turn: Turn) -> None:
        scope = turn.memory.get("scope", "unknown")
        symptom = turn.memory.get("symptom") or self.symptoms[scope]
        await file_ticket(
            turn,
            kind="fault_report",
            utility=self.utility,
            topic=turn.memory.get("topic", self.topic),
            scope=scope,
            symptom=symptom[turn.language],
            outage_id=turn.memory.get("outage_id"),
        )

    async def _join(self, turn: Turn, number: str) -> None:
        note = {"text": said_so_far(turn) or "-", "kind": "caller"}
        note |= {"contact_phone": turn.contact.get("phone", ""), "contact_name": turn.contact.get("name", "")}
        on_file = {"contact_on_file": True} if uses_phone_on_file(turn) else {}
        ticket = await turn.desk.post(f"/tickets/{number}/notes", {k: v for k, v in note.items() if v} | on_file)
        turn.say("utter_joined_order", number=spoken_number(number))
        turn.place["order"] = number
        due = parse_time(ticket.get("arrival_due_at"))
        if due:
            turn.say("utter_arrival_due", due=spoken_time(due, datetime.now(UTC)))
