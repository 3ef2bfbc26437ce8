"""What is known of a place, told before anything is filed: outages, open orders, planned work (C4, C5, C7, C10–C12)."""

from typing import ClassVar

from bot.actions.desk import Json
from bot.actions.filing import said_so_far
from bot.actions.journey import finish
from bot.actions.place import address_of, place_instead
from bot.actions.remarks import wants_crew
from bot.actions.supply import announced, describe, move
from bot.actions.supply_customer import CustomerSteps, next_planned, planned_notice
from bot.actions.times import spoken_number
from bot.actions.turn import Option, Turn
from bot.actions.wishes import wish_in
from bot.nlu.scope import scope_in

UNDERSTOOD = Option("understood", "知道了", "All right")
REPORT = Option("report", "帮我报修", "File a report")
WAIT = Option("wait", "我再等等", "I'll wait")


class KnownSteps(CustomerSteps):
    """Calls `_unknown_cause` where nothing is known. `memory`: asking, joined, known_outage, join, outage_id."""

    neighbours_fine: ClassVar[Option]

    async def _unknown_cause(self, turn: Turn) -> None:
        raise NotImplementedError

    async def place_known(self, turn: Turn) -> None:
        point = turn.place.get("service_point_id")
        if not point and turn.place.get("place_id"):
            await self._of_the_whole_place(turn)
            return
        if not point:
            await self._unknown_cause(turn)
            return
        situation = await turn.desk.get(f"/service-points/{point}/situation", utility=self.utility)
        what, subject = move(situation, turn.memory.get("scope"), turn.slots["ticket"])
        if what not in ("planned", "fault") and await self._added_to_own(turn, point):
            return
        if turn.memory.get("only_tell"):
            await self._tell_only(turn, situation, what, subject)
        elif what == "planned":
            await self._told(turn, subject, "planned_now")
        elif what == "fault":
            await self._told(turn, subject, "fault_known")
        elif what == "second":
            self.say(turn, "second_fault", **describe(subject, turn.place))
            turn.memory["known_outage"] = subject["id"]
            await self._unknown_cause(turn)
        elif what == "predicted":
            self.say(turn, "predicted", **describe(subject, turn.place))
            turn.memory.update(scope="surroundings", outage_id=subject["id"])
            await self.need_contact(turn)
        elif what == "own_order":
            turn.say("utter_own_order", number=spoken_number(subject["number"]))
            await finish(turn)
        elif what == "order":
            turn.say("utter_open_order", address=address_of(turn.place))
            turn.memory["join"] = subject["number"]
            await self.need_contact(turn)
        elif turn.memory.get("asking") and (ahead := next_planned(situation)):
            planned_notice(turn, self.utility, ahead)
            await finish(turn)
        else:
            turn.memory["announced"] = announced(situation, self.utility)
            if turn.memory.get("asking"):
                self.say(turn, "none_known", address=address_of(turn.place))
            elif "utter_place_corrected" not in turn.said:
                turn.say("utter_place_heard", address=address_of(turn.place))
            await self._unknown_cause(turn)

    async def _of_the_whole_place(self, turn: Turn) -> None:
        """Only the estate or street is known: its outage once more, or the number where one home alone is dark."""
        place = {"id": turn.place["place_id"], "name_zh": turn.place["address_zh"], "name_en": turn.place["address_en"]}
        if await self.whole_place_known(turn, place):
            return
        turn.memory["place_names"] = {"zh": place["name_zh"], "en": place["name_en"]}
        turn.memory["place_name"] = place["name_zh"] if turn.zh else place["name_en"]
        turn.ask("place_number", "utter_ask_number", name=turn.memory["place_names"])

    async def whole_place_known(self, turn: Turn, place: Json) -> bool:
        """An outage that covers the whole estate is told without asking for the building."""
        found = await turn.desk.get(f"/places/{place['id']}/outages", utility=self.utility)
        current = [o for o in found.get("outages", []) if o.get("phase") == "current" and o["kind"] != "predicted"]
        if not found.get("covers_all") or not current or turn.memory.get("scope") == "household":
            return False
        turn.slots["place"] = {
            "place_id": place["id"],
            "address_zh": place["name_zh"],
            "address_en": place["name_en"],
            "name": place["name_zh"],
            "resolved": True,
        }
        outage = current[0]
        await self._told(turn, outage, "planned_now" if outage["kind"] == "planned" else "fault_known")
        return True

    async def entire_place(self, turn: Turn, place: Json) -> bool:
        """The whole estate, for its manager or a neighbour: its outage, or one order for all of it."""
        if turn.memory.get("scope") == "household":
            return False
        if await self.whole_place_known(turn, place):
            return True
        turn.memory["scope"] = "surroundings"
        # Some address of it, by which the order finds its unit and its line.
        names = [f"{place['name_zh']}{number}" for number in ("1栋", "1号", "2栋")]
        found = [best for name in names if (best := await place_instead(turn, name))]
        turn.slots["place"] = {
            "place_id": place["id"],
            "service_point_id": found[0]["service_point_id"] if found else None,
            "address_zh": f"{place['name_zh']}（整个小区）",
            "address_en": f"{place['name_en']} (all of it)",
            "name": place["name_zh"],
            "resolved": True,
        }
        if found:
            await self.place_known(turn)
        else:
            turn.say("utter_place_heard", address=address_of(turn.place))
            await self.need_contact(turn)
        return True

    async def elsewhere(self, turn: Turn, words: str) -> bool:
        """ "And Building 7?" after an outage was told: what is known of that address, nobody is registered there."""
        best = await place_instead(turn, words)
        if best is None:
            return False
        turn.slots["place"] = {**best, "resolved": True, "words": turn.words[:200]}
        point = best["service_point_id"]
        situation = await turn.desk.get(f"/service-points/{point}/situation", utility=self.utility)
        what, subject = move(situation, None, None)
        told = {"planned": "planned_now", "fault": "fault_known", "predicted": "predicted"}
        if what in told:
            self.say(turn, "overdue" if subject.get("overdue") else told[what], **describe(subject, turn.place))
            turn.slots["outage"] = subject["id"]
        elif what == "order":
            turn.say("utter_open_order_news", address=address_of(turn.place))
        else:
            self.say(turn, "none_known", address=address_of(turn.place))
            if ahead := next_planned(situation):
                planned_notice(turn, self.utility, ahead)
            self.say(turn, "tell_if_off")
        return True

    async def _told(self, turn: Turn, outage: Json, response: str) -> None:
        """Tell a known outage, add the customer to it (C7), and stay open for "but my neighbours have light"."""
        if outage.get("overdue"):
            self.say(turn, "overdue", **describe(outage, turn.place))
        else:
            self.say(turn, response, **describe(outage, turn.place))
        if turn.memory.get("joined") != outage["id"] and not turn.memory.get("only_tell"):
            body = {
                "service_point_id": turn.place.get("service_point_id"),
                "note": said_so_far(turn),
            }
            await turn.desk.post(f"/outages/{outage['id']}/reports", {k: v for k, v in body.items() if v})
            turn.memory["joined"] = outage["id"]
            self.say(turn, "added")
        turn.slots["outage"] = outage["id"]
        if outage.get("overdue"):
            turn.ask("overdue", "utter_ask_overdue", [REPORT, WAIT])
        else:
            turn.ask("known", f"utter_{self.utility}_known_next", [self.neighbours_fine, UNDERSTOOD])

    async def answer_known(self, turn: Turn) -> None:
        if turn.option == self.neighbours_fine.value or scope_in(turn.words) == "household":
            turn.memory["scope"] = "household"
            await self.place_known(turn)
        elif turn.intent == "ask_outage_status" or wish_in(turn.words):
            await self.place_known(turn)
        elif turn.option == "understood" or turn.yes or turn.no or turn.intent in ("thank", "goodbye", "inform"):
            self.say(turn, "wait")
            await finish(turn)
        else:
            await self.misunderstood(turn)

    async def answer_overdue(self, turn: Turn) -> None:
        if (
            turn.option == "report"
            or turn.yes
            or turn.intent in ("report_outage", "no_water", "low_water_pressure")
            or wants_crew(turn.words)
        ):
            turn.memory["outage_id"] = turn.slots["outage"]
            await self._unknown_cause(turn)
        elif turn.option == "wait" or turn.no or turn.intent in ("thank", "goodbye"):
            self.say(turn, "wait")
            await finish(turn)
        else:
            await self.misunderstood(turn)
