"""What is known about a message besides its words: its language, and danger that the front desk saw in it."""

import json
import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.language import wished, written

_HAZARD, _SWITCH, _FALLBACK = "report_hazard", "switch_language", "nlu_fallback"
#: Emoji and punctuation alone say nothing that could be classified.
_WORD = re.compile(r"\w")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class MessageContext(GraphComponent, EntityExtractorMixin):
    """Last in the pipeline: reads the metadata that the channel sends along ({"language", "danger"})."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "MessageContext":
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            metadata = message.get("metadata") or {}
            text = (message.get(TEXT) or "").strip()
            language = metadata.get("language") or written(text)
            if text.startswith("/"):
                self._add_to_choice(message, text, metadata.get("language"))
                continue
            if metadata.get("danger"):
                message.set(INTENT, {"name": _HAZARD, "confidence": 1.0}, add_to_output=True)
            elif not _WORD.search(text):
                message.set(INTENT, {"name": _FALLBACK, "confidence": 1.0}, add_to_output=True)
            elif (message.get(INTENT) or {}).get("name") == _SWITCH:
                language = wished(text, language or "zh")
            if language:
                entity = {"entity": "language", "value": language, "start": 0, "end": len(text), "extractor": self.name}
                message.set(ENTITIES, [*message.get(ENTITIES, []), entity], add_to_output=True)
        return messages

    @staticmethod
    def _add_to_choice(message: Message, text: str, language: str | None) -> None:
        """Rasa reads intent and entities of a choice (`/intent{…}`) from its text alone, after this pipeline."""
        name, brace, values = text.partition("{")
        if language is None or "@" in name:
            return
        try:
            entities = json.loads(brace + values) if brace else {}
        except ValueError:
            return
        message.set(TEXT, f"{name}{json.dumps({**entities, 'language': language}, ensure_ascii=False)}")
