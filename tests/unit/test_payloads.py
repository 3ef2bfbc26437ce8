"""The list of smuggled scripts is what the browser tests take it for."""

from api.channels.wechat.normalise import act_of
from tests.e2e.payloads import payloads


def test_there_are_a_hundred_different_ones_that_leave_a_trace() -> None:
    texts = payloads()
    assert len(texts) >= 100
    assert list(texts) == list(range(1, len(texts) + 1))
    assert len({text.replace(str(number), "@") for number, text in texts.items()}) == len(texts)
    for number, text in texts.items():
        assert len(text) <= 300
        assert str(number) in text
    assert sum("alert" in text for text in texts.values()) >= 75


def test_they_reach_the_desk_as_they_are() -> None:
    own = {"FromUserName": "o1", "ToUserName": "gh_1", "CreateTime": "1", "MsgId": "1"}
    for text in payloads().values():
        assert act_of({**own, "MsgType": "text", "Content": text}).text == text
        assert act_of({**own, "MsgType": "location", "Label": text}).text == text
        assert act_of({**own, "MsgType": "voice", "Recognition": text}).text == text
