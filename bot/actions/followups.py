"""What belongs to what was said just before, whatever its intent: a number alone, "why?", "tell me when it is back"."""

from bot.actions.desk import DeskRefused, Json
from bot.actions.information import PLANNED
from bot.actions.journey import COMPLAINT, Journey, first, running
from bot.actions.readings import PERSON, READINGS
from bot.actions.remarks import asks_colleague, asks_why, is_number, wants_notice
from bot.actions.spoken import NUMBERS
from bot.actions.supply import cause_of, describe
from bot.actions.ticket_words import BEFORE_ARRIVAL
from bot.actions.turn import Turn

#: Channels on which a customer is told of the end without having given a number.
REACHED = frozenset({"voice", "wechat"})


def _spoken(turn: Turn) -> bool:
    """Whether these are the customer's own words, and no danger is in them."""
    return bool(turn.words) and turn.option is None and not turn.metadata.get("danger")


def _asking(turn: Turn) -> Journey | None:
    """The journey under way, if its question is owed an answer."""
    active = running(turn)
    return active if active is not None and turn.step not in (None, *active.done_steps) else None


@first
async def number_alone(turn: Turn) -> bool:
    """ "187" where a number is waited for goes to that step, too short as it may be: 88 is no goodbye there."""
    active, question = _asking(turn), turn.slots["question"] or {}
    waits = question.get("expects") in NUMBERS or turn.step == "place_choice"
    if active is None or not (waits and _spoken(turn) and is_number(turn.words)):
        return False
    await active.answer(turn)
    return True


@first
async def what_the_colleague_said(turn: Turn) -> bool:
    """ "What did your colleague say?" after a person had the conversation: what they noted, or that they noted nothing;
    then back to what was asked."""
    if not (turn.slots["briefing"] and _spoken(turn) and asks_colleague(turn.words)):
        return False
    if turn.briefing:
        turn.say("utter_colleague_said", words=turn.briefing)
    else:
        turn.say("utter_colleague_noted_nothing", [] if _asking(turn) else [READINGS["ask_ticket_status"], PERSON])
    turn.ask_again()
    return True


@first
async def why(turn: Turn) -> bool:
    """ "Why?": the cause of what was told last; to a question, the question again, which says what it is for."""
    if not (_spoken(turn) and asks_why(turn.words)):
        return False
    active = _asking(turn)
    if active is not None and turn.step != "overdue":
        if turn.step in active.free_steps or active.rank == COMPLAINT:
            return False
        turn.ask_again()
        return True
    if active is None and turn.place.get("planned"):
        await PLANNED.once_more(turn, turn.place["planned"])
        return True
    outage = await _outage(turn)
    if outage is None or turn.entity("utility") not in (None, outage["utility"]):
        return False
    response, what = cause_of(outage)
    turn.say(response, **{**describe(outage, turn.place), "what": what})
    turn.ask_again()
    return True


@first
async def tell_me_then(turn: Turn) -> bool:
    """ "Tell me when it is back": whoever was added to an outage or reported a fault is told, where there is a way."""
    if not (_spoken(turn) and wants_notice(turn.words)):
        return False
    active = _asking(turn)
    if active is not None and turn.step != "overdue":
        if turn.step in active.free_steps or active.rank == COMPLAINT:
            return False
        turn.ask_again()  # what is asked leads there
        return True
    outage = await _outage(turn)
    if outage is not None and outage.get("ended_at"):
        turn.say("utter_outage_over", **{**describe(outage, turn.place), "what": cause_of(outage)[1]})
    elif outage is not None:
        # Told only, or told of the other utility: not on the list yet. Again for the same address changes nothing.
        point = None if turn.place.get("planned") else turn.place.get("service_point_id")
        report = {"service_point_id": point, "contact_phone": turn.contact.get("phone")}
        await turn.desk.post(f"/outages/{outage['id']}/reports", {k: v for k, v in report.items() if v})
        _promise(turn)
    elif await _own_fault(turn):
        _promise(turn)
    else:
        return False
    return True


def _promise(turn: Turn) -> None:
    """No more than can be kept: a web page that was closed hears nothing."""
    turn.say("utter_will_be_told" if turn.metadata.get("channel") in REACHED else "utter_ask_for_news_here")


async def _outage(turn: Turn) -> Json | None:
    """The outage told last, as it is now."""
    if not turn.slots["outage"]:
        return None
    try:
        return await turn.desk.get(f"/outages/{turn.slots['outage']}")
    except DeskRefused:
        return None


async def _own_fault(turn: Turn) -> bool:
    """Whether this conversation's report is a fault that is still to be mended."""
    if not turn.slots["ticket"]:
        return False
    ticket = await turn.desk.get(f"/tickets/{turn.slots['ticket']}")
    return ticket["kind"] == "fault_report" and ticket["status"] in (*BEFORE_ARRIVAL, "on_site")
