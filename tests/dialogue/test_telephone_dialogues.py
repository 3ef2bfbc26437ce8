"""Whole telephone calls, from the signed webhook to the words in the ear: each file of `voice/` is one."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.dialogue.channels import languages, play, scripts
from tests.dialogue.talks import CallTalk
from tests.dialogue.vendors import Channels, open_channels
from tests.e2e.desk import Desk

pytestmark = pytest.mark.xdist_group("telephone dialogues")
#: Each call comes from a number of its own.
NUMBERS = (f"+86138001{number:05d}" for number in count(1))


@pytest.fixture(scope="module")
def channels(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channels]:
    home = tmp_path_factory.mktemp("telephone") / "home"
    shutil.copytree(prepared_home, home)
    yield from open_channels(Desk(home))


@pytest.mark.parametrize("path", scripts("voice"), ids=lambda path: path.stem)
def test_dialogue(channels: Channels, path: Path) -> None:
    play(channels, CallTalk(channels, next(NUMBERS)), path)


def test_there_are_enough_of_them() -> None:
    assert min(languages("voice")[language] for language in ("zh", "en")) >= 20
