"""The confusion matrix as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from scripts.evaluation.answers import FALLBACK, Answer
from scripts.evaluation.data import LANGUAGES

mpl.use("Agg")
import matplotlib.pyplot as plt


def draw(answers: Sequence[Answer], file: Path) -> None:
    """Rows: what was meant; columns: what it was taken for; one matrix a language, darker is more of the row."""
    intents = [*sorted({a.example.intent for a in answers}), FALLBACK]
    place = {name: number for number, name in enumerate(intents)}
    figure, axes = plt.subplots(1, len(LANGUAGES), figsize=(22, 11.5), constrained_layout=True)
    for axis, (language, title) in zip(axes, LANGUAGES.items(), strict=True):
        counts = np.zeros((len(intents) - 1, len(intents)), dtype=int)
        for a in answers:
            if a.example.language == language:
                counts[place[a.example.intent], place[a.intent]] += 1
        shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axis.text(column, row, counts[row, column], ha="center", va="center", fontsize=6, color=colour)
        axis.set_xticks(range(len(intents)), intents, rotation=90, fontsize=7)
        axis.set_yticks(range(len(intents) - 1), intents[:-1], fontsize=7)
        axis.set(title=title, xlabel="taken for", ylabel="meant")
    figure.savefig(file, dpi=80, metadata={"Software": None})
    plt.close(figure)
