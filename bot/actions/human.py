"""Talking to a person: the conversation is handed over; nobody is promised who is not there."""

import re
from datetime import UTC, datetime

from bot.actions.desk import DeskDown, DeskRefused
from bot.actions.journey import DANGER, DeskAction, Journey, begin, proceed, running
from bot.actions.times import parse_time, spoken_time
from bot.actions.turn import Turn
from bot.actions.wishes import wish_in
from bot.sheet import skill_of

SURE = 0.6
_ASKED_FOR = re.compile(r"人工|真人|客服|坐席|\b(?:human|agent|operator|representative|real person)\b", re.IGNORECASE)
_PERSON_WORDS = re.compile(
    r"人工|真人|客服|坐席|转接|找人|活人|\b(?:human|person|agent|someone|somebody|operator|representative|staff|people)\b",
    re.IGNORECASE,
)


class Human(Journey):
    """Hands over at once; with nobody signed in, hours, hotline and a stored call-back are told."""

    name = "human"
    rank = DANGER  # the wish for a person never waits
    title = {"zh": "转人工", "en": "talking to a person"}

    async def start(self, turn: Turn) -> None:
        reason = str(turn.memory.get("reason") or "wish")
        skill = skill_of(turn.slots, wish_in(turn.words), turn.entity("utility"))
        answer = await turn.desk.post(f"{turn.desk.own}/handover", {"reason": reason[:40], "skill": skill})
        if answer.get("agents_on_duty"):
            turn.say("utter_handover_waiting", position=answer.get("position") or 1)
            if answer.get("expected_wait_minutes") and not turn.voice:  # on the telephone the queue tells it
                turn.say("utter_handover_wait", minutes=answer["expected_wait_minutes"])
            if answer.get("own_language") is False and not turn.voice:
                turn.say("utter_handover_other_language")
        else:
            due = None
            if not turn.voice:  # on the telephone the desk itself offers a call-back, a message, or the assistant
                callback = await turn.desk.post(f"{turn.desk.own}/callbacks", {"phone": turn.contact.get("phone", "")})
                due = parse_time(callback.get("due_at"))
            hours = answer.get("hours") or {"zh": "", "en": ""}
            turn.say(
                "utter_handover_nobody",
                hours=hours,
                hotline=answer.get("hotline", ""),
                due=spoken_time(due, datetime.now(UTC)) if due else hours,
            )
            if not turn.voice:
                turn.say("utter_callback_phone" if turn.contact.get("phone") else "utter_callback_no_phone")
        turn.leave()
        turn.slots["later"] = []


class ActionHuman(DeskAction):
    """The wish for a person is never queued behind anything."""

    action = "action_human"

    async def act(self, turn: Turn) -> None:
        active = running(turn)
        guess = turn.confidence < SURE and not _PERSON_WORDS.search(turn.words)
        if active is not None and (guess or (active.keeps(turn) and not _ASKED_FOR.search(turn.words))):
            # "Send someone" means a crew, and a guess must not silence the assistant in the middle of something.
            await proceed(turn)
            return
        turn.leave()
        try:
            await begin(turn, "human", reason="wish")
        except (DeskDown, DeskRefused):
            turn.dispatcher.messages.clear()
            turn.leave()
            turn.say("utter_handover_failed")
