"""Dialogues with the bot's side of a telephone call: what is said there, and what each line waits for."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from api.channels.voice.speech import spoken
from tests.dialogue.customer import Customer
from tests.e2e.desk import Desk

#: (what the caller says, or =label of a choice; what is heard; what the last line waits for)
Exchange = tuple[str, str, str]
CALLS: dict[str, list[Exchange]] = {
    "zh": [
        ("停电了", "请问是哪里", "place"),
        ("亚太路43号", "亚太路四十三号.*周围都停了", "count"),
        ("只有我家", "先核对户号", ""),
        ("=直接检查", "总开关", "yes_no"),
        ("没有跳", "漏电保护器", "yes_no"),
        ("再说一遍", "漏电保护器", "yes_no"),
        ("不会弄，派人来吧", "联系电话", "phone"),
        ("13912345678", "工单号[零幺二三四五六七八九，]+。电话幺三九，幺二三四，五六七八", ""),
        ("再说一遍", "工单号[零幺二三四五六七八九，]+。电话幺三九，幺二三四，五六七八", ""),
        ("电费多少", "户号", "account"),
        ("5001000018", "预留的手机号", "factor"),
        ("19900000001", "尾号零零幺八.*余额.*元", ""),
    ],
    "en": [
        ("hello", "^What can I do for you", ""),
        ("something else", "My power is off.*No water.*A switch trips(?!.*A complaint).*your own words", ""),
        ("no power at 47 Yatai Road", "47 Yatai Road.*neighbours", "count"),
        ("all of them", "phone number", "phone"),
        ("13700000147", "number(?: [a-z]+,?){12}. Phone: one three seven, zero zero", ""),
        ("I want to complain", "what happened", "free"),
        ("your man was rude. that's all", "like us to do", "free"),
        ("an apology", "Your complaint is recorded, number(?: [a-z]+,?){12}", ""),
    ],
}


@pytest.fixture
def caller(desk: Desk, request: pytest.FixtureRequest) -> Iterator[tuple[Customer, sqlite3.Connection]]:
    """A customer whose conversation is a telephone call's."""
    with (
        httpx.Client(base_url=desk.base_url, timeout=30, trust_env=False) as client,
        closing(sqlite3.connect(desk.home / "mainsdesk.db", timeout=10)) as database,
    ):
        customer = Customer(client, request.param)
        with database:
            database.execute("UPDATE conversations SET channel = 'voice' WHERE id = ?", (customer.id,))
        yield customer, database


@pytest.mark.parametrize("caller", CALLS, indirect=True)
def test_a_call(caller: tuple[Customer, sqlite3.Connection]) -> None:
    customer, database = caller
    language = str(customer.language)
    for said, expected, expects in CALLS[language]:
        heard = customer.choose(said[1:]) if said.startswith("=") else customer.send(said)
        lines = [
            " ".join([spoken(line["text"], language), *(choice["label"] for choice in line["choices"])])
            for line in heard
        ]
        whole = " ".join(lines)
        assert re.search(expected, whole), f"{said!r} was answered with: {whole}"
        assert all(len(line["choices"]) <= 3 for line in heard), whole
        query = "SELECT expects FROM messages WHERE conversation_id = ? AND seq = ?"
        assert database.execute(query, (customer.id, heard[-1]["seq"])).fetchone() == (expects,), whole
