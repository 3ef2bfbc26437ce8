"""The telephone as a channel of the desk."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from api.channels.base import Channel
from api.db.engine import Database
from api.settings import Settings


def voice(settings: Settings, database: Database, clock: Callable[[], datetime]) -> Channel:
    """The channel, its secrets being set."""
    return Channel("voice", APIRouter(prefix="/voice"))
