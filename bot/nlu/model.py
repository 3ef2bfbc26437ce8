"""The intent model itself, free of Rasa: features, linear model, calibration."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from bot.nlu.features import Views, pinyin_views, views

_SEED = 7
_HELD_OUT = 0.2
_USUAL_TEMPERATURE = 4.0


class IntentModel:
    """A linear SVM an intent over the views of a message; one learnt temperature makes confidences of its margins."""

    def __init__(self, seen: Sequence[Views], labels: np.ndarray) -> None:
        self._features = _Features()
        svm = LinearSVC(C=2.0, class_weight="balanced", random_state=_SEED)
        svm.fit(self._features.fit_transform(seen), labels)
        weights, bias = svm.coef_, svm.intercept_
        if len(svm.classes_) == 2:  # scikit-learn keeps one row for both
            weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
        self._weights = np.ascontiguousarray(weights.T, dtype=np.float32)
        self._bias = bias
        self._temperature = _USUAL_TEMPERATURE
        self.intents: list[str] = list(svm.classes_)

    @classmethod
    def fit(cls, texts: Sequence[str], intents: Sequence[str]) -> "IntentModel":
        """Train on examples of two intents or more; the temperature is learnt from a fifth unseen by a first model."""
        seen, labels = [views(text) for text in texts], np.array(intents)
        model = cls(seen, labels)
        order = np.random.default_rng(_SEED).permutation(len(labels))
        learn, rest = np.split(order, [int(len(labels) * (1 - _HELD_OUT))])
        check = rest[np.isin(labels[rest], labels[learn])]
        if len(check) and len(set(labels[learn])) > 1:
            first = cls([seen[i] for i in learn], labels[learn])
            margins = np.array([first._margins(seen[i]) for i in check])
            model._temperature = _temperature(margins, np.searchsorted(first.intents, labels[check]))
        return model

    def confidences(self, text: str) -> np.ndarray:
        """One for each of `intents`; together 1."""
        margins = self._margins(views(text))
        # Some English can be read as pinyin, too (are you human): the reading that the model is surer of is taken.
        if (spelled := pinyin_views(text)) is not None:
            heard = self._margins(spelled)
            margins = heard if heard.max() > margins.max() else margins
        return _softmax(margins * self._temperature)

    def _margins(self, view: Views) -> np.ndarray:
        columns, values = self._features.of(view)
        return self._bias + values @ self._weights[columns]


class _Features:
    """Tf-idf of each view, and how much of the message no example has said."""

    def __init__(self) -> None:
        shared: dict[str, Any] = {"lowercase": False, "sublinear_tf": True}
        pieces = {"token_pattern": r"\S+", **shared}
        self._vectorizers = {
            "words": TfidfVectorizer(ngram_range=(1, 2), **pieces),
            "characters": TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), min_df=2, **shared),
            "sounds": TfidfVectorizer(ngram_range=(1, 3), min_df=2, **pieces),
            "concepts": TfidfVectorizer(**pieces),
        }
        self._tables: list[tuple[str, Any, dict[str, int], np.ndarray, int]] = []
        self._words: Counter[str] = Counter()

    def fit_transform(self, seen: Sequence[Views]) -> csr_matrix:
        """A row a message."""
        self._words = Counter(word for view in seen for word in set(_words(view)))
        parts, width = [], 0
        for name, vectorizer in self._vectorizers.items():
            try:
                parts.append(vectorizer.fit_transform([getattr(view, name) for view in seen]))
            except ValueError:  # nothing to learn from this view, say sounds where no example is Chinese
                continue
            table = vectorizer.vocabulary_
            self._tables.append((name, vectorizer.build_analyzer(), table, vectorizer.idf_, width))
            width += len(table)
        # An example must not know itself.
        strangeness = csr_matrix(np.array([self._strangeness(view, known_from=2) for view in seen]))
        return hstack([*parts, strangeness]).tocsr()

    def of(self, view: Views) -> tuple[np.ndarray, np.ndarray]:
        """Columns and values of one message: as scikit-learn's `transform`, which takes ten times as long for one."""
        columns, values, width = [], [], 0
        for name, analyze, table, idf, offset in self._tables:
            counts = Counter(table[piece] for piece in analyze(getattr(view, name)) if piece in table)
            width = offset + len(table)
            if not counts:
                continue
            found = np.fromiter(counts.keys(), dtype=np.intp)
            weights = (1 + np.log(np.fromiter(counts.values(), dtype=float))) * idf[found]
            columns.append(found + offset)
            values.append(weights / np.sqrt(weights @ weights))
        strangeness = self._strangeness(view, known_from=1)
        columns.append(np.arange(width, width + len(strangeness)))
        values.append(np.array(strangeness))
        return np.concatenate(columns), np.concatenate(values)

    def _strangeness(self, view: Views, known_from: int) -> list[float]:
        """Share of unknown words, and whether there is one, two, nothing else."""
        words = _words(view)
        unknown = sum(self._words[word] < known_from for word in words)
        share = unknown / max(1, len(words))
        return [share, float(unknown > 0), float(unknown > 1), float(share == 1.0)]


def _words(view: Views) -> list[str]:
    return [word for word in view.words.split() if word.isalpha()]


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _temperature(margins: np.ndarray, columns: np.ndarray) -> float:
    """The factor that makes the confidences of unseen examples truest (least log loss)."""
    rows = np.arange(len(columns))

    def loss(factor: float) -> float:
        return float(-np.log(_softmax(margins * factor)[rows, columns] + 1e-12).mean())

    return float(minimize_scalar(loss, bounds=(0.5, 20.0), method="bounded").x)
