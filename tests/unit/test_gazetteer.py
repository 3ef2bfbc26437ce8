"""Names of the utility's own places and lines in messages."""

import json
import os
from pathlib import Path

import pytest

from bot.nlu import gazetteer as module
from bot.nlu.extract import extract
from bot.nlu.gazetteer import Gazetteer, gazetteer
from bot.nlu.text import normalise

NAMES = Gazetteer(
    {"place": ["海棠晓月", "海棠", "Rose Court", "Rose Court East", "北门村"], "line": ["10kV东罗线", "Dongluo line"]}
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("海棠晓月三栋停电", [("place", "海棠晓月")]),
        ("海棠曉月停電", [("place", "海棠晓月")]),
        ("在海棠这边", [("place", "海棠")]),
        ("ROSE COURT EAST no water", [("place", "rose court east")]),
        ("rose courtyard", []),
        ("prose court", []),
        ("东罗线还是10kV东罗线", [("line", "10kv东罗线")]),
        ("is the Dongluo line down at Rose Court", [("line", "dongluo line"), ("place", "rose court")]),
        ("我家停电了", []),
    ],
)
def test_names_in_a_message(text: str, found: list[tuple[str, str]]) -> None:
    plain = normalise(text).text
    assert [(name.kind, plain[name.start : name.end]) for name in NAMES.find(plain)] == found


def test_no_names_find_nothing() -> None:
    assert list(Gazetteer({"place": ["村"]}).find("北门村")) == []  # one character would be in every other word


def test_another_utilitys_names_are_known_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "names.json"
    monkeypatch.setenv(module.VARIABLE, str(file))
    monkeypatch.setattr(module, "FRESH", 1e-9)
    text = "翠屏坞停电了"
    assert not any(value.entity == "place" for value in extract(text))
    file.write_text(json.dumps({"place": ["翠屏坞"], "line": []}), "utf-8")
    assert [value.value for value in extract(text) if value.entity == "place"] == ["翠屏坞"]
    file.write_text("{broken", "utf-8")
    os.utime(file, (1, 1))
    assert gazetteer() is module._shipped()  # those that came with the bot


def test_ten_thousand_names_cost_no_more_than_one() -> None:
    many = Gazetteer({"place": [f"地名{number}号小区" for number in range(10_000)]})
    assert [name.start for name in many.find("我在地名9999号小区")] == [2]
