"""Remarks that change what a message asks for, whatever its intent: heard before the intent is acted on."""

import re

from bot.actions.complaint import mentions_appliance
from bot.actions.journey import Journey, begin, first, running
from bot.actions.known import still_known
from bot.actions.readings import PERSON, READINGS
from bot.actions.remarks import flickers, only_tell, other_utility, past_and_over, told_before
from bot.actions.supply import describe
from bot.actions.supply_customer import next_planned, planned_notice
from bot.actions.supply_journey import SupplyJourney
from bot.actions.tickets import retract, withdraw
from bot.actions.turn import Turn
from bot.actions.wishes import besides_supply, wish_in

_PRESS = re.compile(
    r"我(?:是|们是|系).{0,10}(?:记者|(?:媒体|电视台|报社)的?(?:编辑|主持人|人员?|工作人员|[,，。.!！\s]|$))"
    r"|(?:想|要)采访(?:你们|一下)"
    r"|\b(?:i am|i['’]m|this is|we are) (?:a |an |the )?(?:\w+ ){0,3}(?:journalist|reporter)\b|\bfor an interview\b",
    re.IGNORECASE,
)
#: How sure a complaint must be to go before "I reported it before".
SURE = 0.75


#: What somebody says who waits for what was reported, however angry.
_WAITING = re.compile(
    r"没(?:有)?人?(?:来|修|管|处理|消息)|还没|怎么还|什么时候|\b(?:nobody|no one|when|still|any news)\b", re.IGNORECASE
)


@first
async def verification_over(turn: Turn) -> bool:
    """What came from an account is forgotten with its verification."""
    await still_known(turn)
    return False


def _spoken(turn: Turn) -> bool:
    """Whether these are the customer's own words, and no danger is in them."""
    return bool(turn.words) and turn.option is None and not turn.metadata.get("danger")


def _open(active: Journey | None, turn: Turn) -> bool:
    """Whether nothing is under way, or a report of supply that has not got further than where and how far."""
    if active is None or turn.step in active.done_steps:
        return True
    return isinstance(active, SupplyJourney) and (turn.step or "").startswith(("place", "scope", "check_first"))


@first
async def press(turn: Turn) -> bool:
    """Journalists get precise words, and from a person (B19)."""
    if not (_spoken(turn) and _PRESS.search(turn.words)):
        return False
    turn.say("utter_press", [PERSON])
    turn.ask_again()
    return True


@first
async def no_danger(turn: Turn) -> bool:
    """ "I was only asking", after the danger order was dealt with."""
    return _spoken(turn) and running(turn) is None and await retract(turn)


@first
async def only_asked(turn: Turn) -> bool:
    """ "Don't send anyone, just tell me when it is back": nothing is filed, and what was filed is withdrawn."""
    if not (_spoken(turn) and only_tell(turn.words)):
        return False
    active = running(turn)
    if isinstance(active, SupplyJourney) and turn.step not in active.done_steps:
        await active.answer(turn)
        return True
    if not _open(active, turn):
        return False
    if turn.slots["ticket"]:
        await withdraw(turn)
        if "utter_hazard_stays" not in turn.said:
            turn.slots["ticket"] = None
    if turn.journey == "hazard":
        return True  # whether the danger is real is asked once more
    turn.leave()
    wish = "water" if "water" in (wish_in(turn.words), turn.entity("utility")) else "outage"
    await begin(turn, wish, asking=True, only_tell=True)
    return True


@first
async def reported_before(turn: Turn) -> bool:
    """ "I called before": the report is looked for, so that the story need not be told again."""
    if not (_spoken(turn) and told_before(turn.words)) or past_and_over(turn.words):
        return False
    active = running(turn)
    complains = turn.intent == "make_complaint" and turn.confidence >= SURE
    complains = complains and not (wish_in(turn.words) or _WAITING.search(turn.words))
    told = active is not None and (active.name == "ticket_status" or turn.step in active.done_steps)
    if complains or told or not _open(active, turn):
        return False
    said = [*turn.memory.get("said", []), turn.words]
    wish = wish_in(turn.words) or (active.name if active is not None else None)
    turn.leave()
    await begin(turn, "ticket_status", told=True, wish=wish, said=said)
    return True


@first
async def over_already(turn: Turn) -> bool:
    """ "It was off all day yesterday, today it is fine": no fault to report; what is wanted is asked."""
    if not (_spoken(turn) and past_and_over(turn.words)) or turn.slots["ticket"] or not _open(running(turn), turn):
        return False
    if besides_supply(turn.words) or mentions_appliance(turn.words):
        return False
    turn.leave()
    wishes = ("make_complaint", "damage_claim", "ask_ticket_status")
    turn.say("utter_past_outage", [*(READINGS[wish] for wish in wishes), PERSON])
    return True


@first
async def unsteady(turn: Turn) -> bool:
    """Lights that flicker are no outage, however the message was read."""
    if not (_spoken(turn) and flickers(turn.words)) or not _open(running(turn), turn) or turn.journey == "voltage":
        return False
    if besides_supply(turn.words) or mentions_damage(turn) or turn.slots["ticket"]:
        return False
    turn.leave()
    await begin(turn, "voltage")
    return True


def mentions_damage(turn: Turn) -> bool:
    """Whether something broke, or a complaint is made: that has a journey of its own."""
    return turn.intent in ("damage_claim", "make_complaint") and turn.confidence >= SURE


@first
async def the_other_utility(turn: Turn) -> bool:
    """ "What about the water?": the same place, the other utility; told, and nothing is taken for a report."""
    utility = other_utility(turn.words) if _spoken(turn) else None
    point, place = turn.place.get("service_point_id"), turn.place.get("place_id")
    if utility is None or not (point or place):
        return False
    path = f"/service-points/{point}/situation" if point else f"/places/{place}/outages"
    situation = await turn.desk.get(path, utility=utility)
    current = next((o for o in situation.get("outages", []) if o["phase"] == "current"), None)
    if current:
        told = {"planned": "planned_now", "fault": "fault_known", "predicted": "predicted"}
        response = "overdue" if current.get("overdue") else told[current["kind"]]
        turn.say(f"utter_{utility}_{response}", **describe(current, turn.place))
        turn.slots["outage"] = current["id"]
    elif ahead := next_planned(situation):
        planned_notice(turn, utility, ahead)
    else:
        turn.say(f"utter_{utility}_none_known", **describe({}, turn.place))
        turn.say(f"utter_{utility}_tell_if_off")
    active = running(turn)
    if active is not None and turn.step not in active.done_steps:
        turn.ask_again()
    return True
