"""Finding out where: from the customer's words, an earlier turn, or a question (D6).

One clear candidate is named back in words; several become choices; a near one is asked about; none is asked for once
more, and then the words are taken as they are and the place is marked unresolved.
"""

import re
from typing import ClassVar

from bot.actions.contact_words import without_contact
from bot.actions.desk import Json
from bot.actions.journey import Journey
from bot.actions.place_words import (
    DIGITS_ONLY,
    LEAD_IN,
    NO_ADDRESS,
    NUMBERED,
    SHORT_ADDRESS,
    TELLS_NOTHING,
    after_no,
    as_number,
    by_part,
    by_position,
    common_name,
    corrected_words,
    gives_up,
    is_remark,
    looks_like_address,
    whole_place,
    without_count,
)
from bot.actions.remarks import says_there_is_none
from bot.actions.turn import NO, YES, Option, Turn
from bot.nlu.text import has_han

CLEAR, PLAUSIBLE = 85, 60
#: In a whole sentence less is a chance resemblance.
HEARD = 80
#: A second candidate this close to the first makes a choice necessary.
MARGIN = 6
MOST_CHOICES = 4
#: Shorter replies hold no address.
SHORTEST = 2

#: Failed choices after which a place is taken as it was said.
MOST_MISSES = 2
LONGEST_QUERY = 1_000
#: Typed in a hurry: bulding, buliding, biulding, buidling.
_BUILDING = re.compile(r"\bb(?:u|i|l|d){4,6}[ia]?ng\b|\bbldn?g\b", re.IGNORECASE)
_NONE_OF_THEM = Option("none", "都不是", "None of these")


def address_of(place: Json) -> dict[str, str]:
    """The address in both languages, with the room the customer named."""
    detail = place.get("detail") or ""
    detail_en = re.sub(r"(\d+)\s*单元\s*(\d*)", r"unit \1 \2", detail).strip()
    return {
        "zh": f"{place.get('address_zh') or place.get('words', '')}{detail}",
        "en": f"{place.get('address_en') or place.get('words', '')}{', ' + detail_en if detail else ''}",
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
        if len(turn.words) >= SHORTEST and await self._from_words(turn, turn.words, whole_sentence=True):
            return
        named = str(turn.entity("place") or "")
        if (
            len(named) > SHORTEST
            and has_han(named)
            and not turn.place.get("resolved")
            and await self._from_words(turn, named, whole_sentence=False)
        ):
            return
        short = SHORT_ADDRESS.search(turn.words)
        if (
            short
            and not turn.place.get("resolved")
            and await self._from_words(turn, short["place"], whole_sentence=False)
        ):
            return
        if looks_like_address(turn.words) and NUMBERED.search(turn.words) and not turn.place.get("resolved"):
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
        return (asked and looks_like_address(turn.words)) or super().keeps(turn)

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
        if (turn.yes or turn.no) and not turn.slots["misses"] and not looks_like_address(turn.words):
            turn.slots["misses"] = 1  # a mere "嗯" names no place; once it is asked again as it was
            turn.ask_again()
        elif DIGITS_ONLY.fullmatch(turn.words):
            turn.ask_again()  # an account or phone number is no address
        elif not looks_like_address(turn.words) and (
            turn.entity("time") or turn.intent in NO_ADDRESS or is_remark(turn.words)
        ):
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
        elif len(turn.words) >= SHORTEST and await self._from_words(turn, after_no(turn.words), whole_sentence=True):
            return
        elif turn.no:
            turn.memory["place_asked"] = turn.memory.get("place_asked") or turn.words or "-"
            turn.ask("place", "utter_ask_place_again")
        elif self.heard_beside(turn):
            # Whoever goes on with the extent or a number does not deny the place.
            self._take_place(turn, turn.memory.pop("place_guess"))
            await self.place_known(turn)
        else:
            await self.misunderstood(turn)

    async def answer_place_choice(self, turn: Turn) -> None:
        guesses: list[Json] = turn.memory.get("place_guesses", [])
        chosen = next((g for g in guesses if g["service_point_id"] == turn.option), None)
        chosen = chosen or by_position(turn.words, guesses) or by_part(turn.words, guesses)
        if chosen:
            self._take_place(turn, chosen)
            await self.place_known(turn)
        elif turn.option is None and says_there_is_none(turn.words):
            turn.ask_again()
        elif turn.option == "none" or turn.no:
            turn.ask("place", "utter_ask_place_again")
        elif await self._narrowed(turn, guesses) or (
            len(turn.words) >= SHORTEST and await self._from_words(turn, turn.words, whole_sentence=False)
        ):
            return
        elif turn.slots["misses"] >= MOST_MISSES:
            # Whoever cannot choose is not asked for ever: our staff find out.
            await self._take_as_said(turn, common_name(guesses) or turn.words)
        else:
            await self.misunderstood(turn)

    async def _narrowed(self, turn: Turn, guesses: list[Json]) -> bool:
        """ "三栋" or "二期" under choices of several places: fewer choices, or the one that is left."""
        names = list(dict.fromkeys(g["name"] for g in guesses if g.get("name")))
        number = as_number(turn.words)
        if number != f" {turn.words}" or NUMBERED.search(turn.words):
            best = [found for name in names if (found := await self._numbered(turn, name, number.strip()))]
        else:
            best = [
                g for g in guesses if turn.words and turn.words.strip(" 。的个那") in g["address_zh"] + g["address_en"]
            ]
            if best and len({g["name"] for g in best}) == 1 and len(best) > 1:
                zh, en = best[0]["name"], best[0].get("name_en") or best[0]["name"]
                turn.memory.update(place_name=zh, place_names={"zh": zh, "en": en})
                turn.ask("place_number", "utter_ask_number", name=turn.memory["place_names"])
                return True
        if len(best) == 1:
            self._take_place(turn, best[0])
            await self.place_known(turn)
        elif best and best != guesses:
            self._choose_place(turn, best)
        else:
            return False
        return True

    async def _numbered(self, turn: Turn, name: str, number: str) -> Json | None:
        found = await turn.desk.get("/places", q=f"{name}{number}"[:LONGEST_QUERY], limit=1)
        best: Json | None = next(iter(found.get("candidates") or []), None)
        known = best is not None and not (found.get("place") or {}).get("needs_number") and best["score"] >= CLEAR
        return {**best, "detail": found.get("detail", ""), "name": name} if best and known else None

    def _choose_place(self, turn: Turn, places: list[Json]) -> None:
        turn.memory["place_guesses"] = places[:MOST_CHOICES]
        options = [Option(c["service_point_id"], c["address_zh"], c["address_en"]) for c in places[:MOST_CHOICES]]
        turn.ask("place_choice", "utter_ask_which_place", [*options, _NONE_OF_THEM])

    async def answer_place_number(self, turn: Turn) -> None:
        name = turn.memory.get("place_name", "")
        names: Json = turn.memory.get("place_names") or {}
        entire = {"id": turn.memory.get("place_id"), "name_zh": names.get("zh"), "name_en": names.get("en")}
        if entire["id"] and whole_place(turn.words) and await self.entire_place(turn, entire):
            return
        if turn.words and await self._from_words(turn, f"{name}{as_number(turn.words)}", whole_sentence=False):
            return
        if self.heard_beside(turn) and not turn.memory.get("number_asked"):
            turn.memory["number_asked"] = True
            turn.ask_again()
        elif turn.memory.get("number_asked") or gives_up(turn.words, turn.intent):
            words = without_contact(turn.words, None) if turn.entity("phone") else turn.words
            told = LEAD_IN.sub("", words) if NUMBERED.search(words) and looks_like_address(words) else ""
            said = f"{name}{'' if turn.zh else ' '}{told}" if told else turn.memory.get("place_asked") or name
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
        words = without_count(_BUILDING.sub("building", words)).strip() or words
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
            said = " ".join([*turn.memory.get("said", []), turn.words])
            whole = whole_place(said) and not place.get("number_unknown") and await self.entire_place(turn, place)
            if not whole and not await self.whole_place_known(turn, place):
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
            self._choose_place(turn, rivals)
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

    async def entire_place(self, turn: Turn, place: Json) -> bool:
        """Hook: True where the journey goes on with the whole estate, which the customer said it is about."""
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
        words = LEAD_IN.sub("", next((w for w in told if looks_like_address(w)), max(told, key=len)))
        await self._take_as_said(turn, words)

    async def _take_as_said(self, turn: Turn, words: str) -> None:
        no_address = not looks_like_address(words) or words.strip(" .。").isdigit()
        if no_address and (len(words) <= TELLS_NOTHING or turn.intent in ("deny", "affirm", "cancel")):
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
    short = re.match(r"([\u4e00-\u9fff]{2,})(\d.*)", words)
    if short and name.startswith(short[1]):  # the estate's short name, once it is known which
        words = f"{name}{short[2]}"
    attempts = [words, f"{name}{as_number(words)}"] + ([f"{name}{number.group()}栋"] if number else [])
    for attempt in attempts:
        found = await turn.desk.get("/places", q=attempt[:200], limit=1)
        best: Json | None = next(iter(found.get("candidates") or []), None)
        if best and best["score"] >= CLEAR and not (found.get("place") or {}).get("needs_number"):
            return {**best, "detail": found.get("detail", ""), "name": _name(found, best)}
    return None


def _name(found: Json, candidate: Json) -> str:
    return str((found.get("place") or {}).get("name_zh") or candidate.get("place_name") or candidate["address_zh"])
