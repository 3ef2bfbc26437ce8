"""Calls and callers. Functions take a session and never commit."""

import re
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.prompts import BOTH, words
from api.channels.voice.signature import Form
from api.channels.voice.tables import Call, Caller
from api.conversations.handover import joined
from api.conversations.language import Language
from api.conversations.tables import Conversation
from api.conversations.transcript import add_message
from api.db.base import new_id
from api.privacy import keyed_hash
from api.settings import Settings

#: What Twilio sends for a number that is withheld.
#: https://help.twilio.com/articles/223179988-Why-am-I-getting-calls-from-these-strange-numbers-
WITHHELD = frozenset({"+7378742833", "+2562533", "+8656696", "+266696687", "+86282452253", "+464"})


def number_of(text: str) -> str:
    """The number in E.164; '' where it is withheld or no number (a SIP address)."""
    return text if re.fullmatch(r"\+[1-9]\d{6,14}", text) and text not in WITHHELD else ""


def hash_of(settings: Settings, number: str) -> str:
    return keyed_hash(settings.service_token.get_secret_value(), number)


async def begin_call(session: AsyncSession, settings: Settings, form: Form, now: datetime) -> tuple[Call, Conversation]:
    """A call and the conversation that it is."""
    number = number_of(form.get("From"))
    conversation = Conversation(
        id=new_id("cv"),
        channel="voice",
        source_hash=hash_of(settings, number or form.call_sid),
        created_at=now,
    )
    session.add(conversation)
    await session.flush()
    recorded = "recorded" if settings.voice_recorded else "not_recorded"
    greeting = "\n".join(joined(each, words("greeting", each), words(recorded, each)) for each in BOTH)
    line = await add_message(session, conversation, "bot", greeting, now)
    call = Call(
        sid=form.call_sid,
        conversation_id=conversation.id,
        number=number,
        step=1,
        state="language",
        told_seq=line.seq,
        created_at=now,
    )
    session.add(call)
    await session.flush()
    return call, conversation


async def preference(session: AsyncSession, settings: Settings, number: str) -> Language | None:
    """The language that was chosen from this number last."""
    caller = await session.get(Caller, hash_of(settings, number)) if number else None
    return None if caller is None else "en" if caller.language == "en" else "zh"


async def remember(session: AsyncSession, settings: Settings, number: str, language: Language, now: datetime) -> None:
    """Keep the language chosen from this number, and nothing else."""
    if not number:
        return
    hashed = hash_of(settings, number)
    caller = await session.get(Caller, hashed)
    if caller is None:
        session.add(Caller(number_hash=hashed, language=language, at=now))
    else:
        caller.language, caller.at = language, now
    await session.flush()
