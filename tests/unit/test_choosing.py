"""A choice told by its number."""

import pytest

from bot.actions.choosing import numbered, offered_last
from bot.actions.turn import Option


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("1", 0),
        ("2。", 1),
        ("选3", 2),
        ("第二个", 1),
        ("我选一", 0),
        ("the first one", 0),
        ("option 4", 3),
        ("3 neighbours", None),
        ("三栋", None),
        ("12", None),
        ("一起停的", None),
        ("", None),
    ],
)
def test_the_number_of_a_choice(words: str, place: int | None) -> None:
    assert numbered(words) == place


def test_what_was_offered_last() -> None:
    def said(*titles: str) -> dict[str, object]:
        buttons = [{"title": t, "payload": f'/inform{{"option": "{t.lower()}"}}'} for t in titles]
        return {"event": "bot", "text": "?", "data": {"buttons": buttons}}

    me = {"event": "user", "text": "1"}
    assert offered_last([said("Old"), me, said("Yes", "No"), me]) == [
        Option("yes", "Yes", "Yes"),
        Option("no", "No", "No"),
    ]
    assert offered_last([said("Old"), me, {"event": "bot", "text": "hm", "data": {}}, me]) == []
    assert offered_last([me]) == []
