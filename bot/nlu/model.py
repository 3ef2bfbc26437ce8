"""The intent model itself, free of Rasa: features, linear model, calibration."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from bot.nlu.features import views

_SEED = 7


class IntentModel:
    """A linear SVM an intent over the views of a message; margins become confidences by one learnt temperature."""

    def __init__(self, vectorizers: list[TfidfVectorizer], svm: LinearSVC, temperature: float) -> None:
        self._vectorizers, self._svm, self._temperature = vectorizers, svm, temperature
        self.intents: list[str] = list(svm.classes_)

    @classmethod
    def fit(cls, texts: Sequence[str], intents: Sequence[str]) -> "IntentModel":
        seen = [views(text) for text in texts]
        vectorizers = [
            TfidfVectorizer(token_pattern=r"\S+", lowercase=False, ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", lowercase=False, ngram_range=(1, 5), sublinear_tf=True, min_df=2),
            TfidfVectorizer(token_pattern=r"\S+", lowercase=False, ngram_range=(1, 3), sublinear_tf=True, min_df=2),
        ]
        features = hstack([v.fit_transform([s[i] for s in seen]) for i, v in enumerate(vectorizers)]).tocsr()
        svm = LinearSVC(C=0.3, class_weight="balanced", random_state=_SEED).fit(features, list(intents))
        return cls(vectorizers, svm, 4.0)

    def confidences(self, texts: Sequence[str]) -> np.ndarray:
        """A row a text, a column an intent (in the order of `intents`); rows sum to 1."""
        seen = [views(text) for text in texts]
        features: csr_matrix = hstack([v.transform([s[i] for s in seen]) for i, v in enumerate(self._vectorizers)])
        margins = self._svm.decision_function(features.tocsr()) * self._temperature
        powers = np.exp(margins - margins.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
