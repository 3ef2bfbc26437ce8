"""The only way into Rasa: a channel for the front desk, on the loopback, behind a token.

POST /webhooks/desk/webhook {"sender", "message_id", "message", "metadata"} →
{"messages": [{"text", "choices": [{"label", "payload"}], "expects"}], "silent": bool, "failed": bool,
 "understood": {"intent", "confidence", "ranking", "missed", "answer"} | null, "sheet": {…} | null}
GET /webhooks/desk/ → 200 once a model is loaded.

`failed` is true where Rasa was too slow, broke, or lost an action's answer: the desk then says so honestly, and the
tracker is left as it was before the message. A turn that has nothing to say declares it with
`dispatcher.utter_message(json_message={"silent": True})`. A message that Rasa has handled before is answered from the
tracker and not handled again. `understood` and `sheet` (bot/understanding.py, bot/sheet.py) are for the people at the
desk; an answer without them is as good.
"""

import asyncio
import ctypes
import gc
import hmac
import os
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Blueprint, Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, json

from bot.bounds import ActionBroken, bound_rasa
from bot.history import SAVED, HistoryBroken
from bot.understanding import known, understood_of

log = structlog.get_logger(__name__)

#: Seconds for one message; the front desk waits a little longer.
TURN_SECONDS = 3.2
MAX_CHARACTERS = 1000

OnMessage = Callable[[UserMessage], Awaitable[Any]]


class Collector(CollectingOutputChannel):
    """Takes whole messages, where Rasa's own collector cuts them up at blank lines.

    Its name is that of the customer's channel, by which responses choose their variant.
    """

    def __init__(self, channel: str) -> None:
        super().__init__()
        self.name = lambda: channel  # type: ignore[method-assign]

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        self.messages.append(dict(message))


def answer(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Rasa's messages in the desk's shape."""
    said = [
        {
            "text": str(message["text"]).strip(),
            "choices": [
                {"label": str(button["title"]), "payload": str(button["payload"])}
                for button in message.get("buttons") or message.get("quick_replies") or ()
                if button.get("title") and button.get("payload")
            ],
            "expects": str((message.get("custom") or {}).get("expects") or ""),
        }
        for message in messages
        if str(message.get("text") or "").strip()
    ]
    silent = any((message.get("custom") or {}).get("silent") is True for message in messages)
    return {"messages": said, "silent": silent, "failed": False}


def recorded(tracker: DialogueStateTracker | None, message_id: str) -> dict[str, Any] | None:
    """The answer that the tracker holds for a message it has finished; None where it has not."""
    events = list(tracker.events) if tracker else []
    for start in range(len(events) - 1, -1, -1):
        event = events[start]
        if not isinstance(event, UserUttered) or event.message_id != message_id:
            continue
        messages: list[dict[str, Any]] = []
        for later in events[start + 1 :]:
            if isinstance(later, UserUttered):
                break
            if isinstance(later, BotUttered):
                messages.append({"text": later.text, **later.data})
            if isinstance(later, ActionExecuted) and later.action_name == "action_listen":
                return answer(messages)
        return None
    return None


def insight(tracker: DialogueStateTracker | None, message_id: str, agent: Any) -> dict[str, Any]:
    """What the desk may show its people beside the answer; nothing of it is worth failing a turn for."""
    try:
        if tracker is not None:
            return {
                "understood": understood_of(tracker, message_id),
                "sheet": known(tracker, agent.processor.domain.responses),
            }
    except Exception as error:  # noqa: BLE001
        log.error("desk.insight_broken", error=type(error).__name__)
    return {"understood": None, "sheet": None}


class DeskInput(InputChannel):
    """Rasa's side of the desk's protocol."""

    def __init__(self, token: str) -> None:
        if not token:
            raise ValueError("MAINSDESK_RASA_TOKEN is not set: the channel would be open to every process here")
        self._token = token

    @classmethod
    def name(cls) -> str:
        return "desk"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> "DeskInput":
        bound_rasa()
        return cls(os.environ.get("MAINSDESK_RASA_TOKEN", ""))

    def blueprint(self, on_new_message: OnMessage) -> Blueprint:
        desk = Blueprint("desk_webhook", "desk")

        @desk.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            ready = getattr(request.app.ctx, "agent", None) is not None and request.app.ctx.agent.is_ready()
            return json({"status": "ok" if ready else "loading"}, status=200 if ready else 503)

        @desk.listener("after_server_start")
        async def settle(_app: Sanic, _loop: object) -> None:
            # What is loaded stays: a full collection would walk it again and again, and every turn wait 0.2 s for it.
            gc.collect()
            gc.freeze()
            # Loading leaves holes of tens of MB; glibc gives them back when asked.
            if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
                trim(0)

        @desk.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                return json({"error": "unauthorised"}, status=401)
            agent = getattr(request.app.ctx, "agent", None)
            if agent is None or not agent.is_ready():
                return json({"error": "loading"}, status=503)
            body = request.json
            if problem := unfit(body):
                return json({"error": problem}, status=422)
            return json(await self._turn(body, agent, on_new_message))

        return desk

    async def _turn(self, body: dict[str, Any], agent: Any, on_new_message: OnMessage) -> dict[str, Any]:
        sender, message_id, metadata = body["sender"], body["message_id"], body["metadata"]
        collector = Collector(str(metadata.get("channel") or "web"))
        message = UserMessage(
            body["message"], collector, sender, input_channel=self.name(), message_id=message_id, metadata=metadata
        )
        try:
            if metadata.get("fence") != 1:  # a later try: the first one may have got as far as the tracker
                tracker = await agent.tracker_store.retrieve(sender)
                before = recorded(tracker, message_id)
                if before is not None:
                    return before | insight(tracker, message_id, agent)
            saved: list[DialogueStateTracker] = []
            SAVED.set(saved)
            await asyncio.wait_for(on_new_message(message), TURN_SECONDS)
        except (asyncio.TimeoutError, asyncio.CancelledError):
            log.error("desk.turn_too_slow", sender=sender)
        except ActionBroken as broken:
            log.error("desk.action_broken", sender=sender, action=str(broken))
        except HistoryBroken as broken:
            log.error("desk.history_broken", sender=sender, error=str(broken))
        except Exception as error:  # noqa: BLE001 whatever broke, the customer is owed an answer
            log.error("desk.turn_broken", sender=sender, error=type(error).__name__)
        else:
            return answer(collector.messages) | insight(saved[-1] if saved else None, message_id, agent)
        return {"messages": [], "silent": False, "failed": True}


def unfit(body: Any) -> str:
    """Why a request is refused; '' for a good one. Typed text that begins with `/` would be a command to Rasa."""
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        return "not a message"
    if not all(isinstance(body.get(name), str) and body[name] for name in ("sender", "message_id", "message")):
        return "sender, message_id and message must be texts"
    if body["metadata"].get("choice") is True:
        return ""
    if body["message"].lstrip().startswith("/"):
        return "typed text must not begin with a slash"
    return "the message is too long" if len(body["message"]) > MAX_CHARACTERS else ""
