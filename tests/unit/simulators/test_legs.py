"""The simulated telephone that a call is put through to: asked before it is joined, reported as Twilio reports it."""

import httpx
import pytest

from tests.simulators.caller import Caller
from tests.simulators.leg import CallFailed
from tests.simulators.twilio import TwilioServer
from tests.unit.simulators.desk import FakeDesk

AGENT = "+8613900139000"
GATHER = "<Gather numDigits='1' actionOnEmptyResult='true' action='/power/voice/taken'><Say>Press 1.</Say></Gather>"


def response(inside: str) -> str:
    return f"<?xml version='1.0' encoding='UTF-8'?><Response>{inside}</Response>"


@pytest.fixture
def rung(twilio: TwilioServer, desk: FakeDesk) -> Caller:
    """A caller whose agent has picked up and is asked for a key."""
    dial = f"<Dial action='/power/voice/dialled'><Number url='/power/voice/whisper'>{AGENT}</Number></Dial>"
    desk.put("/voice/incoming", response(dial))
    desk.put("/voice/whisper", response(f"{GATHER}<Hangup/>"))
    desk.put("/voice/dialled", response("<Say>Sorry.</Say><Hangup/>"))
    desk.put("/voice/status", response(""))
    desk.put("/voice/moved", response("<Say>Please hold.</Say><Gather/>"))
    twilio.behaviours[AGENT] = "listen"
    caller = Caller(twilio)
    caller.call()
    assert (caller.state, twilio.whispers[AGENT]) == ("dialling", ["Press 1."])
    return caller


def form_of(desk: FakeDesk, path: str) -> dict[str, str]:
    return next(request.form for request in reversed(desk.requests) if request.path == path)


@pytest.mark.parametrize(("document", "state"), [("", "bridged"), ("<Hangup/>", "ended")])
def test_a_document_without_a_hangup_joins_the_two(rung: Caller, desk: FakeDesk, document: str, state: str) -> None:
    desk.put("/voice/taken", response(document))
    rung.agent_presses("1")
    assert rung.state == state
    taken = form_of(desk, "/voice/taken")
    assert (taken["Digits"], taken["ParentCallSid"]) == ("1", rung.sid)
    assert taken["CallSid"] != rung.sid


@pytest.mark.parametrize("unbridged", ["completed", "no-answer"])
def test_a_declined_leg_was_answered_and_not_bridged(
    rung: Caller, twilio: TwilioServer, desk: FakeDesk, unbridged: str
) -> None:
    twilio.unbridged = unbridged
    desk.put("/voice/taken", response("<Hangup/>"))
    assert [said.text for said in rung.agent_presses("")] == ["Sorry."]
    told = form_of(desk, "/voice/dialled")
    assert (told["DialCallStatus"], told["DialBridged"], told["CallStatus"]) == (unbridged, "false", "in-progress")
    with pytest.raises(CallFailed):
        rung.agent_presses("1")


def test_a_talk_was_bridged(rung: Caller, desk: FakeDesk) -> None:
    desk.put("/voice/taken", response(""))
    rung.agent_presses("1")
    rung.agent_hangs_up()
    told = form_of(desk, "/voice/dialled")
    assert (told["DialCallStatus"], told["DialBridged"]) == ("completed", "true")


def test_a_caller_who_hangs_up_is_reported_to_the_action_too(rung: Caller, desk: FakeDesk) -> None:
    rung.hang_up()
    told = form_of(desk, "/voice/dialled")
    assert (told["CallStatus"], told["DialBridged"]) == ("completed", "false")


def test_a_redirect_asks_the_action_first_and_runs_only_the_new_document(
    rung: Caller, twilio: TwilioServer, desk: FakeDesk
) -> None:
    desk.put("/voice/taken", response(""))
    rung.agent_presses("1")
    url = f"{twilio.url}/2010-04-01/Accounts/{twilio.account.sid}/Calls"
    pair = (twilio.account.sid, twilio.account.auth_token)
    moved = {"Url": "https://desk.example.com/power/voice/moved", "Method": "POST"}
    answer = httpx.post(f"{url}/{rung.sid}.json", data=moved, auth=pair, trust_env=False)
    assert (answer.status_code, answer.json()["status"]) == (200, "in-progress")
    assert [said.text for said in rung.follow_order()] == ["Please hold."]
    assert [request.path for request in desk.requests][-2:] == ["/voice/dialled", "/voice/moved"]
    assert form_of(desk, "/voice/dialled")["DialCallStatus"] == "completed"
    rung.hang_up()
    over = httpx.post(f"{url}/{rung.sid}.json", data=moved, auth=pair, trust_env=False)
    assert (over.status_code, over.json()["code"]) == (400, 21220)
    unknown = httpx.post(f"{url}/CA{'0' * 32}.json", data=moved, auth=pair, trust_env=False)
    assert (unknown.status_code, unknown.json()["code"]) == (404, 20404)
