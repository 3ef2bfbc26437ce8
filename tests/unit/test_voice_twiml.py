"""TwiML: what may leave, and that whatever is said makes such a document."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from api.channels.voice import prompts, twiml
from api.channels.voice.keys import Kind, Prompt
from api.channels.voice.twiml import Links, Script, TwimlError, check, joined, pieces

LINKS = Links()
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "body",
    [
        "<Stream url='/x'/>",
        "<Say onclick='x'>a</Say>",
        "<Say voice='Polly.Zhiyu'><Redirect>/voice/turn</Redirect></Say>",
        "<Gather action='https://elsewhere.example.com/'/>",
        "<Gather action='//elsewhere.example.com/'/>",
        "<Gather action='turn'/>",
        "<Gather input='video'/>",
        "<Gather timeout='0'/>",
        "<Gather numDigits='-1'/>",
        "<Gather finishOnKey='##'/>",
        "<Gather><Redirect>/voice/turn</Redirect></Gather>",
        "<Gather><Gather/></Gather>",
        "<Gather>words</Gather>",
        "<Redirect/>",
        "<Redirect>https://elsewhere.example.com</Redirect>",
        "<Redirect method='GET'>/voice/turn</Redirect>",
        "<Pause length='x'/>",
        "<Dial>+8613800138000</Dial>",
        "<Dial><Client>mei</Client></Dial>",
        "<Dial><Number>abc</Number></Dial>",
        "<Hangup>now</Hangup>",
        "<Enqueue>two words</Enqueue>",
        "words",
        "<Say>a</Say>words",
        "<Gather><Say>a</Say>words</Gather>",
    ],
)
def test_refused(body: str) -> None:
    with pytest.raises(TwimlError):
        check(f"<Response>{body}</Response>")


@pytest.mark.parametrize(
    "document", ["", "<Say/>", "<Response>", "<Response>&x;</Response>", "<Response>\ud800</Response>"]
)
def test_no_document(document: str) -> None:
    with pytest.raises(TwimlError):
        check(document)


def test_too_large() -> None:
    with pytest.raises(TwimlError, match="bytes"):
        check(f"<Response><Say>{'水' * 22_000}</Say></Response>")


def test_everything_that_scripts_can_do() -> None:
    script = Script(LINKS, slow=True)
    script.say("您好 <b> & 再见", "zh")
    script.pause(1)
    with script.gather(LINKS("turn", step=3, lang="zh"), "zh", hints=["停电"]):
        script.line("请问", "zh")
        script.pause(1)
    with script.gather(LINKS("turn", step=3), "en", keys=None):
        script.say("number", "en", slow=False)
    script.enqueue("desk", LINKS("queue", step=3), LINKS("person", step=3))
    script.dial("+8613800138000", LINKS("person"), whisper=LINKS("whisper", step=1), timeout=20, caller_id="+8610")
    script.record(LINKS("voicemail"), seconds=120, callback=LINKS("status"))
    script.redirect(LINKS("turn", step=3))
    script.leave()
    script.hangup()
    root = ElementTree.fromstring(script.xml())
    assert [verb.tag for verb in root] == [
        *("Say", "Pause", "Gather", "Gather", "Enqueue", "Dial", "Record", "Redirect", "Leave", "Hangup")
    ]
    assert "".join(root[0].itertext()) == "您好 <b> & 再见"
    assert root[2].attrib == {
        "action": "/voice/turn?step=3&lang=zh",
        "method": "POST",
        "input": "speech dtmf",
        "timeout": "6",
        "speechTimeout": "auto",
        "language": "cmn-Hans-CN",
        "hints": "停电",
        "numDigits": "1",
        "finishOnKey": "",
        "actionOnEmptyResult": "true",
        "bargeIn": "true",
        "profanityFilter": "false",
    }
    assert root[3].attrib["finishOnKey"] == "#"
    assert "numDigits" not in root[3].attrib
    assert root[3][0].find("prosody") is None


PROMPTS = st.builds(
    Prompt,
    st.sampled_from(["menu", "options", "yes_no", "number", "open", "closing"]),
    st.lists(st.text(max_size=3000), max_size=5).map(tuple),
    st.sampled_from(["", "yes_no", "place", "phone", "account", "ticket", "reading", "factor", "count", "free", "?"]),
    st.lists(st.tuples(st.text(max_size=12), st.text(max_size=200)), max_size=6).map(tuple),
    st.text("0123456789", max_size=30),
)


@given(PROMPTS, st.sampled_from(["zh", "en", None]), st.booleans(), st.booleans(), st.lists(st.text(max_size=120)))
def test_every_prompt_makes_good_twiml(
    prompt: Prompt, language: str | None, keys_only: bool, slow: bool, places: list[str]
) -> None:
    script = Script(Links("/desk"), slow=slow)
    action = prompts.turn_link(script.links, 7, language)
    prompts.ask(script, prompt, language, action, before=prompt.lines[:1], keys_only=keys_only, places=places)
    root = ElementTree.fromstring(script.xml())
    assert root[0].attrib["action"].startswith("/desk/voice/turn?step=7")
    assert root[0].attrib["input"] == ("dtmf" if keys_only else "speech dtmf")


@given(st.text(max_size=8000), st.sampled_from(["zh", "en"]), st.booleans())
def test_whatever_is_said_is_xml(text: str, language: str, slow: bool) -> None:
    script = Script(LINKS, slow=slow)
    script.say(text, language)
    script.line(text, language)
    for say in ElementTree.fromstring(script.xml()):
        assert 0 < len("".join(say.itertext())) <= twiml.SAY_CHARACTERS


@pytest.mark.parametrize("wait", [1, 2, 5, 50])
def test_holding(wait: int) -> None:
    script = Script(LINKS)
    prompts.hold(script, 4, "zh", wait)
    assert f"/voice/turn?step=4&amp;lang=zh&amp;wait={wait}" in script.xml()


def test_apologies_need_no_database_and_know_the_language() -> None:
    for language, voices in (("zh", 1), ("en", 1), (None, 2)):
        document = prompts.apology(LINKS, "/voice/turn?step=4&sorry=1", language)
        assert document.count("<Say") == voices
        assert "<Redirect" in document
        assert "<Hangup" in prompts.farewell(LINKS, language)


@given(st.lists(st.text(max_size=150), max_size=600))
def test_hints_stay_within_bounds(hints: list[str]) -> None:
    made = joined(hints)
    entries = made.split(",") if made else []
    assert len(entries) <= 500
    assert all(0 < len(entry) <= 100 for entry in entries)
    assert len(made.encode()) <= 12_000
    assert len(set(entries)) == len(entries)


def test_pieces_end_with_sentences() -> None:
    assert pieces("一二。三四五。六", 4) == ["一二。", "三四五。", "六"]
    assert pieces("一二三四五六七", 3) == ["一二三", "四五六", "七"]
    assert pieces(" ", 3) == []


def test_every_sentence_is_in_both_languages_and_short() -> None:
    for key, texts in yaml.safe_load((ROOT / "api/channels/voice/sentences.yml").read_text("utf-8")).items():
        assert set(texts) == {"zh", "en"}, key
        assert len(texts["zh"]) <= 45, key
        assert len(texts["en"]) <= 130, key


def test_the_bots_misunderstandings_are_known() -> None:
    responses = yaml.safe_load((ROOT / "bot/data/responses/talk.yml").read_text("utf-8"))["responses"]
    for name in ("utter_which_reading", "utter_rephrase", "utter_not_understood", "utter_not_understood_again"):
        for variant in responses[name]:
            assert prompts.misunderstood([variant["text"]]), (name, variant["text"])
    for variant in responses["utter_goodbye"]:
        assert prompts.says_goodbye([variant["text"]])
    for name in ("utter_greet", "utter_anything_else", "utter_cancelled", "utter_language_switched"):
        for variant in responses[name]:
            assert not prompts.misunderstood([variant["text"]]), (name, variant["text"])
            assert not prompts.says_goodbye([variant["text"]]), (name, variant["text"])


@pytest.mark.parametrize(
    ("kind", "expects", "words"),
    [
        ("yes_no", "yes_no", "请按一"),
        ("number", "account", "井号键"),
        ("menu", "", "人工请按零"),
        ("closing", "", "别的事"),
    ],
)
def test_tells_which_keys_there_are(kind: Kind, expects: str, words: str) -> None:
    script = Script(LINKS)
    prompts.ask(script, Prompt(kind, ("请问？",), expects), "zh", "/voice/turn?step=1")
    assert words in script.xml()


@pytest.mark.parametrize(
    "line",
    ["sip:mei@pbx.example.com", "sip:mei.li@pbx.example.com:5061;transport=tls", "sip:101@10.0.0.5;transport=udp"],
)
def test_a_sip_line_is_dialled_with_the_same_whisper_and_reports(line: str) -> None:
    script = Script(LINKS)
    script.dial(line, LINKS("person"), whisper=LINKS("whisper", call="CA1"), timeout=25, progress=LINKS("leg", leg=1))
    sip = ElementTree.fromstring(script.xml()).find("Dial/Sip")
    assert sip is not None
    assert sip.text == line
    assert sip.attrib == {
        "url": "/voice/whisper?call=CA1",
        "method": "POST",
        "statusCallback": "/voice/leg?leg=1",
        "statusCallbackMethod": "POST",
        "statusCallbackEvent": "answered",
    }


@pytest.mark.parametrize("line", ["sip:mei@pbx.example.com;maddr=elsewhere", "sip:mei@pbx.example.com?X-A=b", "sip:@x"])
def test_no_other_sip_address_leaves(line: str) -> None:
    script = Script(LINKS)
    script.dial(line, LINKS("person"), whisper=LINKS("whisper"), timeout=25)
    with pytest.raises(TwimlError):
        script.xml()
