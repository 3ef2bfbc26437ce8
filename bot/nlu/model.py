"""The intent model itself, free of Rasa: features, linear model, calibration."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from bot.nlu.features import Views, views

_SEED = 7
_HELD_OUT = 0.2


class IntentModel:
    """A linear SVM an intent over the views of a message; one learnt temperature makes confidences of its margins."""

    def __init__(self) -> None:
        self._features = _Features()
        self._svm = LinearSVC(C=2.0, class_weight="balanced", random_state=_SEED)
        self._temperature = 4.0
        self.intents: list[str] = []

    @classmethod
    def fit(cls, texts: Sequence[str], intents: Sequence[str]) -> "IntentModel":
        """Train on examples; the temperature is learnt from a fifth that a first model has not seen."""
        seen, labels = [views(text) for text in texts], np.array(intents)
        model = cls()
        order = np.random.default_rng(_SEED).permutation(len(labels))
        learn, rest = np.split(order, [int(len(labels) * (1 - _HELD_OUT))])
        check = rest[np.isin(labels[rest], labels[learn])]
        if len(check) and len(set(labels[learn])) > 1:
            model._fit([seen[i] for i in learn], labels[learn])
            margins = model._margins([seen[i] for i in check])
            model._temperature = _temperature(margins, np.searchsorted(model.intents, labels[check]))
        model._fit(seen, labels)
        return model

    def confidences(self, texts: Sequence[str]) -> np.ndarray:
        """A row a text, a column an intent (in the order of `intents`); rows sum to 1."""
        return _softmax(self._margins([views(text) for text in texts]) * self._temperature)

    def _fit(self, seen: Sequence[Views], labels: np.ndarray) -> None:
        self._svm.fit(self._features.fit_transform(seen), labels)
        self.intents = list(self._svm.classes_)

    def _margins(self, seen: Sequence[Views]) -> np.ndarray:
        margins = self._svm.decision_function(self._features.transform(seen))
        return np.column_stack([-margins, margins]) if margins.ndim == 1 else margins  # two intents only


class _Features:
    """Tf-idf of each view, and how much of the message no example has said."""

    def __init__(self) -> None:
        pieces = {"token_pattern": r"\S+", "lowercase": False, "sublinear_tf": True, "dtype": np.float32}
        self._views = {
            "words": TfidfVectorizer(ngram_range=(1, 2), **pieces),
            "characters": TfidfVectorizer(
                analyzer="char_wb", ngram_range=(1, 4), min_df=2, lowercase=False, sublinear_tf=True, dtype=np.float32
            ),
            "sounds": TfidfVectorizer(ngram_range=(1, 3), min_df=2, **pieces),
            "concepts": TfidfVectorizer(**pieces),
        }
        self._counts: Counter[str] = Counter()

    def fit_transform(self, seen: Sequence[Views]) -> csr_matrix:
        self._counts = Counter(word for view in seen for word in set(_words(view)))
        parts = [vectorizer.fit_transform(_column(seen, name)) for name, vectorizer in self._views.items()]
        return hstack([*parts, self._strangeness(seen, known_from=2)]).tocsr()

    def transform(self, seen: Sequence[Views]) -> csr_matrix:
        parts = [vectorizer.transform(_column(seen, name)) for name, vectorizer in self._views.items()]
        return hstack([*parts, self._strangeness(seen, known_from=1)]).tocsr()

    def _strangeness(self, seen: Sequence[Views], known_from: int) -> csr_matrix:
        """Share of unknown words, and whether there is one, two, nothing else. An example must not know itself."""
        rows = []
        for view in seen:
            words = _words(view)
            unknown = sum(self._counts[word] < known_from for word in words)
            share = unknown / max(1, len(words))
            rows.append([share, unknown > 0, unknown > 1, share == 1.0])
        return csr_matrix(np.array(rows, dtype=np.float32))


def _words(view: Views) -> list[str]:
    return [word for word in view.words.split() if word.isalpha()]


def _column(seen: Sequence[Views], name: str) -> list[str]:
    return [getattr(view, name) for view in seen]


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _temperature(margins: np.ndarray, columns: np.ndarray) -> float:
    """The factor that makes the confidences of unseen examples truest (least log loss)."""
    rows = np.arange(len(columns))

    def loss(factor: float) -> float:
        return float(-np.log(_softmax(margins * factor)[rows, columns] + 1e-12).mean())

    return float(minimize_scalar(loss, bounds=(0.5, 20.0), method="bounded").x)
