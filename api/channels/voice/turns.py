"""A call's turns: what the caller answered is taken in, the bot's answer is awaited for a while, and both are told.

A turn is `turn:<n>` of api.channels.voice.steps. It has two transactions: one takes in the answer, so that it is not
lost whatever comes, one composes what is said then; between them the bot works. Is it late, the call is held by
`turn:<n>:w1`, `turn:<n>:w2`, …, each of which looks again.
"""

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.base import settled
from api.channels.voice import steps, taking, telling
from api.channels.voice.calls import begin_call
from api.channels.voice.hooks import At, Hook, key_of
from api.channels.voice.tables import Call, Step

#: Seconds of a webhook for which the bot's answer is awaited.
BOT_SECONDS = 2.0


@dataclass(frozen=True)
class Taken:
    """What the first transaction came to: TwiML at once, or the wait for the bot."""

    step: int
    twiml: str
    conversation_id: str
    told_seq: int


async def incoming(hook: Hook) -> str:
    """Answer a call: greet, and ask for the language."""

    async def make(session: AsyncSession) -> str:
        at, _ = await _at(session, hook)
        return await telling.greet(at)

    return await steps.once(hook.database, hook.sid, "incoming", hook.form.body_hash, hook.now, make)


async def turn(hook: Hook) -> str:
    """Take in an answer, wait a little for the bot, and go on."""
    began = asyncio.get_running_loop().time()
    if hook.step is not None and (earlier := await steps.known(hook.database, hook.sid, key_of(hook.step))):
        return earlier
    taken = await steps.patiently(lambda: _take(hook))
    if taken.twiml:
        return taken.twiml
    left = began + BOT_SECONDS - asyncio.get_running_loop().time()
    await settled(hook.database, taken.conversation_id, taken.told_seq, left)
    return await _told(hook, taken.step, 0)


async def waited(hook: Hook, step: int) -> str:
    """Look again for the bot's answer."""
    earlier = await steps.known(hook.database, hook.sid, key_of(step, hook.wait))
    if earlier:
        return earlier
    async with hook.database.read() as session:
        call = await session.get(Call, hook.sid)
    if call is None:
        return await turn(hook)
    await settled(hook.database, call.conversation_id, call.told_seq, BOT_SECONDS)
    return await _told(hook, step, hook.wait)


async def after_apology(hook: Hook, step: int) -> str:
    """Say what was not heard because it came too late; ask again if the answer was never taken in."""
    if hook.wait:
        return await waited(hook, step)
    begun = await steps.known(hook.database, hook.sid, key_of(step))
    if begun is not None:
        return begun or await _told(hook, step, 0)

    async def make(session: AsyncSession) -> str:
        at, new = await _at(session, hook)
        if new:
            return await telling.greet(at)
        row = await session.get(Step, (hook.sid, key_of(step)), populate_existing=True)
        if row is None:
            return await telling.again(at, step, before=[at.word("ask_again")])
        # It came through after all, in another process.
        row.twiml = row.twiml or await telling.compose(at, step, 0)
        return row.twiml

    key = f"{key_of(step)}:s{hook.sorry}"
    return await steps.once(hook.database, hook.sid, key, hook.form.body_hash, hook.now, make)


async def _at(session: AsyncSession, hook: Hook) -> tuple[At, bool]:
    """The call with all that it is, locked; begun, if it is new (whatever webhook was the first to arrive)."""
    found = await steps.locked_call(session, hook.sid)
    call, conversation = found or await begin_call(session, hook.settings, hook.form, hook.now)
    return At(session, hook, call, conversation), found is None


async def _take(hook: Hook) -> Taken:
    """The first transaction: whatever the caller answered is on file when it ends."""
    async with hook.database.write() as session, session.begin():
        at, new = await _at(session, hook)
        call = at.call
        step = call.step if hook.step is None else hook.step
        row = await session.get(Step, (hook.sid, key_of(step)), populate_existing=True)
        if row is None:
            call.step = max(call.step, step + 1)
            row = Step(call_sid=hook.sid, step=key_of(step), body_hash=hook.form.body_hash, twiml="", at=hook.now)
            session.add(row)
            if new:
                row.twiml = await telling.greet(at)
            elif not hook.back:
                row.twiml = await taking.act(at, step)
            await session.flush()
        return Taken(step, row.twiml, at.conversation.id, call.told_seq)


async def _told(hook: Hook, step: int, wait: int) -> str:
    """The second transaction: what the bot and the desk have said since, or holding words."""

    async def make(session: AsyncSession) -> str:
        at, _ = await _at(session, hook)
        return await telling.compose(at, step, wait)

    return await steps.once(hook.database, hook.sid, key_of(step, wait), hook.form.body_hash, hook.now, make)
