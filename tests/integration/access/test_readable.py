"""Which conversations an agent may open: those that the work brings, at the API and at the console alike."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.audit.service import record
from api.channels.voice.tables import Call
from api.channels.wechat.tables import Attachment
from api.conversations.tables import Callback, Conversation, Mention, Message, Note
from api.db.engine import Database
from api.settings import Settings
from api.tickets.tables import Ticket, Unit
from tests.integration.access.conftest import Knocker
from tests.integration.conftest import Clock

Put = Callable[..., Awaitable[None]]
ME, COLLEAGUE = "ag_agent", "ag_supervisor"
OWNED: dict[str, Any] = {"owner": "agent", "agent_id": COLLEAGUE}
OVER: dict[str, Any] = {"owner": "bot", "closed_at": True}


@pytest.fixture
def put(database: Database, clock: Clock, knockers: dict[str, Knocker]) -> Put:
    """`await put(row, …)`: keep rows; a conversation made of a dict."""

    async def keep(*rows: Any, id: str = "cv_x", **fields: Any) -> None:
        if fields:
            now = clock()
            fields |= {"closed_at": now} if fields.get("closed_at") else {}
            made = Conversation(
                **({"channel": "web", "language": "zh", "last_seq": 0, "last_message_at": now} | fields),
                id=id, created_at=now,
            )  # fmt: skip
            rows = (made, *rows)
        async with database.write() as session, session.begin():
            for row in rows:
                session.add(row)
                await session.flush()

    return keep


async def opened(door: httpx.AsyncClient, knockers: dict[str, Knocker], id: str = "cv_x", who: str = "agent") -> bool:
    """Whether the conversation opens, everywhere alike."""
    door.cookies.clear()
    api, console = knockers[who].headers, knockers[f"{who}@console"].headers
    answers = [
        await door.get(f"/api/v1/conversations/{id}", headers=api),
        await door.get(f"/api/v1/conversations/{id}/transcript", headers=api),
        await door.get(f"/api/v1/conversations/{id}/notes", headers=api),
        await door.get(f"/console/c/{id}", headers=console),
        await door.get(f"/console/_/c/{id}/lines", headers=console),
        await door.get(f"/console/_/c/{id}/panel", headers=console),
    ]
    found = {answer.status_code in (200, 204) for answer in answers}
    assert len(found) == 1, [answer.status_code for answer in answers]
    listed = await door.get("/api/v1/conversations?limit=200", headers=api)
    assert (id in [row["id"] for row in listed.json()["items"]]) in found
    return found.pop()


@pytest.mark.parametrize("fields", [OWNED, OVER])
@pytest.mark.parametrize("who", ["agent", "supervisor", "admin"])
async def test_a_colleagues_and_what_is_over_open_to_supervisors_alone(
    who: str, fields: dict[str, Any], put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    await put(**fields)
    assert await opened(door, knockers, who=who) is (who != "agent")


async def test_a_desk_may_let_agents_read_all(
    app: FastAPI, settings: Settings, put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    await put(**OWNED)
    app.state.settings = settings.model_copy(update={"agents_read_all": True})
    assert await opened(door, knockers)


@pytest.mark.parametrize("fields", [{"owner": "waiting"}, {"owner": "bot"}, {"owner": "agent", "agent_id": ME}])
async def test_what_goes_on_and_may_be_taken_and_what_is_ones_own(
    fields: dict[str, Any], put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    await put(**fields)
    assert await opened(door, knockers)


async def test_what_the_assistant_had_is_soon_nobodys_business(
    put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker], clock: Clock
) -> None:
    await put(owner="bot")
    clock.advance(minutes=31)
    assert not await opened(door, knockers)


def beside(clock: Clock) -> dict[str, tuple[Any, ...]]:
    """What brings a colleague's conversation to an agent, by name."""
    now = clock()
    said = Message(id="ms_x", conversation_id="cv_x", seq=1, sender="agent", agent_id=ME, text="好", at=now)
    note = {"id": "nt_x", "conversation_id": "cv_x", "seq": 0, "kind": "note", "text": "看", "at": now}
    ticket = {"number": "400000000000", "kind": "fault_report", "utility": "power", "unit": "dispatch", "priority": 3}
    ticket |= {"conversation_id": "cv_x", "language": "zh", "created_at": now, "updated_at": now}
    unit = Unit(id="dispatch", name_zh="调度中心", name_en="Dispatch centre")
    call = {"sid": "CA_x", "conversation_id": "cv_x", "created_at": now}
    return {
        "he wrote in it": (said,),
        "he wrote a note": (Note(**note, agent_id=ME),),
        "the desk passed it on": (
            Note(**note | {"id": "nt_z"}, facts={"what": "passed", "why": "silent", "from": ME}),
        ),
        "a colleague named him": (Note(**note, agent_id=COLLEAGUE), Mention(note_id="nt_x", agent_id=ME)),
        "it came to his phone": (Call(**call, agent_id=ME),),
        "a call was promised": (Callback(id="cb_x", conversation_id="cv_x", due_at=now, created_at=now),),
        "its customer is to be told": (unit, Ticket(**ticket, status="repaired")),
    }


@pytest.mark.parametrize("what", list(beside(Clock())))
async def test_what_the_work_brings(
    what: str, put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker], clock: Clock
) -> None:
    await put(*beside(clock)[what], **OWNED)
    await put(id="cv_y", **OWNED)
    assert await opened(door, knockers)
    assert not await opened(door, knockers, "cv_y")


async def test_what_somebody_else_did_brings_it_to_nobody(
    put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker], clock: Clock
) -> None:
    said, note, passed, named, call, promised, ticket = beside(clock).values()
    passed[0].facts = {"what": "passed", "why": "silent", "from": COLLEAGUE, "to": ME}
    said[0].agent_id = note[0].agent_id = call[0].agent_id = COLLEAGUE
    named[1].agent_id, named[0].id, named[1].note_id = COLLEAGUE, "nt_y", "nt_y"
    promised[0].status, ticket[1].status = "done", "received"
    await put(*said, *note, *passed, *named, *call, *promised, *ticket, **OWNED)
    assert not await opened(door, knockers)


async def test_what_he_took_once_without_a_word(
    put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker], database: Database, clock: Clock
) -> None:
    await put(**OVER)
    async with database.write() as session, session.begin():
        record(session, f"agent:{ME}", "read", "conversation:cv_x", clock())  # having read it is no reason
    assert not await opened(door, knockers)
    async with database.write() as session, session.begin():
        record(session, f"agent:{ME}", "conversation.claimed", "conversation:cv_x", clock())
    assert await opened(door, knockers)


SAME: dict[str, dict[str, Any]] = {
    "account": {"account_number": "5001000026"},
    "follower": {"channel": "wechat", "deliver_to": "o-1"},
    "number": {"channel": "voice"},
}


@pytest.mark.parametrize("same", list(SAME))
async def test_what_the_customer_whom_he_serves_had_before(
    same: str, put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker], clock: Clock
) -> None:
    now = clock()
    await put(**OVER, **SAME[same])
    now_here = {"owner": "agent", "agent_id": ME, **SAME[same]}
    await put(id="cv_now", **now_here, **({"verified_at": now} if same == "account" else {}))
    if same == "number":
        for one in ("cv_x", "cv_now"):
            await put(Call(sid=f"CA_{one}", conversation_id=one, number="+8613812345678", created_at=now))
    await put(id="cv_other", **OVER, channel="wechat", deliver_to="")
    assert await opened(door, knockers)
    assert not await opened(door, knockers, "cv_other")
    if same == "account":
        clock.advance(minutes=31)  # nobody has proved any more that it is the same customer
        assert not await opened(door, knockers)


async def test_a_picture_opens_with_its_conversation(
    put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker], clock: Clock, settings: Settings
) -> None:
    from api.channels.wechat.attachments import path_of

    now = clock()
    line = Message(id="ms_x", conversation_id="cv_x", seq=1, sender="customer", text="[图片]", at=now)
    file = {"message_id": "ms_x", "kind": "image", "state": "kept", "content_type": "image/png", "size": 1}
    picture = Attachment(id="at_x", conversation_id="cv_x", media_id="m", created_at=now, not_before=now, **file)
    await put(line, picture, **OWNED)
    path = path_of(settings.home, "at_x")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    for who, status in (("agent", 403), ("supervisor", 200)):
        for url, headers in (
            ("/api/v1/attachments/at_x", knockers[who].headers),
            ("/api/v1/attachments?conversation_id=cv_x", knockers[who].headers),
            ("/console/attachments/at_x", knockers[f"{who}@console"].headers),
            ("/api/v1/replies?conversation_id=cv_x", knockers[who].headers),
        ):
            door.cookies.clear()
            assert (await door.get(url, headers=headers)).status_code == status, url


async def test_a_search_finds_what_may_be_opened(
    put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker], clock: Clock
) -> None:
    for one, fields in (("cv_x", OWNED), ("cv_y", {"owner": "waiting", "waiting_since": clock()})):
        line = Message(id=f"ms_{one}", conversation_id=one, seq=1, sender="customer", text="水表走得快", at=clock())
        await put(line, id=one, **fields)
    for who, found in (("agent", {"cv_y"}), ("supervisor", {"cv_x", "cv_y"})):
        seat = knockers[f"{who}@console"]
        door.cookies.clear()
        headers = {**seat.headers, "X-CSRF-Token": seat.csrf}
        page = (await door.post("/console/_/search", data={"q": "水表"}, headers=headers)).text
        assert {one for one in ("cv_x", "cv_y") if f"item-{one}" in page} == found


async def test_what_a_colleague_takes_is_put_away_and_a_second_claim_is_too_late(
    put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    await put(**OWNED)
    seat = knockers["agent@console"]
    headers = {**seat.headers, "HX-Request": "true", "X-CSRF-Token": seat.csrf}
    answer = await door.get("/console/_/c/cv_x/lines", headers=headers)
    assert (answer.headers["hx-redirect"], answer.text) == ("/console?done=elsewhere", "")
    door.cookies.clear()
    assert "由同事在办" in (await door.get("/console?done=elsewhere", headers=seat.headers)).text
    assert (await door.post("/console/c/cv_x/claim", headers=headers)).status_code == 409
    api = {**knockers["agent"].headers, "Idempotency-Key": "1"}
    assert (await door.post("/api/v1/conversations/cv_x/claim", json={}, headers=api)).status_code == 409
    assert (await door.post("/api/v1/conversations/cv_x/reply", json={"text": "好"}, headers=api)).status_code == 409


async def test_nobody_lets_himself_in_by_a_note(
    put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    await put(**OWNED)
    seat, api = knockers["agent@console"], {**knockers["agent"].headers, "Idempotency-Key": "1"}
    for text in ("看看", "@agent"):
        written = await door.post("/api/v1/conversations/cv_x/notes", json={"text": text}, headers=api)
        assert written.status_code == 403
        headers = {**seat.headers, "X-CSRF-Token": seat.csrf}
        noted = await door.post("/console/c/cv_x/note", data={"nonce": "nonce-nonce", "text": text}, headers=headers)
        assert noted.status_code == 403
        door.cookies.clear()
    assert not await opened(door, knockers)


async def test_refusals_are_no_readings(
    put: Put, door: httpx.AsyncClient, knockers: dict[str, Knocker], clock: Clock
) -> None:
    await put(**OWNED)
    clock.advance(seconds=timedelta(minutes=1).seconds)
    refused = await door.get("/api/v1/conversations/cv_x/transcript", headers=knockers["agent"].headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "not-readable")
    log = await door.get("/api/v1/audit?by=agent:ag_agent", headers=knockers["admin"].headers)
    assert log.json()["items"] == []
