"""Rasa's tokenizer for messages that may hold both languages."""

from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.text import normalise
from bot.nlu.words import words


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class BilingualTokenizer(Tokenizer):
    """Tokens stand where they do in the message as sent; their lemma is the word in standard form."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        text = message.get(attribute)
        normal = normalise(text)
        tokens = []
        for start, end in words(normal):
            first, last = normal.span(start, end)
            tokens.append(Token(text[first:last], first, last, lemma=normal.text[start:end]))
        return tokens
