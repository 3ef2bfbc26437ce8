"""Taking in one act of a follower: one transaction, committed before anything is answered, and nothing done twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.base import offered
from api.channels.wechat import followers
from api.channels.wechat.attachments import keep
from api.channels.wechat.envelope import Opened, refused
from api.channels.wechat.menu import text_of
from api.channels.wechat.normalise import Act
from api.channels.wechat.options import chosen
from api.channels.wechat.tables import Received, SeenNonce
from api.channels.wechat.words import limits as own_limits
from api.channels.wechat.words import mark, say
from api.conversations import rules
from api.conversations.accept import Incoming, accept
from api.conversations.sentences import limits
from api.conversations.tables import Conversation, Message
from api.conversations.transcript import Offer, add_message
from api.db.base import table_of
from api.settings import Settings

#: Problems of accept() that have a sentence of their own.
TOLD = ("message-too-long", "message-empty", "too-many-messages", "unknown-choice")
# Statements of every message are built once: building one costs as much as running it.
_LINE = select(Message.id).where(Message.conversation_id == bindparam("conversation"), Message.seq == bindparam("seq"))
_r = table_of(Received).c
_EARLIER = select(_r.conversation_id, _r.message_id).where(_r.key == bindparam("of"))
#: One more copy gets the reply that there is.
_SETTLED = (
    update(table_of(Received))
    .where(_r.key == bindparam("of"), _r.reply.is_not(None))
    .values(given=_r.given + 1)
    .returning(_r.reply)
)
_WRITE = (
    update(table_of(Received))
    .where(_r.key == bindparam("of"))
    .values({name: bindparam(name) for name in ("conversation_id", "message_id", "sentence", "held_until")})
)
_EXPECTED = (
    select(Message.expects)
    .where(Message.conversation_id == bindparam("conversation"))
    .order_by(Message.seq.desc())
    .limit(1)
)
#: Longer than a callback goes on after it has stopped to wait for the bot.
MARGIN = timedelta(seconds=1)


@dataclass
class Taken:
    """What a callback became: columns of its row. `message_id` is the line that the bot may be answering; `reply`: what
    an earlier copy was answered with."""

    key: str
    conversation_id: str | None = None
    message_id: str | None = None
    sentence: str = ""
    held_until: datetime | None = None
    reply: str | None = None


async def settled_reply(session: AsyncSession, key: str) -> str | None:
    """What every copy of a callback is answered with; None while that is open."""
    reply: str | None = await session.scalar(_SETTLED, {"of": key})
    return reply


async def take(session: AsyncSession, settings: Settings, act: Act, opened: Opened, now: datetime) -> Taken:
    """Take in an act, or find that it was taken in before. Problem 403 for a nonce that came with something else."""
    nonce = {"key": opened.nonce, "body_hash": opened.content_hash, "at": now}
    if not await followers.insert_new(session, SeenNonce, nonce):
        seen = await session.get_one(SeenNonce, opened.nonce, with_for_update=True)
        # One that is older than any timestamp that is still taken says nothing of this message.
        if now - seen.at > 2 * timedelta(seconds=own_limits()["callback"]["clock_seconds"]):
            seen.body_hash, seen.at = opened.content_hash, now
        elif seen.body_hash != opened.content_hash:
            raise refused("this nonce came with something else")
    new = {"key": act.key, "open_id": act.open_id, "sentence": "", "carried": [], "given": 0, "at": now}
    if not await followers.insert_new(session, Received, new):
        earlier = (await session.execute(_EARLIER, {"of": act.key})).one()
        reply = await settled_reply(session, act.key)
        return Taken(act.key, earlier.conversation_id, earlier.message_id, reply=reply)
    taken = Taken(act.key)
    await _do(session, settings, act, taken, now)
    await session.flush()
    row = {name: value for name, value in vars(taken).items() if name not in ("key", "reply")}
    await session.execute(_WRITE, {"of": act.key, **row})
    return taken


async def _do(session: AsyncSession, settings: Settings, act: Act, taken: Taken, now: datetime) -> None:
    follower = await followers.locked_follower(session, act.open_id, now)
    if act.kind == "unsubscribe":
        follower.subscribed, follower.window_ends_at, follower.allowance, follower.spent = False, None, 0, 0
        return
    followers.note_act(follower, act.window, now)
    taken.held_until = now + timedelta(seconds=settings.wechat_reply_seconds) + MARGIN
    with session.no_autoflush:
        await followers.release_parked(session, act.open_id, taken.held_until, now)
    if act.kind == "subscribe":
        page = settings.public_url.rstrip("/")
        taken.sentence = say("greeting", None) + (f"\n{say('privacy', None, page=page)}" if page else "")
        return
    text = text_of(act.text, follower.language) if act.kind == "click" else act.text
    if act.kind == "scan" or text is None:
        return
    with session.no_autoflush:
        conversation = await followers.conversation_of(session, follower, settings, taken.held_until, now)
    taken.conversation_id = conversation.id
    if act.kind in ("words", "click"):
        await _words(session, conversation, act, text, taken, settings, now)
    else:
        await _other(session, conversation, act, taken, now)
    follower.language = conversation.language or follower.language


async def _words(
    session: AsyncSession,
    conversation: Conversation,
    act: Act,
    text: str,
    taken: Taken,
    settings: Settings,
    now: datetime,
) -> None:
    options = await offered(session, conversation.id) if conversation.last_seq else []
    expects = await session.scalar(_EXPECTED, {"conversation": conversation.id}) if options else ""
    index = chosen(text, [option.label for option in options], expects or "")
    incoming = Incoming(act.provider_id, text)
    if index is not None:
        incoming = Incoming(act.provider_id, choice=options[index].token)
    accepted = await accept(session, conversation, incoming, now, settings.zone)
    if accepted.problem is not None:
        key = accepted.problem.type if accepted.problem.type in TOLD else "not-taken"
        taken.sentence = say(key, conversation.language, most=limits()["message_characters"])
        return
    taken.message_id = await session.scalar(_LINE, {"conversation": conversation.id, "seq": accepted.seq})


async def _other(session: AsyncSession, conversation: Conversation, act: Act, taken: Taken, now: datetime) -> None:
    """A message that the bot cannot read: kept for the agent if it can be, the customer asked for words."""
    pace = rules.next_slot(conversation.pace_mark, now, **limits()["messages"])
    if not pace.allowed:
        taken.sentence = say("too-many-messages", conversation.language)
        return
    conversation.pace_mark = pace.mark
    options = await offered(session, conversation.id) if conversation.owner == "bot" else []
    line = await add_message(
        session,
        conversation,
        "customer",
        mark(act.form, conversation.language),
        now,
        provider_id=act.provider_id,
        content_hash=rules.content_hash(act.kind, act.media_id),
    )
    taken.message_id = line.id
    if act.media_id:
        await keep(session, conversation, line, act.kind, act.media_id, now)
    if conversation.owner != "agent":
        asked = "place" if act.form == "location" else act.kind
        # What was asked before is still open: its options are offered again, under the same numbers.
        offers = [Offer(option.label, option.payload) for option in options]
        await add_message(session, conversation, "system", say(asked, conversation.language), now, offers=offers)
