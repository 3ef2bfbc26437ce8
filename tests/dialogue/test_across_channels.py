"""A power cut reported on WeChat is known on the telephone once the caller is verified, and the other way round."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dialogue.talks import CallTalk, Talk, WechatTalk
from tests.dialogue.vendors import Channels, open_channels
from tests.e2e.desk import Desk

pytestmark = pytest.mark.xdist_group("voice dialogues")


@pytest.fixture(scope="module")
def channels(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channels]:
    home = tmp_path_factory.mktemp("across") / "home"
    shutil.copytree(prepared_home, home)
    yield from open_channels(Desk(home))


def hears(talk: Talk, turn: dict[str, Any], *expected: str, refuse: str = "") -> str:
    said = talk.take(turn | {"expect": list(expected)})
    for pattern in expected:
        assert re.search(pattern, said, re.IGNORECASE), f"{pattern!r} is missing; {turn} was answered with:\n{said}"
    assert not refuse or not re.search(refuse, said), f"{refuse!r} was said; {turn} was answered with:\n{said}"
    return said


def test_from_wechat_to_the_telephone(channels: Channels) -> None:
    follower = WechatTalk(channels)
    hears(follower, {"say": "铜元路41号停电了，整条街都没电"}, "姓名")
    hears(follower, {"say": "吕伟 19911000148"}, r"\d{4} \d{4} \d{4}")
    (ticket,) = channels.tickets(follower.conversation_id)
    follower.end()

    caller = CallTalk(channels, "+8613900009901")
    hears(caller, {"call": True}, "自动助手")
    hears(caller, {"press": "1"}, "帮您")
    hears(caller, {"say": "我之前在微信上报过停电了"}, "户号", refuse="哪里")
    hears(caller, {"say": "核对户号"}, "户号")
    hears(caller, {"press": "5200105479#"}, "身份证|手机号")
    hears(caller, {"press": "19911000148#"}, "停电报修", "已受理|派单", refuse="哪里|姓名")
    assert channels.tickets(caller.conversation_id) == []
    caller.end()
    assert channels.get(f"/api/v1/tickets/{ticket['number']}")["status"] == "received"


def test_the_calling_number_proves_nothing(channels: Channels) -> None:
    caller = CallTalk(channels, "+8619911000158")
    hears(caller, {"call": True}, "自动助手")
    hears(caller, {"press": "1"}, "帮您")
    # The number that calls is the one on file, and proves nothing.
    hears(caller, {"say": "我的报修怎么样了"}, "工单号|户号", refuse="已受理|登记的")
    caller.end()
