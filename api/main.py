"""Composition root of the front desk."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from api import access, pages
from api.agents.router import router as agents
from api.audit.router import router as audit
from api.audit.service import sign_with
from api.audit.start import watch_the_log
from api.bulletins.router import router as bulletins
from api.bulletins.telling import keep_telling
from api.channels import web
from api.channels.registry import channels_of
from api.channels.voice.control import keep_calls_following
from api.console import router as console
from api.conversations.alarms_router import router as alarms
from api.conversations.bell import hear_other_processes
from api.conversations.callbacks import router as callbacks
from api.conversations.engine import Engine
from api.conversations.notes_router import router as notes
from api.conversations.router import router as conversations
from api.conversations.silence import keep_agents_awake
from api.customers.router import router as customers
from api.danger import scan
from api.db.engine import open_database
from api.demo.task import keep_demo_fresh
from api.deps import Clock, utc_now
from api.errors import install_error_handlers
from api.knowledge.editing_router import router as knowledge_editing
from api.knowledge.files import load
from api.knowledge.router import router as knowledge
from api.learning.router import router as learning
from api.logs import configure_logging
from api.middleware import Guard
from api.network.names import keep_names_written
from api.network.router import router as network
from api.notices.chore import keep_notices_going
from api.notices.router import router as notices
from api.outages.router import router as outages
from api.outbox.router import router as deliveries
from api.outbox.worker import Outbox
from api.outlets.router import router as outlets
from api.quality.router import router as quality
from api.retention import keep_forgetting
from api.settings import Settings, load_settings
from api.surveys.router import router as surveys
from api.tickets.router import router as tickets
from api.translation.registry import translator_of
from api.translation.router import router as translations

#: What is below /api/v1.
ROUTERS = (
    *(agents, alarms, audit, bulletins, callbacks, conversations, customers, deliveries),
    *(knowledge, knowledge_editing, learning, network, notes, notices, outages, outlets, quality, surveys, tickets),
    translations,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Work off the queue of turns while the app is up."""
    state = app.state
    engine = Engine(state.settings, state.database, state.clock)
    outbox = Outbox(state.database, state.clock, [d for channel in state.channels for d in channel.deliverers])
    await asyncio.to_thread(scan, "")  # loads its words now, and not while the first customer waits
    await asyncio.to_thread(lambda: load(state.settings.home).index)  # and these
    async with hear_other_processes(state.database):
        engine.start()
        outbox.start()
        # What is loaded stays: a full collection would walk it again and again, and every customer wait 0.3 s for it.
        gc.collect()
        gc.freeze()
        chores = [
            asyncio.create_task(keep_demo_fresh(state.database, state.clock, state.settings.zone)),
            asyncio.create_task(keep_names_written(state.database, state.settings.names_file)),
            asyncio.create_task(keep_notices_going(state.settings, state.database, state.clock)),
            asyncio.create_task(keep_forgetting(state.database, state.clock)),
            asyncio.create_task(keep_agents_awake(state.database, state.clock)),
            asyncio.create_task(keep_telling(state.database, state.clock)),
            asyncio.create_task(keep_calls_following(state.settings, state.database, state.clock)),
            asyncio.create_task(watch_the_log(state.database, state.settings)),
        ]
        try:
            yield
        finally:
            for chore in chores:
                chore.cancel()
            await engine.stop()
            await outbox.stop()
            await state.translator.close()
            await state.database.close()


def create_app(settings: Settings, *, clock: Clock = utc_now) -> FastAPI:
    """The whole API on one database. `clock` gives the present time, aware."""
    configure_logging()
    sign_with(settings.audit_key.get_secret_value())
    app = FastAPI(
        title="Mainsdesk",
        description="The front desk of a power and water utility.",
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(access.admit)],
    )
    app.state.settings, app.state.clock = settings, clock
    app.state.database = open_database(settings.sqlalchemy_url)
    app.state.translator = translator_of(settings)
    install_error_handlers(app)
    # Routes are tried in their order, and these are asked for most.
    app.include_router(web.router)
    console.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix="/api/v1")
    app.state.channels = channels_of(settings, app.state.database, clock)
    for channel in app.state.channels:
        app.include_router(channel.router)
    pages.install(app)
    access.lay_over(app)
    app.add_middleware(Guard, https=settings.public_url.startswith("https://"))
    return app


def app() -> FastAPI:
    """For `uvicorn --factory api.main:app`."""
    return create_app(load_settings())
