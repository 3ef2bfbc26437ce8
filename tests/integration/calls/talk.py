"""What tests of calls say and look for."""

import sqlite3
from typing import Any

import asyncpg
from sqlalchemy import select

from api.agents.tables import Agent, AgentSession
from api.channels.voice.tables import Call
from api.conversations.tables import Conversation, Message
from api.db.engine import Database
from tests.integration.caller import Caller
from tests.integration.conftest import Clock

ZH, EN = "cmn-CN", "en-US"


def bot(*lines: str, expects: str = "", choices: tuple[str, ...] = ()) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"text": line, "choices": []} for line in lines]
    messages[-1]["expects"] = expects
    messages[-1]["choices"] = [{"label": label, "payload": f'/inform{{"option": "{label}"}}'} for label in choices]
    return {"messages": messages, "silent": False, "failed": False}


async def customer_lines(database: Database, caller: Caller) -> list[str]:
    async with database.read() as session:
        query = (
            select(Message.text)
            .join(Call, Call.conversation_id == Message.conversation_id)
            .where(Call.sid == caller.sid, Message.sender == "customer")
            .order_by(Message.seq)
        )
        return list(await session.scalars(query))


async def owner(database: Database, caller: Caller) -> str:
    async with database.read() as session:
        query = select(Conversation.owner).join(Call, Call.conversation_id == Conversation.id)
        return str(await session.scalar(query.where(Call.sid == caller.sid)))


async def on_duty(database: Database, clock: Clock) -> None:
    """An agent whose console was just seen."""
    async with database.write() as session, session.begin():
        session.add(
            Agent(
                id="ag_1",
                username="lin",
                password_hash="-",
                role="agent",
                languages=["zh"],
                skills=[],
                created_at=clock(),
            )
        )
        await session.flush()
        session.add(
            AgentSession(
                token_hash="t",
                agent_id="ag_1",
                seen_at=clock(),
                expires_at=clock().replace(year=2030),
                created_at=clock(),
            )
        )


async def stall(database: Database, url: str, sid: str) -> Any:
    """Hold what a call's writes need; the answer lets go."""
    if database.is_sqlite:
        writer = sqlite3.connect(url.partition("///")[2], isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")

        async def let_go() -> None:
            writer.rollback()
            writer.close()

        return let_go
    holder = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute(
        "SELECT 1 FROM conversations WHERE id = (SELECT conversation_id FROM voice_calls WHERE sid = $1) FOR UPDATE",
        sid,
    )

    async def release() -> None:
        await transaction.rollback()
        await holder.close()

    return release
