"""What a question waits for, and how many choices an ear keeps. Pure."""

from collections.abc import Sequence

#: Choices that are read out on the telephone.
MOST_SPOKEN = 3
#: The channel of a telephone call.
VOICE = "voice"

#: Step → the answer that its question waits for: "" any words, yes_no, place, phone, account, ticket, reading, factor
#: (what proves an account: a number or half an identity number), count (how many are without supply), free (a story).
#: A channel listens accordingly; account, phone, ticket, reading can be keyed in on a telephone.
EXPECTS = {
    "check_first": "",
    "contact": "phone",
    "guide": "",  # by its options
    "is_real": "yes_no",
    "known": "",
    "number": "ticket",
    "order": "yes_no",
    "overdue": "yes_no",
    "phone": "phone",
    "place": "place",
    "place_choice": "",
    "place_confirm": "yes_no",
    "place_number": "place",
    "place_same": "yes_no",
    "reading": "reading",
    "register": "yes_no",
    "rule": "yes_no",
    "scope": "count",
    "story": "free",
    "verify_account": "account",
    "verify_factor": "factor",
    "way": "",
    "what": "free",
    "when": "free",
    "wish": "free",
}

#: What is told in digits: a number alone is an answer to it.
NUMBERS = frozenset({"account", "factor", "phone", "place", "reading", "ticket"})


def of_guide(means: Sequence[str | None]) -> str:
    """What a guide's question waits for: yes_no where a plain yes and a plain no are all its answers."""
    return "yes_no" if sorted(meant or "" for meant in means) == ["no", "yes"] else ""
