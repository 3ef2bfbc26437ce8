"""Talking to a person: the conversation is handed over; nobody is promised who is not there."""

import re
from datetime import UTC, datetime

from bot.actions.desk import DeskDown, DeskRefused
from bot.actions.journey import DANGER, DeskAction, Journey, begin, first, proceed, running
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
#: A person asked for in so many words, beside whatever else a message says.
_BESIDES = re.compile(
    r"(?:转|换|接)(?:一下|到|成)?(?:人工|真人|客服|坐席)(?!.{0,8}(?:没|不|半天|等))"
    r"|(?:要|想|请|麻烦|帮我|给我|让我)(?:找|叫|跟|和|同)(?:一?个|你们的?)?(?:人工|真人|客服|坐席|活人|人)(?:客服|服务|坐席)?来?"
    r"(?:说|讲|谈|聊|处理|解决|办|吧|$|[,，。!！])"
    r"|\b(?:talk|speak|chat) (?:to|with) (?:an? )?(?:real |actual |live )?"
    r"(?:human|person|agent|someone|somebody|operator|representative)\b"
    r"|\b(?:get|give) me an? (?:real |live )?(?:human|person|agent)\b"
    r"|\b(?:human|agent|operator|representative),? please\b",
    re.IGNORECASE,
)
_NOT_NOW = re.compile(
    r"(?:不|别|没|昨天|上次|刚才|之前)[^,，。;；!！]{0,6}(?:转|换|接|找|叫|跟|和|同)"
    r"|\b(?:not|no need|never|without|tried|trying|wanted|(?:could|do|did)n['’]?t|yesterday|last time|earlier)\b"
    r"[^,.;!]{0,30}\b(?:talk|speak|chat|get|give|human|agent)\b",
    re.IGNORECASE,
)
#: What a message is about whose intent is not the wish for a person.
_ABOUT = {"make_complaint": "complaint", "damage_claim": "damage_claim"}


def asks_besides(words: str) -> bool:
    """Whether a message asks for a person now, whatever else it says ("水费好像多收了，我要找人")."""
    return bool(_BESIDES.search(words)) and not _NOT_NOW.search(words)


class Human(Journey):
    """Hands over at once; with nobody signed in, hours, hotline and a stored call-back are told."""

    name = "human"
    rank = DANGER  # the wish for a person never waits
    title = {"zh": "转人工", "en": "talking to a person"}

    async def start(self, turn: Turn) -> None:
        reason = str(turn.memory.get("reason") or "wish")
        wish = wish_in(turn.words) or _ABOUT.get(turn.intent or "")
        skill = skill_of(turn.slots, wish, turn.entity("utility"))
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


@first
async def person_besides(turn: Turn) -> bool:
    """The wish for a person is heard beside another one, too; a story that is being told is not broken off."""
    if turn.intent == "talk_to_human" or turn.option is not None or turn.metadata.get("danger"):
        return False
    active = running(turn)
    if not asks_besides(turn.words) or (active is not None and active.keeps(turn)):
        return False
    await _hand_over(turn)
    return True


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
        await _hand_over(turn)


async def _hand_over(turn: Turn) -> None:
    turn.leave()
    try:
        await begin(turn, "human", reason="wish")
    except (DeskDown, DeskRefused):
        turn.dispatcher.messages.clear()
        turn.leave()
        turn.say("utter_handover_failed")
