"""What a caller hears while he waits.

waitUrl may answer <Play>, <Say>, <Pause>, <Gather>, <Redirect>, <Hangup> and <Leave>
(https://www.twilio.com/docs/voice/twiml/enqueue); it is asked again when it has been played.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.moment import words
from api.channels.voice.tables import Call
from api.channels.voice.twiml import Script
from api.conversations import handover, places
from api.conversations.tables import Conversation

#: Seconds of listening in one round: so long may pass until a claim is noticed.
ROUND = 5
#: Rounds between words, so that the line is never silent for long.
WORDS_EVERY = 4
LONG = timedelta(minutes=3)
#: The sentences that tell the place: nobody, one, more ahead.
PLACES = ("queue_next", "queue_one_ahead", "queue_ahead")


async def call_and_conversation(session: AsyncSession, call_sid: str) -> tuple[Call, Conversation] | None:
    """A call and its conversation, unlocked."""
    query = select(Call, Conversation).join(Conversation, Conversation.id == Call.conversation_id)
    row = (await session.execute(query.where(Call.sid == call_sid))).one_or_none()
    return (row[0], row[1]) if row is not None else None


async def waiting_round(
    session: AsyncSession, script: Script, call_sid: str, now: datetime, *, rounds: int, told: int, keys: str
) -> None:
    """One round: <Leave> where the call is not to wait any more, else its place when that has changed.

    `told`: how many were ahead when the caller last heard it, -1 for never. How long it will take is said where others'
    latest waits tell.
    """
    found = await call_and_conversation(session, call_sid)
    if found is None or found[1].owner != "waiting" or keys == "1":
        script.leave()
        return
    call, conversation = found
    script.slow = call.slow
    if not await handover.agents_on_duty(session, now):
        script.leave()
        return
    stands = await places.place_of(session, conversation, now)
    ahead = max(stands.number - 1, 0)
    language = conversation.language
    speaks = ahead != told or rounds % WORDS_EVERY == 0 or keys == "*"
    with script.gather(script.links("queue", n=rounds + 1, told=ahead), language, speech=False, keys=1, timeout=ROUND):
        if speaks:
            waited = now - (conversation.waiting_since or now)
            place = _place_words(ahead, told, keys, waited, rounds)
            script.line(words(place, language, ahead=ahead), language)
            if place in PLACES and stands.minutes is not None:
                script.line(words("queue_wait", language, minutes=stands.minutes), language)
            if place in PLACES and not stands.own_language:
                script.line(words("queue_other_language", language), language)
    script.redirect(script.links("queue", n=rounds + 1, told=ahead))


def _place_words(ahead: int, told: int, keys: str, waited: timedelta, rounds: int) -> str:
    """Which sentence: the place where it is news, an apology now and then, else a word of patience."""
    if ahead != told or keys == "*":
        return PLACES[min(ahead, 2)]
    return "queue_long" if waited > LONG and rounds % (3 * WORDS_EVERY) == 0 else "queue_patience"
