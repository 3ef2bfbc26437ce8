"""A person asked for beside something else, and what only sounds like it."""

import pytest

from bot.actions.human import asks_besides


@pytest.mark.parametrize(
    "words",
    [
        "水费好像多收了，我要找人",
        "停电了，转人工",
        "别的不说了，麻烦帮我转一下人工客服",
        "表跳了三次，我想找个真人说",
        "我要跟客服谈",
        "you charged me twice, I want to speak to a real person",
        "No water, human please",
        "the meter trips, get me an agent",
    ],
)
def test_asked_for(words: str) -> None:
    assert asks_besides(words)


@pytest.mark.parametrize(
    "words",
    [
        "你们客服态度太差",
        "转人工转了半天没人接",
        "不用转人工，停电了",
        "我昨天找客服说过了",
        "派人来修",
        "我要找人修电表箱",
        "想请人上门看看",
        "I tried to talk to someone yesterday, nobody answered",
        "I don't want to talk to a human",
        "your agent was rude to me",
        "please send someone",
    ],
)
def test_not_asked_for(words: str) -> None:
    assert not asks_besides(words)
