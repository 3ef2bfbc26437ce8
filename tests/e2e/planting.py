"""Leaving words in a desk by every way that words come in: each `plant_…` returns where they are to be seen.

Conversations are put into an agent's hands first, so that the bot does not answer each of them.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.dialogue.vendors import Channels
from tests.simulators.caller import Caller
from tests.simulators.follower import Follower

#: Messages that one conversation takes at once (api/conversations/limits.yml has 40).
AT_ONCE = 34
Say = Callable[[str], object]


def portions(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in as many parts as it takes conversations."""
    for start in range(0, len(texts), AT_ONCE):
        yield list(texts[start : start + AT_ONCE])


def take(channels: Channels, conversation_id: str, agent: str) -> None:
    """Put a conversation into an agent's hands."""
    channels.send("POST", f"/api/v1/conversations/{conversation_id}/handover", {"reason": "customer_asked"})
    channels.send("POST", f"/api/v1/conversations/{conversation_id}/claim", {"agent": agent})


def plant_web(channels: Channels, texts: Sequence[str], agent: str) -> list[str]:
    """As messages of the chat page; conversation ids."""
    made = []
    for portion in portions(texts):
        created = channels.client.post("/web/conversations", json={"language": "en"}).json()
        path, token = f"/web/conversations/{created['conversation_id']}/messages", created["token"]
        take(channels, created["conversation_id"], agent)
        for text in portion:
            answer = channels.client.post(
                path,
                json={"client_message_id": uuid.uuid4().hex, "text": text},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 202, answer.text
        made.append(created["conversation_id"])
    return made


def plant_wechat(channels: Channels, texts: Sequence[str], agent: str, form: str = "text") -> list[str]:
    """As WeChat messages; `form`: text, location (the label of a place) or voice (what WeChat recognised)."""
    made = []
    for portion in portions(texts):
        follower = Follower(channels.wechat, channels.desk.base_url)
        ways: dict[str, Say] = {"text": follower.send, "location": follower.location, "voice": follower.voice}
        follower.send("你好")
        conversation_id = newest(channels, "wechat")
        take(channels, conversation_id, agent)
        for text in portion:
            ways[form](text)
        made.append(conversation_id)
    return made


def plant_voice(channels: Channels, texts: Sequence[str]) -> list[str]:
    """As what speech recognition understood on the telephone; a call goes on for as long as the desk listens."""
    made, caller = [], None
    for text in texts:
        if caller is None or not listens(caller):
            if caller is not None:
                caller.hang_up()
            caller = Caller(channels.twilio, number=f"+86138{uuid.uuid4().int % 10**8:08}")
            caller.call()
            caller.press("2")  # English
            made.append(newest(channels, "voice"))
        caller.say(text)
    if caller is not None:
        caller.hang_up()
    return made


def listens(caller: Caller) -> bool:
    """Whether the desk waits for words; after some questions it waits for keys alone."""
    return caller.state == "gathering" and caller.gather is not None and "speech" in caller.gather.get("input").split()


def newest(channels: Channels, channel: str) -> str:
    """The conversation that was begun last on a channel."""
    query = "SELECT id FROM conversations WHERE channel = ? ORDER BY created_at DESC, id DESC LIMIT 1"
    return str(channels.rows(query, channel)[0][0])


def plant_tickets(channels: Channels, texts: Sequence[str], conversation_id: str | None = None) -> list[str]:
    """In every free field of a ticket and in a note to it; ticket numbers."""
    made = []
    for text in texts:
        body: dict[str, Any] = {
            "kind": "fault_report",
            "utility": "power",
            "topic": text[:40],
            "address": text[:300],
            "contact_name": text[:60],
            "contact_phone": "13800138000",
            "description": text,
            "tried": [{"guide": text[:60], "step": text[:60], "answer": text[:300]}],
            "conversation_id": conversation_id,
        }
        number = channels.send("POST", "/api/v1/tickets", body)["number"]
        channels.send("POST", f"/api/v1/tickets/{number}/notes", {"text": text, "contact_name": text[:60]})
        made.append(number)
    return made


def plant_notes(channels: Channels, texts: Sequence[str], conversation_id: str, headers: dict[str, str]) -> None:
    """As an agent's notes beside a conversation; `headers` are the agent's."""
    for text in texts:
        channels.send("POST", f"/api/v1/conversations/{conversation_id}/notes", {"text": text}, headers)


def plant_replies(channels: Channels, texts: Sequence[str], conversation_id: str, agent: str) -> None:
    """As an agent's words to the customer, whose page must not run them either."""
    for text in texts:
        body = {"text": text, "agent": agent}
        channels.send("POST", f"/api/v1/conversations/{conversation_id}/reply", body)


def plant_bulletins(channels: Channels, texts: Sequence[str]) -> list[str]:
    """As bulletins that customers are told and agents see; bulletin ids."""
    ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    bodies = [{"text_zh": f"公告 {text}", "text_en": f"Bulletin {text}", "ends_at": ends_at} for text in texts]
    return [channels.send("POST", "/api/v1/bulletins", body)["id"] for body in bodies]


def plant_outages(channels: Channels, texts: Sequence[str], asset_id: str) -> list[str]:
    """As the cause of outages; outage ids."""
    now = datetime.now(UTC)
    times = {"starts_at": now.isoformat(), "expected_end_at": (now + timedelta(hours=2)).isoformat()}
    body = {"utility": "power", "kind": "fault", "asset_id": asset_id, **times}
    return [channels.send("POST", "/api/v1/outages", body | {"cause": text})["id"] for text in texts]


def plant_agents(channels: Channels, texts: Sequence[str]) -> list[str]:
    """As agents' display names and skills; user names (which have no room for markup)."""
    made = []
    for number, text in enumerate(texts):
        username = f"planted{number}-{uuid.uuid4().hex[:6]}"
        body = {"username": username, "password": "a long enough password", "skills": [text[:40]], "name": text[:60]}
        channels.send("POST", "/api/v1/agents", body)
        made.append(username)
    return made
