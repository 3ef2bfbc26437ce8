"""The list of promised calls, which every agent's page of calls fetches again and again."""

from datetime import timedelta

from sqlalchemy import event

from api.agents.tables import Agent
from api.console import calls_view
from api.console.session import SignedIn
from api.conversations.tables import Callback, Conversation
from api.db.engine import Database
from tests.integration.conftest import Clock


async def test_the_places_of_all_who_wait_for_a_call_are_read_at_once(database: Database, clock: Clock) -> None:
    now = clock()
    me = SignedIn(Agent(id="ag_1", username="mei", role="agent", language="zh"), "", "")
    statements: list[str] = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda _c, _u, statement, *_more: statements.append(statement),
    )
    asked: list[int] = []
    for many in (3, 12):
        async with database.write() as session, session.begin():
            for number in range(many):
                since = now - timedelta(minutes=many - number)
                key = f"{many}_{number:02}"
                session.add(
                    Conversation(
                        id=f"cv_{key}", channel="voice", owner="waiting", waiting_since=since, created_at=since
                    )
                )
                await session.flush()
                session.add(
                    Callback(id=f"cb_{key}", conversation_id=f"cv_{key}", phone="1", due_at=now, created_at=since)
                )
            session.add(Conversation(id=f"cv_{many}_bot", channel="web", owner="bot", created_at=now))
            await session.flush()
            session.add(Callback(id=f"cb_{many}_zz", conversation_id=f"cv_{many}_bot", due_at=now, created_at=now))
        statements.clear()
        async with database.read() as session:
            found = await calls_view.promised(session, me, now)
        asked.append(len([one for one in statements if one.startswith("SELECT")]))
        places = {one.conversation.id: one.position for one in found}
        assert places[f"cv_{many}_bot"] == 0
    assert sorted(place for place in places.values() if place) == list(range(1, 16))
    assert places["cv_12_00"] == 1
    assert asked[0] == asked[1], asked
