"""Misunderstood wordings: what is shown, and what a review does."""

from pathlib import Path

import pytest
import yaml

from api.console.misunderstood import groups
from api.console.pages import words
from api.conversations.tables import Understanding
from api.db.engine import Database
from api.learning import reviewed
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.console.conftest import SeatDesk
from tests.integration.console.desk import say, seed
from tests.integration.console.utility import EVIL

TEXT = "俺家那个铁盒子里的闸又掉了咋整"


async def missed(database: Database, clock: Clock, text: str = TEXT, id: str = "cv_1", language: str = "zh") -> str:
    await seed(database, clock(), id, owner="bot", language=language)
    message_id = await say(database, clock(), id, "customer", text)
    async with database.write() as session, session.begin():
        session.add(
            Understanding(
                message_id=message_id,
                conversation_id=id,
                intent="ask_bill",
                confidence=0.31,
                ranking=[{"name": "ask_bill", "confidence": 0.31}, {"name": "report_outage", "confidence": 0.2}],
                language=language,
                missed=True,
                at=clock(),
            )
        )
    return message_id


def learnt(settings: Settings, language: str = "zh") -> str:
    file: Path = settings.home / "reviewed" / f"{language}.yml"
    return str(yaml.safe_load(file.read_text(encoding="utf-8"))) if file.exists() else ""


@pytest.mark.parametrize(
    ("language", "shown"),
    [("zh", ["识别为“问费用” 31%", "报停电 20%"]), ("en", ["taken for “bill” 31%", "power is off 20%"])],
)
async def test_wordings_with_guesses_in_words(
    seat: SeatDesk, database: Database, clock: Clock, language: str, shown: list[str]
) -> None:
    boss = await seat("chen", role="supervisor", language=language)
    await missed(database, clock, f"{TEXT} {EVIL} 13812345678")
    page = (await boss.get("/console/misunderstood")).text
    for words_ in (TEXT, *shown, "/console/c/cv_1#line-2"):
        assert words_ in page
    assert EVIL not in page
    assert "13812345678" not in page


async def test_a_guess_is_taken_and_the_row_goes(
    seat: SeatDesk, database: Database, clock: Clock, settings: Settings
) -> None:
    boss = await seat("chen", role="supervisor")
    key = await missed(database, clock)
    answer = await boss.post(f"/console/misunderstood/{key}", {"intent": "meter_switch_problem", "text": TEXT})
    assert answer.status_code == 200, answer.text
    assert "例句：1 条" in answer.text
    assert answer.headers["HX-Trigger"] == "reviewed"
    assert TEXT in learnt(settings)
    assert TEXT not in (await boss.get("/console/misunderstood")).text
    again = await boss.post(f"/console/misunderstood/{key}", {"intent": "report_outage"})
    assert again.status_code == 409
    assert "已经审过" in again.text


async def test_other_words_and_another_meaning(
    seat: SeatDesk, database: Database, clock: Clock, settings: Settings
) -> None:
    boss = await seat("chen", role="supervisor")
    key = await missed(database, clock, "the thing in the box fell", "cv_1", "en")
    form = {"other": "meter_switch_problem", "text": "the lever in the meter cabinet fell down"}
    assert (await boss.post(f"/console/misunderstood/{key}", form)).status_code == 200
    assert "lever in the meter cabinet" in learnt(settings, "en")


async def test_no_example_teaches_nothing(seat: SeatDesk, database: Database, clock: Clock, settings: Settings) -> None:
    boss = await seat("chen", role="supervisor")
    key = await missed(database, clock)
    assert (await boss.post(f"/console/misunderstood/{key}", {"intent": "none"})).status_code == 200
    assert learnt(settings) == ""
    assert TEXT not in (await boss.get("/console/misunderstood")).text


async def test_what_is_wrong_is_said_at_the_row(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss = await seat("chen", role="supervisor")
    key = await missed(database, clock)
    for form in ({}, {"intent": "no_such_thing"}, {"intent": "report_outage", "text": "……"}):
        answer = await boss.post(f"/console/misunderstood/{key}", form)
        assert answer.status_code == 422, form
        assert answer.headers["HX-Retarget"] == f"#wrong-{key}"
    assert TEXT in (await boss.get("/console/misunderstood")).text


async def test_a_broken_file_is_named(seat: SeatDesk, settings: Settings) -> None:
    boss = await seat("chen", role="supervisor", language="en")
    (settings.home / "reviewed").mkdir()
    (settings.home / "reviewed" / "zh.yml").write_text("nlu: 3", encoding="utf-8")
    assert "The file is damaged" in (await boss.get("/console/misunderstood")).text


@pytest.mark.parametrize("role", ["agent", "dispatcher"])
async def test_for_supervisors(seat: SeatDesk, database: Database, clock: Clock, role: str) -> None:
    desk = await seat(role=role)
    key = await missed(database, clock)
    assert (await desk.get("/console/misunderstood")).status_code == 403
    assert (await desk.post(f"/console/misunderstood/{key}", {"intent": "none"})).status_code == 403


def test_every_intent_can_be_chosen_once_and_has_words() -> None:
    offered = [one for members in groups().values() for one in members]
    assert sorted(offered) == sorted(reviewed.intents())
    assert [one for one in offered if f"intents.{one}" not in words()] == []
    assert groups()["other"] == []
