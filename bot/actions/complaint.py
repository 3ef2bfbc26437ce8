"""Complaints (B13, E9) and damage claims (A5): thank, listen, record what is wanted, say what happens next."""

import re
from typing import ClassVar

from bot.actions.contact import ContactSteps
from bot.actions.contact_words import name_beside_number, without_contact
from bot.actions.filing import LONGEST_SAID, ONLY_A_NUMBER, can_be_called, file_ticket, remember_words
from bot.actions.journey import COMPLAINT, DeskAction, also, begin, finish
from bot.actions.place import PlaceSteps, place_instead
from bot.actions.place_words import looks_like_address
from bot.actions.readings import PERSON, READINGS
from bot.actions.turn import NO, Option, Turn
from bot.actions.wishes import besides_supply, instead, supply_trouble, wants_to_complain, wish_in
from bot.sheet import utility_of

SUPPLY_FIRST = Option("supply", "先处理停电停水", "Supply first")
COMPLAINT_FIRST = Option("complaint", "先说投诉", "Complaint first")
ALL_SAID = Option("done", "说完了", "That is all")
STILL = Option("still", "仍要投诉", "Record it anyway")

_OFF_NOW = re.compile(
    r"(?:现在|还|又|一直|正|仍|到现在).{0,3}(?:没有?(?:来)?(?:电|水)|(?<!不)(?<!没)停(?:电|水|着)|黑着|断(?:电|水))"
    r"|又(?:停|没电|没水|断)|(?:没电|没水|停电|停水)(?:了|呢|着)?(?:到现在|到今天)"
    r"|(?:没电|没水|停电|停水|停了).{0,2}(?:[\d一二两三四五六七八九十半几]+个?(?:天|小时|钟头|晚上)).{0,2}(?:了|还)"
    r"|\b(?:still|currently|right now|again)\b.{0,20}\b(?:off|out|no (?:power|water|electricity|light)|dark|dry)\b"
    r"|\b(?:off|out|no (?:power|water|electricity|lights?))\b.{0,12}\b(?:again|right now|now|at the moment"
    r"|currently)\b"
    r"|\b(?:my|our|the) (?:power|electricity|water|lights?)(?:['’]s| is| are) (?:out|off|gone|down|dead)\b"
    r"|\bwithout (?:power|water|electricity|light)\b.{0,25}\b(?:now|since|again)\b",
    re.IGNORECASE,
)
#: The whole message, or its end: "nothing was done" and "水没了" are part of the story.
_DONE = re.compile(
    r"^(?:好了?|嗯|暂时|目前|其他|别的|我|都|就|[,，\s])*(?:没了|没有了|完了|说完了?|讲完了?"
    r"|没别的了?)[吧呢啊哈。.!！\s]*$"
    r"|(?:就这些|就这样|我说完了|都说完了)(?:了|吧|啊|呢)*[。.!！\s]*$"
    r"|^(?:ok(?:ay)?|no|yes|well|[,.\s])*(?:nothing (?:else|more)|no more|(?:i'?m |i am |all )?done|finished)[.!\s]*$"
    r"|\bthat(?:['’]?s| is) (?:all|it|everything)(?: for now| from me)?[.!\s]*$",
    re.IGNORECASE,
)
#: A message that says no more than that.
_ONLY_DONE = re.compile(
    r"(?:好了?|嗯|暂时|目前|我|都|就|[,，\s])*(?:没了|没有了|完了|说完了?|讲完了?|就这些|就这样)[了吧呢啊哈。.!！\s]*"
    r"|(?:ok(?:ay)?|no|yes|well|[,.\s])*(?:that(?:['’]?s| is) (?:all|it|everything)|nothing (?:else|more)|no more"
    r"|(?:i'?m |i am |all )?done|finished)(?: for now| thanks?| thank you)?[.!\s]*",
    re.IGNORECASE,
)
#: A rule that explains a grievance (B13): no fault of staff, but the wish is still recorded if the customer insists.
_RULES = {
    "proof": re.compile(r"房产证|产权证|房本|补卡|proof of (?:property|ownership)|replacement card", re.IGNORECASE),
    "arrears": re.compile(
        r"(?<!没)(?<!没有)(?<!不)欠费.{0,8}(?:停|断|掐)|(?:停|断|掐).{0,8}(?<!没)(?<!没有)(?<!不)欠费"
        r"|没(?:有)?(?:交|缴)(?:电|水)?(?:费|钱).{0,8}(?:停|断|掐)"
        r"|\bcut\b.{0,36}(?:arrears|unpaid|not pa(?:y|id)|n'?t pa(?:y|id)|overdue)"
        r"|disconnect\w*.{0,20}(?:arrears|unpaid|not pa(?:y|id)|n'?t pa(?:y|id)|bill|debt|overdue)",
        re.IGNORECASE,
    ),
}
#: "First the power": what is wanted before the complaint, or instead of it.
_FIRST = re.compile(r"先|还是|算了|\bfirst\b|\binstead\b|\bnever ?mind\b|\bforget\b", re.IGNORECASE)
_REPORT = re.compile(r"我要报修|帮我报修|报个修|\breport (?:a|an|the|my)\b", re.IGNORECASE)
_DROPPED = re.compile(
    r"算了|不投诉|别投诉|不(?:用|要)(?:再)?投诉|\bnever ?mind\b|\bforget\b|\bno complaint\b", re.IGNORECASE
)
#: Customers tell it in pieces: so many messages are listened to before the next question.
MOST_PIECES = 6


_PRAISE = re.compile(r"表扬|夸|锦旗|点赞|感谢.{0,6}师傅|\bprais|\bcompliment|\bwell done\b|great job", re.IGNORECASE)


class Complaint(PlaceSteps, ContactSteps):
    """`memory`: said, pieces, wish, utility."""

    name = "complaint"
    rank = COMPLAINT
    title: ClassVar[dict[str, str]] = {"zh": "您的投诉", "en": "your complaint"}
    free_steps = frozenset({"story", "wish"})

    async def start(self, turn: Turn) -> None:
        if _PRAISE.search(turn.words) and not wants_to_complain(turn.words):
            turn.leave()
            turn.say("utter_praise")
            return
        remember_words(turn)
        await self._place_said(turn)
        said_of = turn.entity("utility")
        turn.memory["utility"] = said_of if said_of in ("power", "water") else utility_of(turn.slots)
        complains = wants_to_complain(turn.words) or bool(turn.memory.get("resumed"))
        if _OFF_NOW.search(turn.words) and not complains:
            # Angry, but what is needed first is supply, and nobody asked for a complaint to be filed.
            water = turn.memory.get("utility") == "water"
            turn.leave()
            await begin(turn, "water" if water else "outage")
            return
        # What was told or filed already in this conversation need not come first once more.
        dealt_with = bool(turn.slots["outage"] or turn.slots["ticket"])
        trouble = None if turn.memory.get("resumed") or dealt_with else supply_trouble(turn.words)
        if trouble:
            await self._supply_first(turn, trouble)
            return
        if not turn.memory.get("resumed"):
            turn.say("utter_complaint_welcome")
        if _OFF_NOW.search(turn.words) and not dealt_with:
            turn.ask("order", "utter_complaint_supply_first", [SUPPLY_FIRST, COMPLAINT_FIRST])
        elif not await self._rule(turn):
            self._listen(turn)

    async def answer_order(self, turn: Turn) -> None:
        if turn.option == "supply" or turn.yes:
            await self._supply_first(turn, str(turn.memory.get("utility")))
        else:
            remember_words(turn)
            self._listen(turn)

    async def _supply_first(self, turn: Turn, utility: str) -> None:
        """Supply before complaint (B13); the complaint is taken up when that is done."""
        turn.leave()
        also(turn, self.name)
        await begin(turn, "water" if utility == "water" else "outage")

    async def _rule(self, turn: Turn) -> bool:
        """Explain the rule where one explains it, once; True when that was done."""
        rule = next((name for name, pattern in _RULES.items() if pattern.search(turn.words)), None)
        if rule is None or turn.memory.get("rule"):
            return False
        turn.memory["rule"] = rule
        turn.say(f"utter_rule_{rule}")
        turn.ask("rule", "utter_ask_still_complain", [STILL, NO])
        return True

    async def answer_rule(self, turn: Turn) -> None:
        if turn.option == "no" or turn.no or turn.intent in ("thank", "goodbye"):
            turn.say("utter_complaint_understood")
            await finish(turn)
        else:
            remember_words(turn)
            self._listen(turn)

    def _listen(self, turn: Turn) -> None:
        if turn.memory.get("pieces"):
            turn.ask("story", "utter_complaint_go_on", [ALL_SAID])
        else:
            turn.ask("story", "utter_complaint_listen", [ALL_SAID])

    async def _other_wish(self, turn: Turn) -> bool:
        """ "算了，先报修停电": supply first, and the complaint later or not at all; True where that was said."""
        wish = wish_in(turn.words)
        if wish not in ("outage", "water") or not (_FIRST.search(turn.words) or _REPORT.search(turn.words)):
            return False
        dropped = bool(_DROPPED.search(turn.words))
        said = [*turn.memory.get("said", [])]
        turn.leave()
        if dropped:
            turn.say("utter_complaint_dropped")
        else:
            also(turn, self.name)
            for waiting in turn.later:
                if waiting["name"] == self.name:
                    waiting["said"] = said
        await begin(turn, wish)
        return True

    async def answer_story(self, turn: Turn) -> None:
        if await self._other_wish(turn):
            return
        if turn.raw and not _ONLY_DONE.fullmatch(turn.words.strip()):
            remember_words(turn)
            words, number = turn.raw[:LONGEST_SAID], ONLY_A_NUMBER.fullmatch(turn.words)
            if words not in turn.memory["said"] and not number and turn.intent not in ("greet", "thank", "affirm"):
                turn.memory["said"].append(words)  # in a story every word counts
        turn.memory["pieces"] = turn.memory.get("pieces", 0) + 1
        await self._place_said(turn)
        # A phone number in the story means that the customer is done telling it.
        finished = turn.option == "done" or turn.no or _DONE.search(turn.words) or turn.entity("phone")
        if not finished and await self._rule(turn):
            return
        self._take_contact(turn)
        if "damage_claim" in besides_supply(turn.words):
            also(turn, "damage_claim")  # an order of its own (A5)
        if finished or turn.memory["pieces"] >= MOST_PIECES:
            turn.ask("wish", "utter_complaint_ask_wish")
        else:
            self._listen(turn)

    async def _place_said(self, turn: Turn) -> None:
        """Where it is, told in the story, goes onto the order."""
        if looks_like_address(turn.words) and not turn.place.get("resolved"):
            best = await place_instead(turn, turn.words)
            if best:
                self._take_place(turn, best)

    async def answer_wish(self, turn: Turn) -> None:
        if _ONLY_DONE.fullmatch(turn.words.strip()) and not turn.memory.get("wish_asked"):
            turn.memory["wish_asked"] = True
            turn.ask_again()
            return
        if await self._other_wish(turn):
            return
        name = name_beside_number(turn.raw) if turn.entity("phone") else None
        turn.memory["wish"] = without_contact(turn.raw, name)
        await self.need_contact(turn)

    async def again(self, turn: Turn) -> None:
        await self.answer(turn)

    async def contact_known(self, turn: Turn) -> None:
        wish = turn.memory.get("wish")
        await file_ticket(
            turn,
            kind="complaint",
            utility=turn.memory.get("utility") or "power",
            topic="complaint",
            symptom=turn.pick(
                f"投诉。客户希望：{wish or '未说明'}",
                f"Complaint. The customer wants: {wish or 'not said'}",
            ),
            response="utter_complaint_filed",
        )
        turn.say("utter_complaint_next" if can_be_called(turn) else "utter_complaint_next_unnamed")
        await finish(turn)

    ask_contact = "utter_complaint_ask_contact"


_APPLIANCE = re.compile(
    r"冰箱|冰柜|电视|电脑|笔记本|空调|洗衣机|热水器|电饭|微波|路由|主板|硬盘|灯|水泵|机器|设备|鱼|海鲜|肉|药|货"
    r"|fridge|freezer|\btv\b|television|computer|laptop|\bpc\b|washing|boiler|heater|router|microwave|modem|pump"
    r"|machine|appliance|air ?con|food|meat|fish|stock|charger|monitor|printer|lamp",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"昨|前天|今天|今早|刚才|上午|下午|晚上|早上|凌晨|中午|星期|周[一二三四五六日末]|\d+\s*[点号日月]"
    r"|[一二三四五六七八九十]+点"
    r"|yesterday|today|tonight|last night|this (?:morning|afternoon|evening)|\bago\b|\d+ ?(?:am|pm|:\d\d)"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|o'?clock",
    re.IGNORECASE,
)


_ASKS_IF_PAID = re.compile(
    r"(?:赔(?:钱|偿|不赔|付)?|补偿)(?:我们?|钱)?(?:吗|么|不|嘛)|(?:会|能|给|有没有|有)(?:不(?:会|能|给))?.{0,4}(?:赔|补偿).{0,3}(?:吗|么|不|[?？])"
    r"|\b(?:do|will|would|can|does) (?:you|the company|i|we|anyone) .{0,12}(?:pay|compensat\w*|reimburse)\b"
    r"(?=[^.]*\?|[^.]*$)",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"昨|前天|上次|上周|刚才|之后|以后|再来电|来电|恢复|当时|那天"
    r"|\b(?:yesterday|last|ago|came back|was|were|after|when)\b",
    re.IGNORECASE,
)


def mentions_appliance(words: str) -> bool:
    """Whether a message names an appliance or goods that may have come to harm."""
    return bool(_APPLIANCE.search(words))


class DamageClaim(PlaceSteps, ContactSteps):
    """An appliance or goods harmed by a cut or surge (A5): what, when, where; contact within 24 hours."""

    name = "damage_claim"
    rank = COMPLAINT
    title: ClassVar[dict[str, str]] = {"zh": "损坏索赔", "en": "the damage claim"}
    free_steps = frozenset({"what", "when"})
    done_steps = frozenset({"register"})
    ask_contact = "utter_complaint_ask_contact"

    async def start(self, turn: Turn) -> None:
        if _ASKS_IF_PAID.search(turn.words) and not _APPLIANCE.search(turn.words) and not turn.memory.get("resumed"):
            turn.ask("register", "utter_damage_general", [READINGS["damage_claim"], PERSON])
            return
        wish = wish_in(turn.words)
        if wish in ("outage", "water") and not turn.memory.get("resumed") and not _OVER.search(turn.words):
            # Supply is off right now: that comes first (B13).
            turn.leave()
            also(turn, self.name)
            await begin(turn, wish)
            return
        turn.say("utter_damage_sorry")
        await self._next(turn)

    async def answer_register(self, turn: Turn) -> None:
        if turn.no:
            turn.leave()
            turn.say("utter_anything_else")
        elif turn.yes or turn.intent == "damage_claim" or _APPLIANCE.search(turn.words):
            turn.say("utter_damage_sorry")
            await self._next(turn)
        else:
            await self.misunderstood(turn)

    async def answer_what(self, turn: Turn) -> None:
        turn.memory["what"] = not looks_like_address(turn.words)
        await self._next(turn)

    async def answer_when(self, turn: Turn) -> None:
        turn.memory["when"] = not looks_like_address(turn.words)
        await self._next(turn)

    async def again(self, turn: Turn) -> None:
        await self.answer(turn)

    def heard_beside(self, turn: Turn) -> bool:
        return self._harvest(turn)

    def _harvest(self, turn: Turn) -> bool:
        """Take what, when and whom to call from any message; True where there was something."""
        remember_words(turn)
        self._take_contact(turn)
        told = " ".join([*turn.memory.get("said", []), turn.words])
        what, when = bool(_APPLIANCE.search(told)), bool(_WHEN.search(told))
        turn.memory["what"] = turn.memory.get("what") or what
        turn.memory["when"] = turn.memory.get("when") or when
        return what or when or bool(turn.entity("phone"))

    async def _next(self, turn: Turn) -> None:
        """Ask only for what is still missing: what, when, where, whom to call."""
        self._harvest(turn)
        if not turn.place.get("resolved") and looks_like_address(turn.words):
            named = await place_instead(turn, turn.words)
            if named:
                self._take_place(turn, named)
        if not turn.memory.get("what"):
            turn.ask("what", "utter_damage_ask_what")
        elif not turn.memory.get("when"):
            turn.ask("when", "utter_damage_ask_when")
        elif turn.place.get("resolved"):
            await self.place_known(turn)
        else:
            await self.need_place(turn)

    async def place_known(self, turn: Turn) -> None:
        await self.need_contact(turn)

    async def contact_known(self, turn: Turn) -> None:
        await file_ticket(
            turn,
            kind="damage_claim",
            utility="water" if turn.entity("utility") == "water" else "power",
            topic="damage_claim",
            symptom=turn.pick("家电/财产损坏核损", "Damage claim"),
            response="utter_damage_filed",
        )
        turn.say("utter_damage_next" if can_be_called(turn) else "utter_damage_next_unnamed")
        await finish(turn)


class ActionComplaint(DeskAction):
    """The wish to complain."""

    action = "action_complaint"

    async def act(self, turn: Turn) -> None:
        # "Not the water, I meant the power" is about supply, whatever it sounds like.
        slip = None if wants_to_complain(turn.words) else instead(turn.words)
        await begin(turn, slip or "complaint")


class ActionDamageClaim(DeskAction):
    """Harm by a cut or surge."""

    action = "action_damage_claim"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "damage_claim")
