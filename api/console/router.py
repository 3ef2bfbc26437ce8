"""All of the console's routes, behind the check that a change comes from a page of ours."""

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import Match
from starlette.types import Scope

from api.console import (
    account,
    acts,
    agents_admin,
    audit_page,
    bulletins,
    calls,
    composer,
    conversation,
    errors,
    events,
    filing,
    inbox,
    knowledge,
    knowledge_edit,
    login,
    misunderstood,
    oidc,
    outages,
    panel,
    picker,
    quality,
    reading,
    strips,
    supervisor,
    surveys_page,
    tickets,
)
from api.console.session import csrf_checked

#: Every room of the console; routes are tried in this order, and so those first that are asked for most.
ROOMS = (
    inbox.router,
    conversation.router,
    panel.router,
    strips.router,
    composer.router,
    events.router,
    login.router,
    picker.router,
    reading.router,
    acts.router,
    calls.router,
    filing.router,
    tickets.router,
    outages.router,
    supervisor.router,
    quality.router,
    misunderstood.router,
    bulletins.router,
    knowledge.router,
    knowledge_edit.router,
    surveys_page.router,
    audit_page.router,
    account.router,
    agents_admin.router,
)


class Console(APIRouter):
    """The rooms' routes in one list: FastAPI looks through a router within another once more for each level."""

    def __init__(self) -> None:
        super().__init__(routes=[route for room in ROOMS for route in room.routes])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Paths elsewhere are not tried one by one."""
        return super().matches(scope) if scope["path"].startswith("/console") else (Match.NONE, {})


def install(app: FastAPI) -> None:
    """Add the console to the app, after its error handlers."""
    app.include_router(Console(), include_in_schema=False, dependencies=[Depends(csrf_checked)])
    for door in (login.doors, oidc.doors):  # whoever signs in has no page of ours yet
        app.include_router(door)
    errors.install(app)
