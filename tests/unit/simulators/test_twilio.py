"""Twilio's simulator keeps its rules: strict TwiML, signatures, calls, queues, REST."""

from collections.abc import Callable
from xml.sax.saxutils import quoteattr

import httpx
import pytest

from tests.simulators.caller import Caller
from tests.simulators.leg import CallFailed
from tests.simulators.twilio import TwilioAccount, TwilioServer
from tests.simulators.twiml import WAITING, BadTwiml, parse

#: wechatpy's tests/test_crypto.py
from tests.unit.simulators.desk import FakeDesk

# TwiML


def response(inside: str) -> str:
    return f"<?xml version='1.0' encoding='UTF-8'?><Response>{inside}</Response>"


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("<Speak>hi</Speak>", "may not stand"),
        ("<Say loud='yes'>hi</Say>", "no attribute loud"),
        ("<Say></Say>", "says nothing"),
        ("<Say language='cmn-Hans-CN'>hi</Say>", "no language"),
        (f"<Say>{'x' * 4097}</Say>", "4097"),
        ("<Gather><Gather/></Gather>", "may not stand"),
        ("<Gather>hello</Gather>", "holds text"),
        ("<Gather input='voice'/>", "input"),
        ("<Gather input='speech' language='zh-CN'/>", "hears no language"),
        ("<Gather numDigits='some'/>", "not a number"),
        ("<Gather actionOnEmptyResult='yes'/>", "true or false"),
        (f"<Gather input='speech' hints='{'x,' * 500}x'/>", "501 hints"),
        ("<Dial/>", "nobody"),
        ("<Dial><Say>hi</Say></Dial>", "may not stand"),
        ("<Redirect/>", "empty"),
        ("words", "holds text"),
        ("<Say>" + "</Say><Say>".join("x" * 4000 for _ in range(17)) + "</Say>", "64 KB"),
    ],
)
def test_what_twilio_would_not_run(inside: str, why: str) -> None:
    with pytest.raises(BadTwiml, match=why):
        parse(response(inside).encode())


def test_documents_that_are_none() -> None:
    for body in (b"", b"<Response>", b"<Reply/>", b'<!DOCTYPE r [<!ENTITY a "b">]><Response/>'):
        with pytest.raises(BadTwiml):
            parse(body)
    with pytest.raises(BadTwiml, match="content type"):
        parse(b"<Response/>", "text/plain")
    with pytest.raises(BadTwiml, match="Dial"):
        parse(response("<Dial>+8613800138000</Dial>").encode(), only=WAITING)


def test_a_good_document() -> None:
    gather = "<Gather input='dtmf speech' language='cmn-Hans-CN' speechTimeout='auto' finishOnKey='' action='/a?b=1'>"
    say = "<Say voice='Polly.Zhiyu' language='zh-CN'><prosody rate='slow'>您好</prosody></Say></Gather>"
    verbs = parse(response(gather + say + "<Redirect>/x</Redirect>").encode(), "text/xml; charset=utf-8")
    assert [verb.name for verb in verbs] == ["Gather", "Redirect"]
    assert verbs[0].children[0].text == "您好"


# calls


def gather(words: str, action: str, **attributes: str) -> str:
    own = {"input": "dtmf speech", "action": action, "actionOnEmptyResult": "true"} | attributes
    listed = " ".join(f"{name}={quoteattr(value)}" for name, value in own.items() if value != "-")
    return f"<Gather {listed}><Say language='en-US'>{words}</Say></Gather>"


def test_signatures_match_the_public_vector() -> None:
    account = TwilioAccount("https://mycompany.com", "http://127.0.0.1:1", auth_token="12345")
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
    }
    assert account.sign("https://mycompany.com/myapp.php?foo=1&bar=2", form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_a_call_hears_speaks_and_presses(twilio: TwilioServer, desk: FakeDesk) -> None:
    desk.put("/voice/incoming", response(gather("Hello", "/power/voice/turn?step=1", numDigits="1", finishOnKey="")))
    desk.put("/voice/turn?step=1", response("<Say>Wait.</Say><Redirect>turn?step=2</Redirect>"))
    desk.put("/voice/turn?step=2", response(gather("Your number?", "/power/voice/turn?step=3", finishOnKey="#")))
    desk.put("/voice/turn?step=3", response("<Say>Goodbye</Say><Hangup/>"))
    desk.put("/voice/status", "", status=204)
    caller = Caller(twilio)
    assert [said.text for said in caller.call()] == ["Hello"]
    assert [said.text for said in caller.press("12")] == ["Wait.", "Your number?"]
    assert [said.text for said in caller.press("12*4#5")] == ["Goodbye"]
    assert caller.state == "ended"
    forms = [request.form for request in desk.requests]
    assert [form.get("Digits") for form in forms] == [None, "1", None, "12*4", None]
    assert [form["CallStatus"] for form in forms] == ["ringing", *["in-progress"] * 3, "completed"]
    first = desk.requests[0]
    signed = twilio.account.sign("https://desk.example.com/power/voice/incoming", first.form)
    assert first.headers["x-twilio-signature"] == signed
    assert len({form["CallSid"] for form in forms}) == 1


def test_silence_goes_to_the_action_or_falls_through(twilio: TwilioServer, desk: FakeDesk) -> None:
    falls = gather("One?", "/power/voice/turn?step=1", actionOnEmptyResult="-")
    desk.put("/voice/incoming", response(falls + gather("Two?", "/power/voice/turn?step=2")))
    desk.put("/voice/turn?step=2", response(gather("Keys?", "/power/voice/turn?step=3", input="dtmf")))
    desk.put("/voice/turn?step=3", response("<Hangup/>"))
    caller = Caller(twilio)
    caller.call()
    assert [said.text for said in caller.silence()] == ["Two?"]
    assert [said.text for said in caller.silence()] == ["Keys?"]
    caller.say("nobody listens")
    assert desk.requests[-2].form.get("SpeechResult") is None
    assert caller.state == "ended"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (response("<Redirect>/power/voice/incoming</Redirect>"), "a loop"),
        (response("<Redirect>https://elsewhere.example.com/</Redirect>"), "not under"),
        (response("<Leave/>"), "may not stand"),
        ("hello", "no XML"),
    ],
)
def test_a_call_fails_where_twilio_would_fail_it(twilio: TwilioServer, desk: FakeDesk, body: str, why: str) -> None:
    desk.put("/voice/incoming", body)
    caller = Caller(twilio)
    with pytest.raises(CallFailed, match=why):
        caller.call()
    assert caller.status == "failed"


def test_a_queue_is_waited_in_and_left(twilio: TwilioServer, desk: FakeDesk) -> None:
    desk.put(
        "/voice/incoming",
        response("<Enqueue waitUrl='/power/voice/queue' action='/power/voice/turn?left=1'>desk</Enqueue>"),
    )
    desk.put("/voice/queue", response("<Say>Please wait.</Say><Pause length='5'/>"), response("<Leave/>"))
    desk.put(
        "/voice/turn?left=1",
        response(
            "<Dial action='/power/voice/dialled'><Number url='/power/voice/whisper'>+8613900139000</Number></Dial>"
        ),
    )
    desk.put("/voice/whisper", response("<Say>A power cut at Hetai Garden.</Say>"))
    desk.put("/voice/dialled", response("<Hangup/>"))
    pauses: list[float] = []
    caller = Caller(twilio, pause=pauses.append)
    assert [said.text for said in caller.call()] == ["Please wait."]
    assert caller.state == "waiting"
    caller.wait()
    assert caller.state == "bridged"
    assert twilio.whispers == {"+8613900139000": ["A power cut at Hetai Garden."]}
    assert pauses == [5.0]
    caller.agent_hangs_up()
    assert caller.state == "ended"
    told = {request.path: request.form for request in desk.requests}
    assert told["/voice/queue"]["QueuePosition"] == "1"
    assert told["/voice/turn"]["QueueResult"] == "leave"
    assert told["/voice/dialled"]["DialCallStatus"] == "completed"


def test_a_busy_agent_and_a_recording(twilio: TwilioServer, desk: FakeDesk) -> None:
    desk.put("/voice/incoming", response("<Dial action='/power/voice/dialled'><Number>+8613900139000</Number></Dial>"))
    desk.put("/voice/dialled", response("<Say>Speak.</Say><Record action='/power/voice/voicemail' maxLength='60'/>"))
    desk.put("/voice/voicemail", response("<Say>Thank you.</Say>"))
    twilio.behaviours["+8613900139000"] = "busy"
    caller = Caller(twilio)
    assert [said.text for said in caller.call()] == ["Speak."]
    assert [said.text for said in caller.leave_message(20)] == ["Thank you."]
    told = {request.path: request.form for request in desk.requests}
    assert told["/voice/dialled"]["DialCallStatus"] == "busy"
    assert told["/voice/voicemail"]["RecordingDuration"] == "20"


def test_hanging_up_is_told(twilio: TwilioServer, desk: FakeDesk) -> None:
    desk.put("/voice/incoming", response(gather("Hello", "/power/voice/turn?step=1")))
    desk.put("/voice/status", "")
    caller = Caller(twilio)
    caller.call()
    caller.hang_up()
    caller.hang_up()
    assert [request.path for request in desk.requests] == ["/voice/incoming", "/voice/status"]
    with pytest.raises(CallFailed):
        caller.say("hello?")


# Twilio's API

Post = Callable[..., httpx.Response]


@pytest.fixture
def post(twilio: TwilioServer) -> Post:
    def post(resource: str, **form: str) -> httpx.Response:
        url = f"{twilio.url}/2010-04-01/Accounts/{twilio.account.sid}/{resource}"
        return httpx.post(url, data=form, auth=(twilio.account.sid, twilio.account.auth_token), trust_env=False)

    return post


def test_messages_are_taken_and_their_fate_told(twilio: TwilioServer, desk: FakeDesk, post: Post) -> None:
    desk.put("/voice/status", "")
    ours, callback = twilio.account.number, "https://desk.example.com/power/voice/status"
    good = {"From": ours, "To": "+8613800138000", "Body": "来电了", "StatusCallback": callback}
    answer = post("Messages.json", **good)
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    assert twilio.messages[0].body == "来电了"
    twilio.message_status(twilio.messages[0], "delivered")
    assert desk.requests[0].form["MessageStatus"] == "delivered"
    twilio.stopped.add("+8613800138000")
    for change, code in (({}, 21610), ({"To": "12"}, 21211), ({"From": "+1"}, 21606)):
        assert post("Messages.json", **good | change).json()["code"] == code
    assert post("Messages.json", **good | {"To": "+8613800138001", "Body": "长" * 1601}).json()["code"] == 21617
    twilio.busy()
    assert post("Messages.json", **good).status_code == 429


def test_calls_are_placed_and_answered(twilio: TwilioServer, desk: FakeDesk, post: Post) -> None:
    desk.put(
        "/voice/outbound?delivery=7", response(gather("Power is back.", "/power/voice/outbound?delivery=7&amp;step=1"))
    )
    desk.put("/voice/status", "")
    form = {
        "From": twilio.account.number,
        "To": "+8613800138000",
        "Url": "https://desk.example.com/power/voice/outbound?delivery=7",
        "StatusCallback": "https://desk.example.com/power/voice/status",
    }
    sid = post("Calls.json", **form).json()["sid"]
    caller = Caller(twilio)
    assert [said.text for said in caller.answer(twilio.calls[0])] == ["Power is back."]
    assert caller.sid == sid
    assert desk.requests[0].form["Direction"] == "outbound-api"
    assert desk.requests[0].form["To"] == "+8613800138000"
    assert post(f"Calls/{sid}.json", Status="completed").json()["sid"] == sid
    caller.wait()
    assert caller.state == "ended"
    assert desk.requests[-1].form["CallStatus"] == "completed"


def test_strangers_are_refused(twilio: TwilioServer) -> None:
    url = f"{twilio.url}/2010-04-01/Accounts/{twilio.account.sid}/Calls.json"
    assert httpx.post(url, data={}, auth=("AC1", "x"), trust_env=False).json()["code"] == 20003
