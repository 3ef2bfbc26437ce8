"""Questions with an answer that needs no account: planned cuts, prices, outlets, articles (B4, B6–B8, E8, E10).

Asked in the middle of a journey, they are answered and the pending question is put again.
"""

import re
from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from bot.actions.articles import Withheld, article_for, lines, tell_article
from bot.actions.desk import DeskRefused, Json
from bot.actions.journey import MEANT, REST, DeskAction, Journey, begin, finish, first, running
from bot.actions.outlets import outlet_lines, outlets_near
from bot.actions.place import PlaceSteps, address_of, place_instead
from bot.actions.place_words import NUMBERED
from bot.actions.readings import PERSON
from bot.actions.remarks import asks_length
from bot.actions.supply import describe
from bot.actions.supply_known import KnownSteps
from bot.actions.times import local_zone, parse_time
from bot.actions.turn import Turn
from bot.actions.wishes import wants_to_complain, wish_in

_WATER = re.compile(r"水|water|tap", re.IGNORECASE)
_POWER = re.compile(r"电|power|electric|light|current", re.IGNORECASE)
_HALL = re.compile(r"营业厅|柜台|大厅|服务厅|\bhall\b|\boffice\b|\bcounter\b", re.IGNORECASE)
#: Business for which there is no article: named rather than answered with the nearest one (B5).
_PAPERWORK = re.compile(
    r"过户|报装|新装|增容|开户|销户|更名|transfer of|new connection|change (?:the|of) name", re.IGNORECASE
)
_TOMORROW = re.compile(r"明天|明日|tomorrow", re.IGNORECASE)
#: "And there?": the same question for another place.
_ELSEWHERE = re.compile(
    r"(?:那么?|还有|另外|再问一?下|请问)?[,，]?(?P<zh>.{2,40}?)"
    r"(?:呢|怎么样|咋样|停不停|也?会?停吗|也(?:是|停|没电|没水)(?:电|水)?了?吗)[?？。 ]*"
    r"|(?:and|or|what about|how about|also)(?: what about| how about)?,?(?: (?:at|in|for))? (?P<en>.{3,60}?)[?. ]*"
    r"|(?:is|are|has) (?P<also>.{3,60}?) (?:also|too)?[ ]?(?:off|out|affected|without (?:power|water))"
    r"(?: too| as well)?[?. ]*",
    re.IGNORECASE,
)
_TODAY = re.compile(r"今天|今日|现在|today|tonight|now", re.IGNORECASE)


class Planned(PlaceSteps):
    """Will there be a cut (B10): this address if our data tells, and said plainly where it does not."""

    name = "planned"
    rank = REST
    title: ClassVar[dict[str, str]] = {"zh": "计划停电停水", "en": "planned cuts"}

    async def start(self, turn: Turn) -> None:
        words = turn.words
        utility = turn.entity("utility")
        both = not utility and bool(_WATER.search(words)) == bool(_POWER.search(words))
        turn.memory["utilities"] = (
            ["power", "water"] if both else [utility or ("water" if _WATER.search(words) else "power")]
        )
        turn.memory["utility"] = None if both else turn.memory["utilities"][0]
        turn.memory["day"] = 1 if _TOMORROW.search(words) else 0 if _TODAY.search(words) else None
        turn.memory["asked"] = {name: turn.memory[name] for name in ("utilities", "day")}
        await self.need_place(turn)

    async def once_more(self, turn: Turn, asked: Json, *, length: bool = False) -> None:
        """The same question about the same place ("why?", "how long?"): what is announced is told again."""
        turn.enter(self.name, **asked, asked=asked, length=length)
        await self.place_known(turn)

    async def elsewhere(self, turn: Turn, asked: Json, words: str) -> bool:
        """The same question about another place; False, and nothing changed, where the words name none."""
        before = dict(turn.place)
        if day := _TOMORROW.search(words) or _TODAY.search(words):
            asked = {**asked, "day": 1 if _TOMORROW.search(words) else 0}
            words = words.replace(day[0], "")
        if turn.entity("utility"):
            asked = {**asked, "utilities": [turn.entity("utility")]}
        turn.enter(self.name, **asked, asked=asked)
        if await self._from_words(turn, words, whole_sentence=True):
            return True
        best = await place_instead(turn, words)  # "3栋", of the estate told before
        if best:
            self._take_place(turn, best)
            await self.place_known(turn)
            return True
        turn.leave()
        turn.slots["place"] = before
        return False

    async def again(self, turn: Turn) -> None:
        await self.answer(turn)

    async def whole_place_known(self, turn: Turn, place: Json) -> bool:
        """Planned work is announced by estate: no building number is needed where it covers all of it or nothing."""
        told: list[Json] = []
        for utility in turn.memory["utilities"]:
            found = await turn.desk.get(f"/places/{place['id']}/outages", utility=utility)
            if found.get("outages") and not found.get("covers_all"):
                return False
            told += found.get("outages", [])
        turn.slots["place"] = {
            "place_id": place["id"],
            "address_zh": place["name_zh"],
            "address_en": place["name_en"],
            "name": place["name_zh"],
            "resolved": True,
        }
        await self._tell(turn, told)
        return True

    async def place_known(self, turn: Turn) -> None:
        point = turn.place.get("service_point_id")
        if not point and turn.place.get("place_id"):
            names = {"name_zh": turn.place["address_zh"], "name_en": turn.place["address_en"]}
            if await self.whole_place_known(turn, {"id": turn.place["place_id"], **names}):
                return
        if not point:
            turn.say("utter_planned_unknown_place")
            await finish(turn)
            return
        outages: list[Json] = []
        for utility in turn.memory["utilities"]:
            situation = await turn.desk.get(f"/service-points/{point}/situation", utility=utility)
            outages += situation.get("outages", [])
        await self._tell(turn, outages)

    async def _tell(self, turn: Turn, outages: list[Json]) -> None:
        day = turn.memory.get("day")
        relevant = [o for o in outages if o["kind"] != "predicted" and (day is None or _on_day(o, day))]
        for outage in relevant:
            response = "utter_planned_notice" if outage["kind"] == "planned" else "utter_fault_notice"
            if outage["phase"] == "current":
                turn.slots["outage"] = outage["id"]  # "any news?" is about that
            what = {"zh": "停水" if outage["utility"] == "water" else "停电", "en": f"{outage['utility']} cut"}
            turn.say(response, what=what, **describe(outage, turn.place))
        if not relevant:
            when = {0: {"zh": "今天", "en": "today"}, 1: {"zh": "明天", "en": "tomorrow"}}.get(
                -1 if day is None else day, {"zh": "近七天", "en": "in the next seven days"}
            )
            kinds = turn.memory["utilities"]
            what = {
                "zh": "停电或停水" if len(kinds) > 1 else "停水" if kinds == ["water"] else "停电",
                "en": "power or water cut" if len(kinds) > 1 else f"{kinds[0]} cut",
            }
            response = "utter_no_planned_length" if turn.memory.get("length") else "utter_no_planned"
            turn.say(response, when=when, what=what, address=address_of(turn.place))
        turn.place["planned"] = turn.memory["asked"]
        await finish(turn)


PLANNED = Planned()


@first
async def and_there(turn: Turn) -> bool:
    """ "And Building 7, Hetai Garden?" after a question about announced cuts, or after an outage was told."""
    said, active = _ELSEWHERE.fullmatch(turn.words.strip()), running(turn)
    if said is None or turn.metadata.get("danger") or wants_to_complain(turn.words):
        return False
    words = said["zh"] or said["en"] or said["also"]
    told = isinstance(active, KnownSteps) and turn.step in active.done_steps
    if active is None and turn.place.get("planned") and not wish_in(turn.words):
        return await PLANNED.elsewhere(turn, turn.place["planned"], words)
    if not (told or (active is None and turn.slots["outage"])) or not NUMBERED.search(words):
        return False
    outage = active if told else Journey.registry["water" if await _is_water(turn) else "outage"]
    return isinstance(outage, KnownSteps) and await outage.elsewhere(turn, words)


async def _is_water(turn: Turn) -> bool:
    try:
        outage = await turn.desk.get(f"/outages/{turn.slots['outage']}")
    except DeskRefused:
        return False
    return bool(outage["utility"] == "water")


@first
async def how_long(turn: Turn) -> bool:
    """ "How long?" after a question about announced cuts is about those; nobody reports a fault by it."""
    asked = turn.place.get("planned")
    if running(turn) is not None or turn.metadata.get("danger") or not (asked and asks_length(turn.words)):
        return False
    await PLANNED.once_more(turn, asked, length=True)
    return True


def _on_day(outage: Json, days_ahead: int) -> bool:
    """Whether an outage touches the local day so many days ahead."""
    now = datetime.now(UTC).astimezone(local_zone())
    start_of_day = (now + timedelta(days=days_ahead)).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = parse_time(outage["starts_at"]) or now
    ends = parse_time(outage.get("ended_at") or outage.get("expected_end_at")) or begins + timedelta(hours=1)
    return begins < start_of_day + timedelta(days=1) and ends > start_of_day


class Aside(DeskAction):
    """An answer that interrupts nothing: said, then the pending question once more."""

    @abstractmethod
    async def tell(self, turn: Turn) -> None:
        """Say the answer."""

    async def act(self, turn: Turn) -> None:
        active = running(turn)
        if active is not None and turn.option is None and (turn.confidence < MEANT or active.keeps(turn)):
            await active.answer(turn)
            return
        await self.tell(turn)
        turn.ask_again()


class ActionPlannedOutage(DeskAction):
    """Planned cuts."""

    action = "action_planned_outage"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "planned")


class ActionOutlet(Aside):
    """Where to buy power or pay, and when it is open."""

    action = "action_outlet"

    async def tell(self, turn: Turn) -> None:
        utility = turn.entity("utility")
        wants_hall = bool(_HALL.search(turn.words))
        items = await outlets_near(turn, str(utility) if utility else None, hall=wants_hall)
        if not items:
            turn.say("utter_no_outlets")
            return
        turn.say("utter_outlets", outlets=outlet_lines(items))
        hall = next((o for o in items if not o.get("round_the_clock")), None)
        if hall:
            turn.say("utter_outlet_hours", hours=hours_line(hall.get("hours") or {}))


def hours_line(hours: Json) -> dict[str, str]:
    """Opening hours of a week in one line per language, equal days joined."""
    if not hours:
        return {"zh": "营业时间暂时不清楚", "en": "opening hours not known"}
    days = [("mon", "周一", "Mon"), ("tue", "周二", "Tue"), ("wed", "周三", "Wed"), ("thu", "周四", "Thu")]
    days += [("fri", "周五", "Fri"), ("sat", "周六", "Sat"), ("sun", "周日", "Sun")]
    runs: list[list[tuple[str, str, str]]] = []
    for day in days:
        if runs and (hours.get(runs[-1][-1][0]) or []) == (hours.get(day[0]) or []):
            runs[-1].append(day)
        else:
            runs.append([day])
    zh, en = [], []
    for run in runs:
        spans = hours.get(run[0][0]) or []
        zh.append(f"{run[0][1]}{'至' + run[-1][1] if len(run) > 1 else ''}{'、'.join(spans) if spans else '休息'}")
        en.append(f"{run[0][2]}{'–' + run[-1][2] if len(run) > 1 else ''} {', '.join(spans) if spans else 'closed'}")
    return {"zh": "；".join(zh), "en": "; ".join(en)}


class ActionPrice(Aside):
    """Tariff and rules, from the utility's own facts."""

    action = "action_price"

    async def tell(self, turn: Turn) -> None:
        facts = await turn.desk.get("/facts")
        tariffs = facts.get("tariffs") or {}
        words, utility = turn.words, turn.entity("utility")
        wanted = (
            [str(utility)] if utility else [u for u, p in (("power", _POWER), ("water", _WATER)) if p.search(words)]
        )
        # The loss share of an estate (E8); where that rule is open, the general price is no answer (B5).
        try:
            article = await article_for(turn, "ask_price")
        except Withheld:
            turn.say("utter_article_to_check", [PERSON])
            return
        particular = article if article and article.get("specific") else None
        if particular and not wanted:
            wanted = [particular["utility"]]
        for name in wanted or ["power", "water"]:
            text = tariffs.get(name)
            if isinstance(text, dict) and text.get(turn.language):
                turn.tell(str(text[turn.language]))
            else:
                turn.say("utter_price_unknown")
                break
        for line in lines(particular, turn) if particular else ():
            turn.tell(line)


class ActionDiscount(Aside):
    """Low-income discount (E10)."""

    action = "action_discount"

    async def tell(self, turn: Turn) -> None:
        await tell_article(turn, "low_income_discount")


class ActionFaq(Aside):
    """Questions with a sourced answer, an article of the desk."""

    action = "action_faq"

    async def tell(self, turn: Turn) -> None:
        if _PAPERWORK.search(turn.words):
            turn.say("utter_at_the_hall")
        else:
            await tell_article(turn, turn.intent)
