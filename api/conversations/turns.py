"""Refuses the writes of a turn that was given up: its customer has been told something else since."""

from typing import Annotated

from fastapi import Depends

from api.conversations.transcript import LOCKED_TURN, lock_conversation
from api.deps import CurrentCaller, WriteSession
from api.errors import Problem


async def live_turn(caller: CurrentCaller, session: WriteSession) -> None:
    """For the bot: its turn runs and is still its own, and stays so until this request is committed.

    For anybody else: nothing. Problem 409 `turn-given-up`.
    """
    if caller.kind != "bot" or caller.conversation_id is None:
        return
    conversation = await lock_conversation(session, caller.conversation_id)
    turn = await session.scalar(LOCKED_TURN, {"turn": caller.message_id or ""})
    if (
        conversation is None
        or turn is None
        or turn.conversation_id != conversation.id
        or turn.state != "running"
        or turn.fence != caller.fence
    ):
        raise Problem(409, "turn-given-up", "The turn that this was done for is over.")


LiveTurn = Annotated[None, Depends(live_turn)]
