"""Bulletins in whole dialogues, with the real bot: told once, before the answer, to those whom they concern."""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dialogue.customer import Customer
from tests.dialogue.talks import CallTalk, WechatTalk
from tests.dialogue.vendors import Channels, open_channels
from tests.e2e.desk import Desk

pytestmark = pytest.mark.xdist_group("bulletin dialogues")

ZH, EN = (
    "今晚22:00到23:00要切换线路，会短时停电。",
    "Lines are switched between 22:00 and 23:00 tonight; expect a short cut.",
)
QUIET = {"zh": "和泰花园3栋", "en": "Building 3, Hetai Garden"}
Publish = Callable[..., str]


@pytest.fixture(scope="module")
def channels(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channels]:
    home = tmp_path_factory.mktemp("bulletins") / "home"
    shutil.copytree(prepared_home, home)
    yield from open_channels(Desk(home))


@pytest.fixture
def publish(channels: Channels) -> Iterator[Publish]:
    """`publish(zh, en)` tells everybody, `publish(zh, en, at="address")` all on the line of that address."""
    made: list[str] = []

    def do(zh: str = ZH, en: str = EN, at: str = "") -> str:
        body: dict[str, Any] = {"text_zh": zh, "text_en": en}
        body["ends_at"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        if at:
            chain = channels.get("/api/v1/places", q=at)["candidates"][0]["chain"]["power"]
            body["asset_id"] = next(asset["id"] for asset in chain if asset["kind"] in ("section", "line"))
        made.append(str(channels.send("POST", "/api/v1/bulletins", body)["id"]))
        return made[-1]

    yield do
    for bulletin in made:
        channels.send("POST", f"/api/v1/bulletins/{bulletin}/withdraw", {})


def lines(heard: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(line["from"], line["text"]) for line in heard]


@pytest.mark.parametrize(
    ("language", "wish", "note", "answer"),
    [
        ("zh", "我家停电了", f"请注意：{ZH}", "和泰花园"),
        ("en", "my power is off", f"Please note: {EN}", "Hetai Garden"),
    ],
)
def test_an_area_is_told_once_and_before_the_answer(
    channels: Channels, publish: Publish, language: str, wish: str, note: str, answer: str
) -> None:
    publish(at=QUIET["zh"])
    customer = Customer(channels.client, language)
    assert ("system", note) not in lines(customer.send(wish))
    first, *rest = lines(customer.send(QUIET[language]))
    assert first == ("system", note)
    assert [sender for sender, _ in rest] == ["bot"] * len(rest)
    assert answer in "".join(text for _, text in rest)
    again = customer.choose("周围都停了" if language == "zh" else "neighbours too")
    assert note not in str(again)
    assert {line["from"] for line in again} == {"bot"}


@pytest.mark.parametrize(
    ("language", "words", "question", "answer", "end"),
    [
        ("zh", "天池雅居6栋停电了", "通知里说的", "就是通知里说的", "不用另外报修"),
        (
            "en",
            "no power at Building 7, Tianchi Residence",
            "what the notice above says",
            "yes",
            "no need for a report",
        ),
    ],
)
def test_whether_it_is_what_the_notice_says_comes_before_a_report(
    channels: Channels, publish: Publish, language: str, words: str, question: str, answer: str, end: str
) -> None:
    publish(at="天池雅居6栋")
    customer = Customer(channels.client, language)
    asked = "".join(text for sender, text in lines(customer.send(words)) if sender == "bot")
    assert question in asked
    assert end in "".join(text for _, text in lines(customer.send(answer)))
    assert channels.get("/api/v1/tickets", conversation_id=customer.id)["items"] == []


def test_a_notice_does_not_hide_another_fault(channels: Channels, publish: Publish) -> None:
    publish(at="天池雅居6栋")
    customer = Customer(channels.client, "zh")
    customer.send("天池雅居8栋停电了")
    assert "核对户号" in str(customer.send("只有我家"))


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "双龙村12号停电了"), ("en", "power cut at 12 Shuanglong Village")]
)
def test_elsewhere_nothing_is_told(channels: Channels, publish: Publish, language: str, words: str) -> None:
    publish(at=QUIET["zh"])
    heard = lines(Customer(channels.client, language).send(words))
    assert {sender for sender, _ in heard} == {"bot"}, heard


def test_everybody_is_told_with_the_next_answer(channels: Channels, publish: Publish) -> None:
    customer = Customer(channels.client, "zh")
    customer.send("你好")
    publish("明天上午热线维护。", "The hotline is being serviced tomorrow morning.")
    assert lines(customer.send("我要交电费"))[0] == ("system", "请注意：明天上午热线维护。")
    assert "热线维护" not in str(customer.send("你好"))
    assert lines(Customer(channels.client, "en").send("hello"))[0][1].startswith("Please note: The hotline")


def test_who_is_there_and_talks_to_us_hears_it_at_once(channels: Channels, publish: Publish) -> None:
    customer = Customer(channels.client, "en")
    customer.send(f"no power at {QUIET['en']}")
    elsewhere = Customer(channels.client, "en")
    elsewhere.send("no power at 12 Shuanglong Village")
    publish(at=QUIET["zh"])
    assert lines(customer.hear() or customer.hear()) == [("system", f"Please note: {EN}")]
    assert elsewhere.hear() == []


def test_on_the_telephone(channels: Channels, publish: Publish) -> None:
    publish("明天上午热线维护。", "The hotline is being serviced tomorrow morning.")
    publish(at=QUIET["zh"])
    caller = CallTalk(channels, "+8613800777001")
    caller.take({"call": True})
    begun = caller.take({"press": "1"})
    assert re.search("请注意：明天上午热线维护.*有什么可以帮您", begun, re.DOTALL), begun
    assert "切换线路" not in begun
    asked = caller.take({"say": "我家停电了"})
    assert "请注意" not in asked, asked
    answered = caller.take({"say": "和泰花园三栋"})
    assert re.search("请注意：今晚十点到晚上十一点要切换线路，会短时停电.*和泰花园", answered, re.DOTALL), answered
    assert not re.search(r"\d", answered), answered
    assert "请注意" not in caller.take({"say": "周围都停了"})
    caller.end()


def test_on_wechat(channels: Channels, publish: Publish) -> None:
    publish(at=QUIET["zh"])
    follower = WechatTalk(channels)
    said = follower.take({"say": "和泰花园3栋停电了", "expect": [""]})
    assert said.index(f"请注意：{ZH}") < said.index("周围"), said
    assert "请注意" not in follower.take({"say": "只有我家", "expect": [""]})
    follower.end()
