"""What Rasa 3.6.21 has no setting for: bounds on the call of an action, and what a turn pays for nothing.

The only module that changes Rasa's own code. It knows that code by its checksum, and refuses to change any other.
"""

import contextlib
import copy
import functools
import hashlib
import inspect
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import jsonschema
import rasa.core.actions.action
import rasa.engine.runner.dask
import rasa.utils.endpoints
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.events import Event
from rasa.utils.endpoints import EndpointConfig

#: Seconds for one call of an action; Rasa's own constant is 300.
ACTION_SECONDS = 3.0

#: What is changed or relied on here, and the start of its source's SHA-256.
KNOWN: dict[Callable[..., Any], str] = {
    RemoteAction.run: "ccabf6f1160d",
    RemoteAction._validate_action_result: "f8cdb4be6812",
    EndpointConfig.session: "e55aa13d9d4f",
    EndpointConfig.request: "ccdb778aed82",
    Event.resolve_by_type: "b5cf570fa7f2",
    DaskGraphRunner.run: "45f0f52f574f",
    DaskGraphRunner._build_dask_graph: "5bb99f974d51",
}


class ActionBroken(BaseException):
    """An action did not answer. Not an Exception, because Rasa swallows those and goes on as if all were well."""


class RasaChanged(RuntimeError):
    """The code to change is not that of Rasa 3.6.21: read what it is now, then this module."""


@functools.cache
def bound_rasa() -> None:
    """Make the changes, once. Raises RasaChanged before the first of them."""
    for function, checksum in KNOWN.items():
        if fingerprint(function) != checksum:
            raise RasaChanged(f"{function.__module__}.{function.__qualname__}")
    rasa.core.actions.action.DEFAULT_REQUEST_TIMEOUT = ACTION_SECONDS
    rasa.utils.endpoints.DEFAULT_REQUEST_TIMEOUT = ACTION_SECONDS
    RemoteAction.run = _breaking_off(RemoteAction.run)
    # 24 ms an action: it checks the schema itself each time, and then each event against the schemas of all events.
    RemoteAction._validate_action_result = staticmethod(compiled_check())
    # It opens a connection for each action ...
    EndpointConfig.session = _kept_session(EndpointConfig.session)
    # ... looks through all classes of events for each event that it reads ...
    Event.resolve_by_type = staticmethod(functools.cache(Event.resolve_by_type))
    # ... and has a scheduler for threads and clusters call its few components one after the other.
    rasa.engine.runner.dask.dask = SimpleNamespace(get=evaluate)


def fingerprint(function: Callable[..., Any]) -> str:
    """The start of the SHA-256 of a function's source."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]


def compiled_check() -> Callable[[Any], bool]:
    """Rasa's check of an action's answer, compiled: True, or a jsonschema.ValidationError."""
    schema = copy.deepcopy(RemoteAction.action_response_format_spec())
    kinds = schema["properties"]["events"]["items"].pop("oneOf")
    compiled = jsonschema.validators.validator_for(schema)
    whole = compiled(schema)
    by_name = {kind["properties"]["event"]["const"]: compiled(kind) for kind in kinds}

    def check(result: Any) -> bool:
        whole.validate(result)
        for event in result.get("events", ()):
            if event["event"] not in by_name:
                raise jsonschema.ValidationError(f"no such event: {event['event']!r}")
            by_name[event["event"]].validate(event)
        return True

    return check


def evaluate(graph: dict[str, tuple[Any, ...]], targets: list[str]) -> list[Any]:
    """`dask.get` for Rasa's graphs: `graph[name]` is (component, names of its inputs …), or an input itself."""
    done: dict[str, Any] = {}

    def value(name: str) -> Any:
        if name not in graph:
            return name
        if name not in done:
            component, *needs = graph[name]
            done[name] = component(*map(value, needs)) if callable(component) else graph[name]
        return done[name]

    return [value(target) for target in targets]


def _breaking_off(run: Any) -> Any:
    @functools.wraps(run)
    async def bounded(self: RemoteAction, *args: Any, **kwargs: Any) -> Any:
        try:
            return await run(self, *args, **kwargs)
        except ActionExecutionRejection:
            raise
        except Exception as error:
            raise ActionBroken(self.name()) from error

    return bounded


def _kept_session(new_session: Any) -> Any:
    """The endpoint's one session, left open, in place of a new one for each request."""

    @contextlib.asynccontextmanager
    async def session(self: EndpointConfig) -> AsyncIterator[aiohttp.ClientSession]:
        if getattr(self, "_kept", None) is None:
            self._kept = new_session(self)
        yield self._kept

    return session
