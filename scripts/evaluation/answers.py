"""What the bot makes of examples: of a fold by a model that has not seen it, or by a whole trained Rasa model."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from scripts.evaluation.data import ROOT, Example, folds

OUT_OF_SCOPE, FALLBACK = "out_of_scope", "nlu_fallback"
REFUSED = frozenset({OUT_OF_SCOPE, FALLBACK})


class Answer(NamedTuple):
    """`first` is the likeliest intent; `intent` what the bot acts on, nlu_fallback where it asks back."""

    example: Example
    first: str
    intent: str
    confidence: float

    @property
    def right(self) -> bool:
        """Refusing is right where the message is out of scope; asking back is not, where it is in scope."""
        meant = self.example.intent
        return self.intent in REFUSED if meant == OUT_OF_SCOPE else self.intent == meant


def cross_validated(everything: Sequence[Example]) -> list[Answer]:
    """Every example asked of a model trained on the other folds, with config.yml's thresholds."""
    from bot.nlu.model import IntentModel  # like Rasa, known to its own Python alone

    least, lead = _thresholds()
    parts = folds(everything)
    answers: list[Answer] = []
    for number, fold in enumerate(parts):
        learnt = [item for other, part in enumerate(parts) if other != number for item in part]
        model = IntentModel.fit([item.text for item in learnt], [item.intent for item in learnt])
        for item in fold:
            confidences = model.confidences(item.text)
            first, second = sorted(confidences, reverse=True)[:2]
            name = model.intents[int(confidences.argmax())]
            sure = first >= least and first - second >= lead
            answers.append(Answer(item, name, name if sure else FALLBACK, float(first)))
        print(f"eval: fold {number + 1} of {len(parts)}", flush=True)
    return answers


def of_model(file: Path, examples: Sequence[Example]) -> list[Answer]:
    """Each example asked of a trained Rasa model."""
    from rasa.core.agent import Agent
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.ERROR)
    logging.getLogger().setLevel(logging.ERROR)
    agent = Agent.load(str(file))

    async def ask() -> list[Answer]:
        return [answer(item, await agent.parse_message(item.text)) for item in examples]

    return asyncio.run(ask())


def answer(example: Example, parsed: Mapping[str, Any]) -> Answer:
    """That of Rasa's parser as an Answer."""
    names = [entry["name"] for entry in parsed["intent_ranking"] if entry["name"] not in (None, FALLBACK)]
    intent = parsed["intent"]
    return Answer(example, names[0] if names else FALLBACK, intent["name"] or FALLBACK, float(intent["confidence"]))


def _thresholds() -> tuple[float, float]:
    pipeline = yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))["pipeline"]
    fallback = next(component for component in pipeline if "FallbackClassifier" in component["name"])
    return fallback["threshold"], fallback["ambiguity_threshold"]
