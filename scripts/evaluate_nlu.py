"""`make eval`: how well customers are understood, written to docs/evaluation.md, its picture and its figures.

Run by Rasa's Python (.venv-bot) after `make train`; asks the newest model of `models/`.
"""

import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.evaluation import tables
from scripts.evaluation.answers import cross_validated, of_model
from scripts.evaluation.data import held_out, training_examples
from scripts.evaluation.picture import draw

REPORT = ROOT / "docs" / "evaluation.md"
FIGURES = ROOT / "docs" / "evaluation.json"
PICTURE = ROOT / "docs" / "images" / "confusion.png"

INTRODUCTION = """# How well the bot understands

`make eval` writes this page. Both languages are learnt together, as in the real model, and counted apart. An utterance
is right when the bot would act on what it means; where the bot asks back (`nlu_fallback`) although the message is in
scope, that counts as wrong; a message out of scope is right when it is refused or asked back.
"""
HELD_OUT = """
## Held-out utterances

Asked of the trained model as it runs. Written by other hands than the training examples, each file in one way of
writing, labels read again by a second reader; never trained on, and no example may come close to one (a test compares
them). The pipeline's choices were made by cross-validation, not on these.
"""
NEWNESS = """Held-out utterances and examples were written to the same description of the intents; customers who never
read it are stranger. What is least like any example tells most about them.
"""
CROSS_VALIDATION = """
## Cross-validation

The training examples in five parts, each asked of a model that has not seen it. They are many and odd ways of saying
something, seldom alike, and a part of them is meant to be hard.
"""


def main() -> None:
    model = max((ROOT / "models").glob("*.tar.gz"), key=lambda file: file.stat().st_mtime)
    fresh = of_model(model, held_out())
    examples = training_examples()
    folded = cross_validated(examples)
    draw(fresh, PICTURE)
    counts = Counter(answer.example.language for answer in fresh)
    FIGURES.write_text(json.dumps({"held_out": counts, **tables.figures(fresh)}, indent=2) + "\n", "utf-8")
    lines = [INTRODUCTION, f"{len(examples)} training examples.", HELD_OUT]
    lines += [*tables.summary(fresh), "", "### Each kind", "", *tables.by_kind(fresh), "", "### How new they are", ""]
    lines += [NEWNESS, *tables.by_likeness(fresh, examples), "", "### Each intent", ""]
    lines += ["Precision · recall · F1, in percent, and the number of utterances.", "", *tables.by_intent(fresh), ""]
    lines += ["### Taken for another", "", *tables.confusions(fresh, 15)]
    lines += [f"![What was meant, and what it was taken for](images/{PICTURE.name})", ""]
    lines += ["### The worst errors", "", "Those that the bot was surest of.", "", *tables.worst(fresh, 20)]
    lines += [CROSS_VALIDATION, *tables.summary(folded), "", *tables.by_intent(folded), ""]
    lines += ["### Taken for another", "", *tables.confusions(folded, 15)]
    REPORT.write_text("\n".join(lines).rstrip() + "\n", "utf-8")
    print("\n".join(["held out:", *tables.summary(fresh), *tables.by_kind(fresh), "folds:", *tables.summary(folded)]))
    print(f"eval: written to {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
