"""The telephone as a channel of the desk."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from api.channels.base import Channel, Deliverer
from api.channels.voice import person_router, prompts
from api.channels.voice import router as inbound
from api.channels.voice.calls_out import CallDeliverer
from api.channels.voice.sms import SmsDeliverer
from api.channels.voice.speech import spoken
from api.db.engine import Database
from api.settings import Settings

#: What is below /voice.
ROUTERS = (inbound.router, person_router.router)


def voice(settings: Settings, database: Database, clock: Callable[[], datetime]) -> Channel:
    """The channel, its secrets being set."""
    for language in prompts.BOTH:  # loads the words now, and not while the first caller waits
        spoken(prompts.words("greeting", language), language)
    router = APIRouter()
    for part in ROUTERS:
        router.include_router(part)
    # Nothing is sent or called out without a number of our own.
    deliverers: list[Deliverer] = []
    if settings.twilio_from:
        deliverers = [SmsDeliverer(settings, clock=clock), CallDeliverer(settings, clock=clock)]
    return Channel("voice", router, deliverers)
