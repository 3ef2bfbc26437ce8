"""What bot.bounds changes in Rasa and what bot.history keeps, tried with the bot environment's own Python."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from mainsdesk.training import ROOT

pytestmark = pytest.mark.xdist_group("rasa_bounds")

#: What tests/unit/rasa_bounds.py calls by these names must be taken for an action's answer, and nothing else.
TAKEN = {"good", "nothing"}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bounds")
    done = subprocess.run(
        [ROOT / ".venv-bot" / "bin" / "python", Path(__file__).with_name("rasa_bounds.py"), folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "RASA_TELEMETRY_ENABLED": "false", "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads((folder / "seen.json").read_text("utf-8"))
    return found


def test_another_rasa_is_refused_by_name_before_anything_is_changed(seen: dict[str, Any]) -> None:
    assert seen["another rasa"] == {"named": True, "untouched": True}


def test_the_compiled_check_takes_and_refuses_what_rasa_does(seen: dict[str, Any]) -> None:
    assert {name for name, taken in seen["bound"].items() if taken} == TAKEN
    assert seen["bound"] == seen["stock"]


def test_the_schema_is_not_checked_again_with_each_answer(seen: dict[str, Any]) -> None:
    assert (seen["stock checks"], seen["schema checks"]) == (3, 0)


def test_the_graph_runs_as_it_does_with_dask(seen: dict[str, Any]) -> None:
    assert seen["graphs agree"] is True


def test_one_connection_to_the_action_server_serves_many_actions(seen: dict[str, Any]) -> None:
    assert seen["connections"] == 1


def test_the_history_of_240_messages_stays_that_of_a_few(seen: dict[str, Any]) -> None:
    history = seen["history"]
    assert max(history["events"]) < 30
    assert max(history["stored"]) <= 1.05 * history["stored"][9]
    assert history["texts"] == ["message 239", "message 240"]


def test_slots_outlive_the_messages_that_set_them(seen: dict[str, Any]) -> None:
    history = seen["history"]
    assert history["slots"] == {
        "language": "en",
        "memory": {"phone": ["13800138000", {"deep": True}]},
        "step": None,
        "session_started_metadata": None,
    }
    assert history["slots of a copy"] == history["after a restart"] == history["slots"]
    assert history["applied"] > 0, "Rasa would start the session again"


def test_a_message_that_was_handled_is_still_known_after_trimming(seen: dict[str, Any]) -> None:
    history = seen["history"]
    for key, number in (("last again", 240), ("one before", 239)):
        answer = {
            "messages": [{"text": f"answer {number}", "choices": [], "expects": ""}],
            "silent": False,
            "failed": False,
        }
        assert history[key] == answer
    assert history["long ago"] is None


def test_conversations_that_nobody_took_up_for_a_month_are_forgotten(seen: dict[str, Any]) -> None:
    assert seen["kept"] == [["idle", "new", "old"], ["idle", "new"]]


def test_a_store_that_fails_ends_the_turn(seen: dict[str, Any]) -> None:
    """Rasa would take an Exception for an empty conversation and go on with it."""
    assert seen["broken"] == ["OperationalError", "OperationalError"]


def test_the_store_is_the_one_that_is_configured() -> None:
    """Rasa keeps everything in memory where it cannot import the type."""
    configured = yaml.safe_load((ROOT / "endpoints.yml").read_text("utf-8"))
    assert configured["tracker_store"]["type"] == "bot.history.BoundedTrackerStore"
    assert configured["action_endpoint"]["enable_selective_domain"] is True
