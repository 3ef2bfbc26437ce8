"""Articles and canned replies for the bot, for agents and for the console.

For the console: `known` is all that stands now, `search` finds both kinds in it, `fill` gives a reply in both languages
with what is known of a conversation (`conversation_facts`), and `placeholders` tells what is still open in a text,
which then is not fit to be sent.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations.tables import Conversation
from api.errors import not_found
from api.knowledge.files import Knowledge
from api.knowledge.model import Article, Facts, fill, placeholders, tellable
from api.knowledge.search import Hit, Kind, Language, find
from api.knowledge.store import known
from api.network.tables import ServicePoint
from api.tickets.tables import Ticket

__all__ = ["conversation_facts", "fill", "for_intent", "known", "placeholders", "search", "tellable"]


def search(desk: Knowledge, query: str, language: Language | None = None, kind: Kind | None = None) -> list[Hit]:
    """Articles and replies by words of either language, a reply's key, pinyin or its initials; best first.

    The same query gives the same answer; an empty one gives everything.
    """
    return find(desk.index, query, language, kind)


def for_intent(desk: Knowledge, intent: str, words: str = "") -> list[Article]:
    """Articles of an intent that answer these words of a customer, the more particular ones first."""
    found = [article for article in desk.articles if intent in article.intents and article.answers(words)]
    return sorted(found, key=lambda article: article.when is None)


async def conversation_facts(session: AsyncSession, conversation_id: str, agent_id: str | None = None) -> Facts:
    """What a reply can be filled with: name, ticket, address, agent; without what is not known.

    The conversation's latest ticket counts first, then what the bot knows. Problem 404 for an unknown conversation.
    """
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    ticket = await session.scalar(
        select(Ticket).where(Ticket.conversation_id == conversation_id).order_by(Ticket.created_at.desc()).limit(1)
    )
    agent = await session.get(Agent, agent_id) if agent_id else None
    sheet = conversation.sheet
    place, contact = _part(sheet, "place"), _part(sheet, "contact")
    point_id = (ticket and ticket.service_point_id) or place.get("service_point_id")
    point = await session.get(ServicePoint, point_id) if isinstance(point_id, str) else None
    known = _part(place, "address")
    heard = {language: text for language in ("zh", "en") if (text := _text(known.get(language)))}
    facts: dict[str, str | dict[str, str]] = {
        "name": (ticket and ticket.contact_name) or _text(contact.get("name")),
        "ticket": _in_groups(ticket.number) if ticket else "",
        "agent": (agent.name or agent.username) if agent else "",
        "address": {"zh": point.address_zh, "en": point.address_en} if point else (ticket and ticket.address) or heard,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _part(sheet: dict[str, Any], name: str) -> dict[str, Any]:
    part = sheet.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _in_groups(number: str) -> str:
    """A ticket's number as it is read: in groups of four."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
