"""Run by Rasa's Python, `rasa_bounds.py FOLDER`: prints what bot.bounds and bot.history do, as JSON."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import dask
import rasa.engine.runner.dask
from aiohttp import web
from jsonschema import Draft202012Validator, ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot import bounds, history
from bot.bounds import RasaChanged, bound_rasa
from bot.channel import recorded
from bot.history import BoundedTrackerStore, HistoryBroken

SLOT = {"event": "slot", "name": "step", "value": {"a": [1]}, "timestamp": None}
RESULTS: dict[str, Any] = {
    "good": {"events": [SLOT, {"event": "followup", "name": "action_listen"}], "responses": [{"text": "x"}]},
    "nothing": {},
    "no object": [],
    "null": None,
    "events null": {"events": None},
    "events no list": {"events": {}},
    "event no object": {"events": ["slot"]},
    "event without a name": {"events": [{"name": "step", "value": 1}]},
    "unknown event": {"events": [{"event": "sloth", "name": "step"}]},
    "name no text": {"events": [{"event": 7}]},
    "slot without a name": {"events": [{"event": "slot", "value": 1}]},
    "slot named 3": {"events": [{"event": "slot", "name": 3, "value": 1}]},
    "second event bad": {"events": [SLOT, {"event": "slot", "name": 5}]},
    "responses no list": {"events": [], "responses": "hello"},
    "response no object": {"events": [], "responses": ["hello"]},
}
DOMAIN = """
version: "3.1"
intents: [inform]
slots:
  language: {type: categorical, values: [zh, en], initial_value: zh, mappings: [{type: custom}]}
  memory: {type: any, mappings: [{type: custom}]}
  step: {type: text, mappings: [{type: custom}]}
actions: [action_continue]
"""


def verdicts() -> dict[str, bool]:
    """Whether each of RESULTS is taken for an action's answer."""
    action, taken = RemoteAction("action_continue", None), {}
    for name, result in RESULTS.items():
        try:
            taken[name] = bool(action._validate_action_result(result))
        except ValidationError:
            taken[name] = False
    return taken


def refuses_another_rasa() -> dict[str, bool]:
    before = EndpointConfig.session
    known = bounds.KNOWN[RemoteAction.run]
    bounds.KNOWN[RemoteAction.run] = "000000000000"
    try:
        bound_rasa()
    except RasaChanged as error:
        return {"named": "RemoteAction.run" in str(error), "untouched": EndpointConfig.session is before}
    finally:
        bounds.KNOWN[RemoteAction.run] = known
    return {}


def schema_checks() -> int:
    """How often the schema itself is checked while three answers are."""
    times = 0
    original = Draft202012Validator.check_schema

    def counted(*arguments: Any, **options: Any) -> None:
        nonlocal times
        times += 1
        original(*arguments, **options)

    Draft202012Validator.check_schema = counted  # type: ignore[method-assign]
    try:
        for _ in range(3):
            RemoteAction("action_continue", None)._validate_action_result(RESULTS["good"])
    finally:
        Draft202012Validator.check_schema = original  # type: ignore[method-assign]
    return times


def graphs_agree() -> bool:
    graph: dict[str, Any] = {
        "given": ("given", ["message"]),
        "a": (lambda x: ("a", x), "given"),
        "b": (lambda x, y: ("b", (x, y)), "a", "given"),
        "c": (lambda x, y: ("c", (x, y)), "b", "not there"),
    }
    return bounds.evaluate(graph, ["c", "b"]) == list(dask.get(graph, ["c", "b"]))


async def connections() -> int:
    """How many connections five requests of an endpoint open."""
    opened = set()

    async def answer(request: web.Request) -> web.Response:
        opened.add(request.transport.get_extra_info("peername"))  # type: ignore[union-attr]
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/webhook", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    endpoint = EndpointConfig(f"http://127.0.0.1:{port}/webhook", token="t")
    for _ in range(5):
        await endpoint.request(json={"x": 1})
    await endpoint._kept.close()
    await runner.cleanup()
    return len(opened)


def turn(tracker: DialogueStateTracker, number: int) -> None:
    said = UserUttered(f"message {number}", {"name": "inform"}, message_id=f"m{number}")
    events = [said, ActionExecuted("action_continue"), BotUttered(f"answer {number}", {"buttons": None})]
    if number == 1:
        events.append(SlotSet("memory", {"phone": ["13800138000", {"deep": True}]}))
    if number in (1, 100):
        events.append(SlotSet("step", "contact" if number == 1 else None))
    for event in [*events, SlotSet("language", "en"), ActionExecuted("action_listen")]:
        tracker.update(event)


async def bounded_history(folder: Path) -> dict[str, Any]:
    store = BoundedTrackerStore(Domain.from_yaml(DOMAIN), f"sqlite:///{folder / 'rasa.db'}", turns=2, days=30)
    stored, events = [], []
    for number in range(1, 241):
        tracker = await store.get_or_create_tracker("cv_1.1")
        turn(tracker, number)
        await store.save(tracker)
        with store._engine.connect() as connection:
            stored.append(len(connection.execute(history._READ, {"sender": "cv_1.1"}).scalar_one()))
        events.append(len(tracker.events))
    last = await store.retrieve("cv_1.1")
    assert last is not None
    unchanged = await BoundedTrackerStore(store.domain, f"sqlite:///{folder / 'rasa.db'}").retrieve("cv_1.1")
    assert unchanged is not None
    return {
        "stored": stored,
        "events": events,
        "slots": last.current_slot_values(),
        "slots of a copy": last.copy().current_slot_values(),
        "texts": [event.text for event in last.events if isinstance(event, UserUttered)],
        "applied": len(last.applied_events()),
        "after a restart": unchanged.current_slot_values(),
        "last again": recorded(last, "m240"),
        "one before": recorded(last, "m239"),
        "long ago": recorded(last, "m3"),
    }


async def forgets(folder: Path) -> list[list[str]]:
    """The conversations kept before and after thirty days have passed, and the next message has come."""
    store = BoundedTrackerStore(Domain.from_yaml(DOMAIN), f"sqlite:///{folder / 'old.db'}", days=30)
    kept = []
    for sender, age in (("old", 31), ("idle", 29), ("new", 0)):
        tracker = await store.get_or_create_tracker(sender)
        turn(tracker, 1)
        await store.save(tracker)
        with store._engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE conversations SET saved_at = saved_at - ? WHERE sender_id = ?", (age * history.DAY, sender)
            )
    kept.append(sorted(await store.keys()))
    store._swept -= history.SWEEP + 1
    await store.save(await store.get_or_create_tracker("new"))
    kept.append(sorted(await store.keys()))
    return kept


async def broken(folder: Path) -> list[str]:
    """What comes of reading and of writing where the store's table is gone."""
    store = BoundedTrackerStore(Domain.from_yaml(DOMAIN), f"sqlite:///{folder / 'broken.db'}")
    tracker = await store.get_or_create_tracker("cv_1.1")
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE conversations")
    raised = []
    for use in (store.retrieve("cv_1.1"), store.save(tracker)):
        try:
            await use
        except HistoryBroken as error:
            raised.append(str(error))
    return raised


def main(folder: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "another rasa": refuses_another_rasa(),
        "stock": verdicts(),
        "stock checks": schema_checks(),
    }
    bound_rasa()
    bound_rasa()
    seen["bound"], seen["schema checks"] = verdicts(), schema_checks()
    seen["graphs agree"] = graphs_agree() and rasa.engine.runner.dask.dask.get is bounds.evaluate
    seen["connections"] = asyncio.run(connections())
    seen["history"] = asyncio.run(bounded_history(folder))
    seen["kept"] = asyncio.run(forgets(folder))
    seen["broken"] = asyncio.run(broken(folder))
    return seen


if __name__ == "__main__":
    result = main(Path(sys.argv[1]))
    (Path(sys.argv[1]) / "seen.json").write_text(json.dumps(result), "utf-8")
