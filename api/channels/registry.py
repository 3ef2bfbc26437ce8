"""The vendors' channels that are configured."""

from collections.abc import Callable
from datetime import datetime

from api.channels.base import Channel
from api.db.engine import Database
from api.settings import Settings


def channels_of(settings: Settings, database: Database, clock: Callable[[], datetime]) -> list[Channel]:
    """Every channel whose secrets are set; Settings has refused half of them."""
    channels: list[Channel] = []
    if settings.wechat_on:
        from api.channels.wechat.channel import wechat

        channels.append(wechat(settings, database, clock))
    if settings.voice_on:
        from api.channels.voice.channel import voice

        channels.append(voice(settings, database, clock))
    return channels
