"""The intent model itself, free of Rasa: features, linear models, calibration."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from bot.nlu.features import Views, pinyin_views, views

_SEED = 7
_HELD_OUT = 0.2
#: The SVM's C and the Bayes' alpha.
_SOFTNESS, _SMOOTHING = 1.5, 0.05
#: What a view counts: concepts are ours, and words the customer's.
_WEIGHTS = {"words": 1.3, "characters": 1.0, "sounds": 0.9, "concepts": 0.8}
#: What the margins of the two models count in a confidence, where there is nothing to learn it from.
_USUAL_SCALES = (4.0, 0.4)


class IntentModel:
    """Linear in the views of a message: a linear SVM an intent and a complement naive Bayes, added up.

    The SVM separates what the examples show; naive Bayes knows better about words that few of them hold. What either
    counts is learnt, so that confidences are true of messages that no example resembles.
    """

    def __init__(self, features: "_Features", parts: "_Parts", scales: Sequence[float]) -> None:
        self._features = features
        self._weights = np.ascontiguousarray(
            (scales[0] * parts.svm + scales[1] * parts.bayes).T, dtype=np.float16
        )  # half the memory
        self._bias = scales[0] * parts.bias
        self.intents: list[str] = list(parts.intents)

    @classmethod
    def fit(cls, texts: Sequence[str], intents: Sequence[str]) -> "IntentModel":
        """Train on examples of two intents or more."""
        features, labels = _Features(), np.array(intents)
        rows = features.fit_transform([views(text) for text in texts])
        return cls(features, _Parts.fit(rows, labels), _scales(rows, labels))

    def confidences(self, text: str) -> np.ndarray:
        """One for each of `intents`; together 1."""
        margins = self._margins(views(text))
        # Some English can be read as pinyin, too (are you human): the reading that the model is surer of is taken.
        if (spelled := pinyin_views(text)) is not None:
            heard = self._margins(spelled)
            margins = heard if heard.max() > margins.max() else margins
        return _softmax(margins)

    def _margins(self, view: Views) -> np.ndarray:
        columns, values = self._features.of(view)
        return self._bias + values @ self._weights[columns].astype(np.float32)


class _Parts(NamedTuple):
    """What the two models learnt: weights (intents × features), and the SVM's bias."""

    intents: np.ndarray
    svm: np.ndarray
    bias: np.ndarray
    bayes: np.ndarray

    @classmethod
    def fit(cls, rows: csr_matrix, labels: np.ndarray) -> "_Parts":
        svm = LinearSVC(C=_SOFTNESS, class_weight="balanced", random_state=_SEED).fit(rows, labels)
        weights, bias = svm.coef_, svm.intercept_
        if len(svm.classes_) == 2:  # scikit-learn keeps one row for both
            weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
        bayes = ComplementNB(alpha=_SMOOTHING).fit(rows, labels).feature_log_prob_
        return cls(svm.classes_, weights, bias, bayes - bayes.mean(axis=0))


def _scales(rows: csr_matrix, labels: np.ndarray) -> Sequence[float]:
    """What SVM and Bayes must count for the confidences of unseen examples to be truest (least log loss), learnt from a
    fifth that a first model has not seen."""
    order = np.random.default_rng(_SEED).permutation(len(labels))
    learn, rest = np.split(order, [int(len(labels) * (1 - _HELD_OUT))])
    check = rest[np.isin(labels[rest], labels[learn])]
    if not len(check) or len(set(labels[learn])) < 2:
        return _USUAL_SCALES
    first = _Parts.fit(rows[learn], labels[learn])
    known = diags((rows[learn].getnnz(axis=0) > 0).astype(float))
    unseen = rows[check] @ known
    margins = unseen @ first.svm.T + first.bias, unseen @ first.bayes.T
    columns, each = np.searchsorted(first.intents, labels[check]), np.arange(len(check))

    def loss(scales: np.ndarray) -> float:
        values = _softmax(scales[0] * margins[0] + scales[1] * margins[1])
        return float(-np.log(values[each, columns] + 1e-12).mean())

    found: np.ndarray = minimize(loss, _USUAL_SCALES, method="L-BFGS-B", bounds=[(0.5, 20.0), (0.0, 10.0)]).x
    return found


class _Features:
    """Tf-idf of each view, and how much of the message no example has said."""

    def __init__(self) -> None:
        shared: dict[str, Any] = {"lowercase": False, "sublinear_tf": True}
        pieces = {"token_pattern": r"\S+", **shared}
        self._vectorizers = {
            "words": TfidfVectorizer(ngram_range=(1, 2), **pieces),
            "characters": TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), min_df=2, **shared),
            "sounds": TfidfVectorizer(ngram_range=(1, 3), min_df=3, **pieces),
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
                parts.append(vectorizer.fit_transform([getattr(view, name) for view in seen]) * _WEIGHTS[name])
            except ValueError:  # nothing to learn from this view, say sounds where no example is Chinese
                continue
            vars(vectorizer).pop("stop_words_", None)  # all pieces too rare to count: more memory than the rest
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
            values.append(weights * (_WEIGHTS[name] / np.sqrt(weights @ weights)))
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
