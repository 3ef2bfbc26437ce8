"""All of the console's routes, behind the check that a change comes from a page of ours."""

from fastapi import APIRouter, Depends, FastAPI

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

#: Every room of the console.
ROOMS = (
    login.router,
    events.router,
    inbox.router,
    conversation.router,
    composer.router,
    picker.router,
    reading.router,
    acts.router,
    strips.router,
    calls.router,
    panel.router,
    filing.router,
    tickets.router,
    outages.router,
    supervisor.router,
    quality.router,
    misunderstood.router,
    bulletins.router,
    knowledge.router,
    surveys_page.router,
    audit_page.router,
    account.router,
    agents_admin.router,
)


def install(app: FastAPI) -> None:
    """Add the console to the app, after its error handlers."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(csrf_checked)])
    for room in ROOMS:
        router.include_router(room)
    for door in (login.doors, oidc.doors):  # whoever signs in has no page of ours yet
        app.include_router(door)
    app.include_router(router)
    errors.install(app)
