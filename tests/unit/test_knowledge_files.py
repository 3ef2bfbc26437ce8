"""A home's own articles and replies: what is wrong with a file is told with its name and line."""

import subprocess
import sys
from pathlib import Path

import pytest

from api.knowledge.files import KnowledgeError, load

SOUND = """id: {id}
utility: power
intents: [ask_outlet]
title: {{zh: 本地规定, en: Local rule}}
body: {{zh: 本地的说法。, en: As it is here.}}
keywords: {{zh: [本地], en: [local]}}
source: {{document: {{zh: 本公司规定, en: Our own rules}}}}
reviewed_on: 2026-01-01
{more}
"""


def write_article(home: Path, id: str, more: str = "") -> Path:
    path = home / "articles" / f"{id}.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(SOUND.format(id=id, more=more), encoding="utf-8")
    return path


def test_an_own_article_is_added_and_overrides(tmp_path: Path) -> None:
    write_article(tmp_path, "parking")
    write_article(tmp_path, "card_refund")
    found = {article.id: article for article in load(tmp_path).articles}
    assert len(found) == len(load().articles) + 1
    assert found["card_refund"].title.en == "Local rule"
    assert load(tmp_path).own == {"parking", "card_refund"}


def test_a_home_without_files_has_what_is_shipped(tmp_path: Path) -> None:
    assert load(tmp_path).articles == load().articles
    assert load(tmp_path).replies == load().replies


BROKEN = [
    ("title: {zh: 甲}\n", r"rule\.yml:\d+: title\.en: Field required"),
    ("colour: blue\n", r"rule\.yml:9: colour: Extra inputs"),
    ("safety: [\n", r"rule\.yml:\d+: "),
    ("utility: water\n", r"rule\.yml:9: utility: occurs twice"),
    ("valid_until: 31.12.2026\n", r"rule\.yml:9: valid_until: "),
    ("valid_until: 2026-13-01\n", r"rule\.yml: month must be"),
    ("\tid: x\n", r"rule\.yml:9: "),
]


@pytest.mark.parametrize(("more", "complaint"), BROKEN)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, more: str, complaint: str) -> None:
    write_article(tmp_path, "rule", more)
    with pytest.raises(KnowledgeError, match=complaint):
        load(tmp_path)


def test_a_file_that_is_not_utf_8_or_names_another_id_is_refused(tmp_path: Path) -> None:
    write_article(tmp_path, "rule").write_bytes("id: 规定".encode("gb18030"))
    write_article(tmp_path, "other").rename(tmp_path / "articles" / "third.yml")
    with pytest.raises(KnowledgeError) as refusal:
        load(tmp_path)
    assert "rule.yml: not UTF-8" in str(refusal.value)
    assert "third.yml:1: id: names itself other" in str(refusal.value)


@pytest.mark.parametrize(
    ("replies", "complaint"),
    [
        ("- {id: a, key: hi, group: wait, text: {zh: 甲, en: a}}", "the key hi belongs to greeting"),
        (
            "- {id: a, key: q1, group: wait, text: {zh: '{name}', en: a}}",
            r"replies\.yml:2: replies\.0: the placeholders",
        ),
        ("- {id: a, key: q1, group: none, text: {zh: 甲, en: a}}", r"replies\.yml:2: replies\.0\.group"),
        (
            "- {id: a, key: q1, group: wait, text: {zh: 甲, en: a}}\n"
            "- {id: b, key: q1, group: wait, text: {zh: 甲, en: a}}",
            "key: q1 occurs twice",
        ),
    ],
)
def test_broken_replies_are_refused(tmp_path: Path, replies: str, complaint: str) -> None:
    (tmp_path / "replies.yml").write_text(f"replies:\n{replies}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=complaint):
        load(tmp_path)


def test_a_desk_does_not_start_on_a_broken_file(tmp_path: Path) -> None:
    write_article(tmp_path, "rule", "colour: blue")
    command = [sys.executable, "-m", "api.prepare"]
    run = subprocess.run(command, env={"MAINSDESK_HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "rule.yml:9: colour" in run.stderr
    assert not (tmp_path / "mainsdesk.db").exists()
