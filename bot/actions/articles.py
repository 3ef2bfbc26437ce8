"""Answers that are articles of the desk's knowledge base: fetched by intent, said as the channel needs them."""

from bot.actions.desk import DeskDown, DeskRefused, Json
from bot.actions.readings import PERSON
from bot.actions.turn import Turn


class Withheld(Exception):
    """What would answer is past its validity: nothing may be told for certain (B5)."""


async def article_for(turn: Turn, intent: str) -> Json | None:
    """The article that answers this message, as it stands now; None where there is none.

    Raises Withheld; DeskDown, also for an answer that is no article in the conversation's language.
    """
    try:
        answer = await turn.desk.get("/articles", intent=intent, q=turn.words, language=turn.language)
        items = answer["items"]
        if answer.get("withheld"):
            raise Withheld
        if not items:
            return None
        lines(items[0], turn)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise DeskDown("no article") from error
    article: Json = items[0]
    return article


def lines(article: Json, turn: Turn) -> list[str]:
    """The article's messages: the answer, and what to do, each in the channel's form. Raises KeyError, TypeError."""
    told = [article["body"], *article["steps"]]
    texts = [(text["spoken"] if turn.voice else text)[turn.language].strip() for text in told]
    steps = texts[1:]
    if len(steps) > 1 and not turn.voice:
        steps = ["\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))]
    return [texts[0], *steps]


async def tell_article(turn: Turn, intent: str) -> None:
    """Say the article of an intent, or honestly that it cannot be said now (B5), with a person on offer."""
    try:
        article = await article_for(turn, intent)
    except (DeskDown, DeskRefused):
        turn.say("utter_article_not_reached", [PERSON])
        return
    except Withheld:
        article = None
    if article is None:
        turn.say("utter_article_to_check", [PERSON])
        return
    for line in lines(article, turn):
        turn.tell(line)
