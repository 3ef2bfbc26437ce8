"""What bot.understanding tells of a tracker, and that Rasa reads reviewed examples as they are meant."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from api.learning.masking import example_of
from api.learning.reviewed import add
from mainsdesk.training import ROOT

pytestmark = pytest.mark.xdist_group("rasa_bounds")

#: Customers' texts that would be markup, settings or broken YAML if they were written down as they are.
ODD = (
    "[停电](place) 了", '[没电]{"entity": "place"}', "a: b # c", "'single' \"double\" `x`", "${HOME} %x @y !z &a *b",
    "- dash", "? what", "tab\there", "emoji 💡没了", "back\\slash \\n", "--- \n...", "| pipe > fold",
)  # fmt: skip


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("reviewed")
    for text in ODD:
        add(home, "zh", "report_outage", example_of(text))
    done = subprocess.run(
        [ROOT / ".venv-bot" / "bin" / "python", Path(__file__).with_name("rasa_understanding.py"), home / "reviewed"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "RASA_TELEMETRY_ENABLED": "false", "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads((home / "reviewed" / "seen.json").read_text("utf-8"))
    return found


def test_rasa_reads_reviewed_examples_as_plain_text(seen: dict[str, Any]) -> None:
    assert seen["read"] == [["report_outage", example_of(text), []] for text in ODD]


def test_the_confidence_is_that_of_the_best_guess(seen: dict[str, Any]) -> None:
    unsure = seen["understood"]["unsure"]
    assert (unsure["intent"], unsure["confidence"], unsure["missed"]) == ("nlu_fallback", 0.25, True)
    assert [guess["name"] for guess in unsure["ranking"]] == ["greet", "deny", "thank"]
    guesses = [{"name": "greet", "confidence": 0.9877}]
    assert seen["understood"]["sure"] == {
        "intent": "greet",
        "confidence": 0.9877,
        "ranking": guesses,
        "missed": False,
        "answer": False,
    }


def test_each_message_is_judged_by_its_own_answer(seen: dict[str, Any]) -> None:
    told = {name: one and (one["missed"], one["answer"]) for name, one in seen["understood"].items()}
    assert told == {
        "unsure": (True, False),
        "sure": (False, False),
        "earlier": (False, False),
        "answer": (False, True),
        "asked again": (True, False),
        "over": (False, False),
        "choice": None,
        "unknown": None,
    }


def test_the_sheet_has_the_pending_question_in_both_languages(seen: dict[str, Any]) -> None:
    assert seen["sheets"] == {
        "new": {},
        "asked": {
            "journey": "outage",
            "step": "place_number",
            "question": {"name": "utter_ask_place", "zh": "和泰几栋？", "en": "Which building of Hetai?"},
        },
        "guide": {"question": {"name": "guide", "zh": "跳了吗？", "en": "Tripped?"}},
    }


def test_the_saved_tracker_reaches_who_asked_for_the_turn(seen: dict[str, Any]) -> None:
    assert seen["saved"] is True
