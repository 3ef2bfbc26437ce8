"""Whole WeChat conversations, from the encrypted callback to the follower's screen: each file of `wechat/` is one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dialogue.channels import languages, play, scripts
from tests.dialogue.talks import WechatTalk
from tests.dialogue.vendors import Channels, open_channels
from tests.e2e.desk import Desk

pytestmark = pytest.mark.xdist_group("wechat dialogues")


@pytest.fixture(scope="module")
def channels(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channels]:
    home = tmp_path_factory.mktemp("wechat") / "home"
    shutil.copytree(prepared_home, home)
    yield from open_channels(Desk(home))


@pytest.mark.parametrize("path", scripts("wechat"), ids=lambda path: path.stem)
def test_dialogue(channels: Channels, path: Path) -> None:
    play(channels, WechatTalk(channels), path)


def test_there_are_enough_of_them() -> None:
    assert min(languages("wechat")[language] for language in ("zh", "en")) >= 20
