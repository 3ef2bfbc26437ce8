"""Finding out where: from the customer's words, an earlier turn, or a question (D6).

One clear candidate is named back in words; several become choices; a near one is asked about; none is asked for once
more, and then the words are taken as they are and the place is marked unresolved.
"""

import re
from typing import Any, ClassVar

from bot.actions.desk import Json
from bot.actions.journey import Journey
from bot.actions.turn import NO, YES, Option, Turn

CLEAR, PLAUSIBLE = 85, 60
#: In a whole sentence less is a chance resemblance.
HEARD = 80
#: A second candidate this close to the first makes a choice necessary.
MARGIN = 6
MOST_CHOICES = 4
#: Shorter replies hold no address.
SHORTEST = 2

LONGEST_QUERY = 1_000
_NONE_OF_THEM = Option("none", "都不是", "None of these")
#: What is put in the place of something denied or called wrong.
_CORRECTION = re.compile(
    r"(?<!是)不是[^,，、。]{1,20}[,，、。\s]+(?:而|应该)?(?:是在?|在)(?P<zh0>.{2,40})$"
    r"|(?<!是)不是(?!不是).{0,20}?(?:[,，、。\s]|而)*(?<![不还])(?:是|在)(?P<zh>.{2,40})$"
    r"|(?:地址|地方|位置|[说搞写打记弄填听看]).{0,6}?(?:错了|错(?!了)|不对|有误)[,，。\s]*(?:应该|其实)?(?:是"
    r"|在)?(?P<zh2>.{2,40})$"
    r"|(?<!不)(?:应该是|改成|改为|更正为|我说的是)(?P<zh3>.{2,40})$"
    r"|\bnot (?!sure|only|just|yet|really|working|at all|possible|now|good|ok|back|fixed|that).{1,40}?(?:,| but"
    r"| rather)\s*"
    r"(?:it'?s|it is|i'?m at|at)?\s*(?P<en>.{1,60})$"
    r"|\b(?:i meant|correction:?|i mean|(?:it|that) should (?:be|read))\s+(?P<en2>.{1,60})$"
    r"|\b(?:wrong address|address is wrong|wrong number|wrong building)\W+(?:it'?s|it is"
    r"|(?:it )?should be)?\s*(?P<en3>.{1,60})$",
    re.IGNORECASE,
)
#: Looser forms, taken only where what they give is a place: "no it's number 12", "5栋，不是3栋".
_LOOSE_CORRECTION = re.compile(
    r"(?:^|[,.;]\s*)(?:no|nope|sorry|wait|actually|oops|oh|wrong)\b[\s,.!]*(?:sorry|no|wait|actually|wrong)?[\s,.!]*"
    r"(?:it'?s|it is|that'?s|i'?m (?:at|in)|we'?re (?:at|in)|i live (?:at|in))\s+(?P<en>.{1,60})$"
    r"|^(?:it'?s |it is )?(?P<en2>.{1,30}?),? (?:and )?not .{1,30}$"
    r"|\b(?:it'?s|it is|i'?m (?:at|in))\s+(?P<en4>[^,]{1,40}),?\s+not\b"
    r"|(?:^|[,，。\s])(?:不对|不是的?(?=[,，。!！\s])|错了|哦|噢|等等|不好意思|更正)[,，。!！\s]*(?:我家)?(?:应该)?(?:是|在)?(?P<zh>[^,，。]{1,40})$"
    r"|^(?:我家)?(?:是|在)?(?P<zh2>.{1,20}?)[,，]?(?:而)?(?<!是)不是.{1,20}$",
    re.IGNORECASE,
)
#: Never a place: a question, a fault, an amount, a time.
_NO_PLACE = re.compile(
    r"[吗？?]|\d{6}|取消|不报|不用|想改|交费|谢谢|什么|怎么|为什么|跳闸|停电|停水|没电|没水|坏了|故障|漏|\d\s*(?:块|元|度|方|吨|点|个?小时|分钟|天|岁)"
    r"|\d\s*(?:yuan|rmb|kwh|units?|%|o'clock|hours?|days?|minutes?|am|pm)\b",
    re.IGNORECASE,
)

#: What answers "where" with something else altogether.
_NO_ADDRESS = frozenset({"out_of_scope", "greet", "thank", "ask_outage_status", "make_complaint", "bot_challenge"})
_NUMBERED = re.compile(r"\d|[一二三四五六七八九十](?:栋|幢|号|座)")
_LEAD_IN = re.compile(
    r"^(?:就是|我说的是|我说了|地址是|我在|住在|在|i (?:told you|said),?|it'?s|it is|at|the address is)[\s,，:：]*",
    re.IGNORECASE,
)
_DIGITS_ONLY = re.compile(r"[\dXx\s-]{5,}")
#: So short a reply that is no address tells no place at all.
_TELLS_NOTHING = 3
_ADDRESS = re.compile(
    r"[\d一二三四五六七八九十]+\s*(?:栋|幢|号|座|单元|组|社|弄)|(?:路|街|(?<!知)道|巷|小区|花园|家园|广场|大厦|公寓"
    r"|村|苑|城|镇)"
    r"(?:[^\u4e00-\u9fff]|$|\d)|[\u4e00-\u9fff]{2,}(?:路|街|巷|小区|花园|家园|大厦|公寓|村"
    r"|苑)[\d一二三四五六七八九十]"
    r"|\b(?:building|bldg|block|road|rd|street|st|avenue|garden|estate|village|plaza|unit|lane|court|tower|number"
    r"|no\.?) ?#?\d+"
    r"|\b\d+[a-z]? [\w ]{0,20}\b(?:road|rd|street|st|avenue|lane)\b|\b(?:road|rd|street|estate|village|plaza|lane"
    r"|gardens?)\b"
    r"|\b(?:building|bldg|block|unit) [a-z0-9]{1,4}\b|^\d{1,4}[A-Za-z]?$",
    re.IGNORECASE,
)


def corrected_words(text: str) -> str | None:
    """What the customer puts in place of what was understood: "不是三栋，是五栋" gives "五栋"."""
    said = text.replace("’", "'").strip()
    for pattern in (_CORRECTION, _LOOSE_CORRECTION):
        match = pattern.search(said)
        words = next((part.strip(" 。.，,!！") for part in match.groups() if part), "") if match else ""
        if words and not _NO_PLACE.search(words) and (pattern is _CORRECTION or _ADDRESS.search(words)):
            return words
    return None


def looks_like_address(words: str) -> bool:
    """Whether a message holds a building or house number, or a word that places end in."""
    return bool(_ADDRESS.search(words))


def address_of(place: Json) -> dict[str, str]:
    """The address in both languages, with the room the customer named."""
    detail = place.get("detail") or ""
    return {
        "zh": f"{place.get('address_zh') or place.get('words', '')}{detail}",
        "en": f"{place.get('address_en') or place.get('words', '')}{', ' + detail if detail else ''}",
    }


class PlaceSteps(Journey):
    """A journey that needs a place. Calls `place_known` once there is one (`turn.place`)."""

    ask_place = "utter_ask_place"
    #: Whether a place known from before is asked about rather than taken.
    same_place_asked: ClassVar[bool] = False

    async def place_known(self, turn: Turn) -> None:
        raise NotImplementedError

    async def need_place(self, turn: Turn) -> None:
        """Take the place from this message or an earlier one, else ask."""
        if turn.place.get("given_now"):
            turn.place.pop("given_now")
            await self.place_known(turn)
            return
        if len(turn.words) >= SHORTEST and await self._from_words(turn, turn.words, whole_sentence=True):
            return
        if _ADDRESS.search(turn.words) and _NUMBERED.search(turn.words) and not turn.place.get("resolved"):
            # An address was given, but not one of ours: say so rather than ask as if nothing had been said.
            turn.memory["place_asked"] = turn.words
            turn.ask("place", "utter_ask_place_again")
            return
        if turn.place.get("resolved") and self.same_place_asked:
            turn.ask("place_same", "utter_ask_same_place", [YES, NO], address=address_of(turn.place))
            return
        if turn.place.get("resolved"):
            # It is named in the next sentence, and can be corrected.
            await self.place_known(turn)
            return
        turn.ask("place", self.ask_place)

    def keeps(self, turn: Turn) -> bool:
        asked = (turn.step or "").startswith("place")
        return (asked and bool(_ADDRESS.search(turn.words))) or super().keeps(turn)

    async def answer(self, turn: Turn) -> None:
        step = turn.step or ""
        words = corrected_words(turn.words)
        # An address said later takes the place of one that was not found.
        unresolved = turn.place and not turn.place.get("resolved") and looks_like_address(turn.words)
        words = words or (turn.words if unresolved else None)
        if words and not step.startswith("place") and turn.place and await self._corrected(turn, words):
            return
        await super().answer(turn)

    async def answer_place(self, turn: Turn) -> None:
        if len(turn.words) >= SHORTEST and await self._from_words(turn, turn.words, whole_sentence=False):
            return
        if _DIGITS_ONLY.fullmatch(turn.words):
            turn.ask_again()  # an account or phone number is no address
        elif not looks_like_address(turn.words) and (turn.entity("time") or turn.intent in _NO_ADDRESS):
            turn.ask_again()
        elif self.heard_beside(turn):
            # Extent or phone, given before the place: kept, and no failed try.
            turn.ask_again()
        elif turn.memory.get("place_asked"):
            await self._unresolved(turn)
        else:
            turn.memory["place_asked"] = turn.words
            turn.ask("place", "utter_ask_place_again")

    def heard_beside(self, turn: Turn) -> bool:
        """Hook: True where the message holds another thing the journey needs, and no address."""
        return False

    async def answer_place_same(self, turn: Turn) -> None:
        if turn.yes:
            await self.place_known(turn)
        elif len(turn.words) >= SHORTEST and await self._from_words(turn, turn.words, whole_sentence=True):
            return
        elif turn.no:
            turn.slots["place"] = {}
            turn.ask("place", self.ask_place)
        elif self.heard_beside(turn):
            turn.ask_again()
        else:
            await self.misunderstood(turn)

    async def answer_place_confirm(self, turn: Turn) -> None:
        if turn.yes:
            self._take_place(turn, turn.memory.pop("place_guess"))
            await self.place_known(turn)
        elif len(turn.words) >= SHORTEST and await self._from_words(turn, _after_no(turn.words), whole_sentence=True):
            return
        elif turn.no:
            turn.memory["place_asked"] = turn.memory.get("place_asked") or turn.words or "-"
            turn.ask("place", "utter_ask_place_again")
        else:
            await self.misunderstood(turn)

    async def answer_place_choice(self, turn: Turn) -> None:
        guesses: list[Json] = turn.memory.get("place_guesses", [])
        chosen = next((g for g in guesses if g["service_point_id"] == turn.option), None)
        chosen = chosen or _by_position(turn, guesses) or _by_part(turn, guesses)
        if chosen:
            self._take_place(turn, chosen)
            await self.place_known(turn)
        elif turn.option == "none" or turn.no:
            turn.ask("place", "utter_ask_place_again")
        elif len(turn.words) >= SHORTEST and await self._from_words(turn, turn.words, whole_sentence=False):
            return
        else:
            await self.misunderstood(turn)

    async def answer_place_number(self, turn: Turn) -> None:
        name = turn.memory.get("place_name", "")
        if turn.words and await self._from_words(turn, f"{name}{_as_number(turn.words)}", whole_sentence=False):
            return
        if self.heard_beside(turn) and not turn.memory.get("number_asked"):
            turn.memory["number_asked"] = True
            turn.ask_again()
        elif turn.memory.get("number_asked") or _gives_up(turn):
            numbered = _NUMBERED.search(turn.words)
            said = f"{name}{_LEAD_IN.sub('', turn.words)}" if numbered else turn.memory.get("place_asked") or name
            await self._take_as_said(turn, said)
        else:
            turn.memory["number_asked"] = True
            turn.ask("place_number", "utter_ask_number_again", name=turn.memory.get("place_names", name))

    async def _corrected(self, turn: Turn, words: str) -> bool:
        best = await place_instead(turn, words)
        if best is None:
            return False
        self._take_place(turn, best)
        self.place_changed(turn)
        turn.say("utter_place_corrected", address=address_of(turn.place))
        await self.place_known(turn)
        return True

    async def _from_words(self, turn: Turn, words: str, *, whole_sentence: bool) -> bool:
        """Look the words up. True when something was said or done about it.

        A whole sentence that is about something else often resembles some name a little: only a clear hit counts there.
        """
        found = await turn.desk.get("/places", q=words[:LONGEST_QUERY], limit=MOST_CHOICES + 1)
        place: Json = found.get("place") or {}
        candidates: list[Json] = [
            {**c, "detail": found.get("detail", ""), "name": _name(found, c)} for c in found.get("candidates") or []
        ]
        if place.get("outside"):
            await self.outside(turn, place)
            return True
        if place.get("needs_number"):
            if turn.step == "place_number" and turn.memory.get("place_id") == place.get("id"):
                return False  # asked for already, and still none that exists
            if place.get("number_unknown"):
                turn.memory["place_asked"] = words
            turn.memory["place_name"] = place["name_zh"] if turn.zh else place["name_en"]
            turn.memory["place_names"] = {"zh": place["name_zh"], "en": place["name_en"]}
            turn.memory["place_id"] = place.get("id")
            if not await self.whole_place_known(turn, place):
                response = "utter_ask_number_unknown" if place.get("number_unknown") else "utter_ask_number"
                turn.ask("place_number", response, name=turn.memory["place_names"])
            return True
        least = HEARD if whole_sentence else PLAUSIBLE
        candidates = [c for c in candidates if c["score"] >= least]
        if not candidates:
            return False
        best = candidates[0]
        rivals = [c for c in candidates if best["score"] - c["score"] <= MARGIN]
        if len(rivals) > 1:
            turn.memory["place_guesses"] = rivals[:MOST_CHOICES]
            turn.ask(
                "place_choice",
                "utter_ask_which_place",
                [Option(c["service_point_id"], c["address_zh"], c["address_en"]) for c in rivals[:MOST_CHOICES]]
                + [_NONE_OF_THEM],
            )
        elif best["score"] >= CLEAR:
            self._take_place(turn, best)
            await self.place_known(turn)
        else:
            turn.memory["place_guess"] = best
            turn.ask("place_confirm", "utter_confirm_place", [YES, NO], address=address_of(best))
        return True

    def place_changed(self, turn: Turn) -> None:
        """Hook: forget what was found out about the other place."""

    async def whole_place_known(self, turn: Turn, place: Json) -> bool:
        """Hook: True where the journey can answer for the whole place without a building number."""
        return False

    async def outside(self, turn: Turn, place: Json) -> None:
        """The address is served by a neighbouring unit (A3): name it, with its number."""
        outside = place["outside"]
        turn.leave()
        turn.say(
            "utter_outside_area",
            name={"zh": place["name_zh"], "en": place["name_en"]},
            unit={"zh": outside["unit_zh"], "en": outside["unit_en"]},
            phone=outside.get("phone", ""),
        )

    async def _unresolved(self, turn: Turn) -> None:
        before = str(turn.memory.get("place_asked") or "")
        # What was asked about is the place; other words ("no", "the neighbours too") are not.
        told = (
            [turn.words, before]
            if looks_like_address(turn.words) and before not in turn.words
            else [before or turn.words]
        )
        words = _LEAD_IN.sub("", next((w for w in told if _ADDRESS.search(w)), max(told, key=len)))
        await self._take_as_said(turn, words)

    async def _take_as_said(self, turn: Turn, words: str) -> None:
        if not looks_like_address(words) and (
            len(words) <= _TELLS_NOTHING or turn.intent in ("deny", "affirm", "cancel")
        ):
            turn.slots["place"] = {"words": "", "resolved": False}
            turn.say("utter_place_open")
            await self.place_known(turn)
            return
        turn.slots["place"] = {"words": words[:200], "resolved": False}
        turn.say("utter_place_as_said", words=words[:80])
        await self.place_known(turn)

    def _take_place(self, turn: Turn, candidate: Json) -> None:
        keep = ("service_point_id", "place_id", "address_zh", "address_en", "area_class", "detail", "name")
        turn.slots["place"] = {**{k: candidate.get(k) for k in keep}, "resolved": True, "words": turn.words[:200]}


async def place_instead(turn: Turn, words: str) -> Json | None:
    """The place that corrected words name: in full, or as another number of the place known so far."""
    name = turn.place.get("name") or ""
    number = re.search(r"\d+[A-Za-z]?", words)
    attempts = [words, f"{name}{_as_number(words)}"] + ([f"{name}{number.group()}栋"] if number else [])
    for attempt in attempts:
        found = await turn.desk.get("/places", q=attempt[:200], limit=1)
        best: Json | None = next(iter(found.get("candidates") or []), None)
        if best and best["score"] >= CLEAR and not (found.get("place") or {}).get("needs_number"):
            return {**best, "detail": found.get("detail", ""), "name": _name(found, best)}
    return None


def _name(found: Json, candidate: Json) -> str:
    return str((found.get("place") or {}).get("name_zh") or candidate.get("place_name") or candidate["address_zh"])


def _gives_up(turn: Turn) -> bool:
    return turn.intent in ("deny", "cancel") or bool(
        re.search(
            r"不(?:太)?(?:知道|清楚|晓得|确定|记得)|晓不得|说不(?:上|清|好)|忘了|don['’]?t (?:know|remember)"
            r"|not sure|no idea|forgot",
            turn.words,
            re.IGNORECASE,
        )
    )


def _after_no(words: str) -> str:
    """ "不是，是五栋" → "五栋", so that what is denied is not looked up."""
    denied = r"不是的?|不对|错了|不(?=[\s,，。!！])|no\b|nope\b|wrong\b"
    lead = rf"^(?:{denied})[\s,，。!！]*(?:(?:应该)?(?:是|在)|it'?s |it is )?"
    return corrected_words(words) or re.sub(lead, "", words, flags=re.IGNORECASE)


def _as_number(words: str) -> str:
    """A bare number is a building number: "3" → "3栋"."""
    bare = words.strip(" 。.,，!！")
    if re.fullmatch(r"\d{1,4}号", bare):
        return bare
    number = re.fullmatch(
        r"(?:是|在|第|it'?s |number |no\.? ?|building |block |bldg\.? ?|#)*(\d{1,4}[A-Za-z]?"
        r"|[一二三四五六七八九十]{1,3})号?(?:的|吧|啊)?",
        bare,
        re.IGNORECASE,
    )
    return f"{number[1]}栋" if number else f" {words}"


def _by_part(turn: Turn, guesses: list[Any]) -> Any | None:
    """ "是二期的" picks the only choice that holds it."""
    part = re.sub(
        r"^(?:就?是|要|选)|(?:的|那个|那边)$|^the\s+|\s+one$", "", turn.words.strip(" 。.!！"), flags=re.IGNORECASE
    )
    found = [g for g in guesses if part and (part in g["address_zh"] or part.lower() in g["address_en"].lower())]
    return found[0] if len(found) == 1 else None


def _by_position(turn: Turn, guesses: list[Any]) -> Any | None:
    """ "第二个", "the first one", "2" pick by position."""
    words = turn.words.lower().strip(" 。.!！")
    if guesses and re.search(r"最后|最下面|\blast\b", words):
        return guesses[-1]
    for index, forms in enumerate(
        (
            *(
                rf"第(?:{zh}|{n})(?!单元|栋|幢|号|期|组)|{en}|^(?:{n}|{zh})(?:号|个)?$|\b(?:option|number) {n}\b"
                for n, zh, en in (
                    (1, "一", r"\bfirst\b"),
                    (2, "二", r"(?<!a )\bsecond\b"),
                    (3, "三", r"\bthird\b"),
                    (4, "四", r"\bfourth\b"),
                )
            ),
        )
    ):
        if index < len(guesses) and re.search(forms, words):
            return guesses[index]
    return None
