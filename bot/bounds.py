"""Bounds that Rasa 3.6 has no setting for."""

import functools
from typing import Any

import jsonschema
import rasa.core.actions.action
import rasa.utils.endpoints
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction

#: Seconds for one call of an action; Rasa's own constant is 300.
ACTION_SECONDS = 3.0


class ActionBroken(BaseException):
    """An action did not answer. Not an Exception, because Rasa swallows those and goes on as if all were well."""


def bound_rasa() -> None:
    """Shorten Rasa's wait for an action, end the turn of an action that breaks, compile the check of its answers."""
    rasa.core.actions.action.DEFAULT_REQUEST_TIMEOUT = ACTION_SECONDS
    rasa.utils.endpoints.DEFAULT_REQUEST_TIMEOUT = ACTION_SECONDS
    RemoteAction.run = _breaking_off(RemoteAction.run)
    # jsonschema.validate checks the schema itself again each time: 24 ms an action.
    schema = RemoteAction.action_response_format_spec()
    checker = jsonschema.validators.validator_for(schema)(schema)
    RemoteAction._validate_action_result = lambda _self, result: checker.validate(result) is None


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
