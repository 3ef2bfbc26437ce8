"""Every table of every feature, imported in one place so that `Base.metadata` is whole."""

from api.agents import tables as agents
from api.audit import protection  # its triggers are part of the schema
from api.audit import tables as audit
from api.bulletins import tables as bulletins
from api.channels.voice import tables as voice
from api.channels.wechat import tables as wechat
from api.conversations import tables as conversations
from api.customers import tables as customers
from api.db import idempotency
from api.db.base import Base
from api.knowledge import tables as knowledge
from api.network import tables as network
from api.notices import tables as notices
from api.outages import tables as outages
from api.outbox import tables as outbox
from api.outlets import tables as outlets
from api.quality import tables as quality
from api.surveys import tables as surveys
from api.tickets import tables as tickets

__all__ = [
    "Base",
    "agents",
    "audit",
    "bulletins",
    "conversations",
    "customers",
    "idempotency",
    "knowledge",
    "network",
    "notices",
    "outages",
    "outbox",
    "outlets",
    "protection",
    "quality",
    "surveys",
    "tickets",
    "voice",
    "wechat",
]
