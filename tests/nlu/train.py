"""Run by Rasa's Python, `train.py FILE`: the confidences, for a quarter of the held-out utterances, of an intent model
that was trained on a fifth of the examples."""

import sys

import numpy as np

from bot.nlu.model import IntentModel
from scripts.evaluation.data import held_out, training_examples

if __name__ == "__main__":
    learnt = training_examples()[::5]
    model = IntentModel.fit([example.text for example in learnt], [example.intent for example in learnt])
    np.save(sys.argv[1], np.array([model.confidences(example.text) for example in held_out()[::4]]))
