"""The action server: `python -m bot.actions`. Loopback only, and only for callers that know the token.

rasa-sdk binds 0.0.0.0 and checks no token of its own; both are set right here.
"""

import hmac
import logging
import os

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Request
from sanic.response import HTTPResponse, json

from bot.actions.desk import Json


class Executor(ActionExecutor):
    """Runs actions without Rasa's domain, which none of ours reads; the original asks for it."""

    def update_and_return_domain(self, payload: Json, action_name: str) -> Json:
        return {}


def main() -> None:
    """Serve the actions on MAINSDESK_ACTIONS_PORT until a signal ends the process."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    token = os.environ["MAINSDESK_RASA_TOKEN"]
    executor = Executor()
    executor.register_package("bot.actions")
    app = create_app(executor, cors_origins=[])

    @app.on_request
    async def check_token(request: Request) -> HTTPResponse | None:
        if request.path == "/health" or hmac.compare_digest(request.args.get("token", ""), token):
            return None
        return json({"error": "unauthorised"}, status=401)

    app.run(
        host="127.0.0.1",
        port=int(os.environ["MAINSDESK_ACTIONS_PORT"]),
        single_process=True,
        access_log=False,
        motd=False,
    )


if __name__ == "__main__":
    main()
