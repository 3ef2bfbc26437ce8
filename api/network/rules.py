"""Pure rules of the network: the tree of assets, and how sure a match is."""

import re
from collections.abc import Mapping

#: From here a candidate counts as clear, from PLAUSIBLE on it is worth asking about.
CLEAR, PLAUSIBLE = 85, 60
#: What a candidate can reach at most while another place fits as well, and while no building is named.
AMBIGUOUS, NO_NUMBER = 84, 70


class TreeError(ValueError):
    """The assets do not form a tree; `asset_id` is where it shows."""

    def __init__(self, asset_id: str, reason: str) -> None:
        super().__init__(f"{asset_id}: {reason}")
        self.asset_id, self.reason = asset_id, reason


def ancestors(parents: Mapping[str, str | None]) -> list[tuple[str, str, int]]:
    """Every (asset, ancestor, depth) triple of a forest given as {id: parent id}, each asset itself included (depth 0).

    Raises TreeError for a parent that is not there and for a cycle.
    """
    rows = []
    for asset in parents:
        seen: set[str] = set()
        current: str | None = asset
        while current is not None:
            if current not in parents:
                raise TreeError(asset, f"unknown parent {current}")
            if current in seen:
                raise TreeError(asset, "its parents form a circle")
            rows.append((asset, current, len(seen)))
            seen.add(current)
            current = parents[current]
    return rows


def number_order(number: str) -> tuple[int, str]:
    """Sort key that puts 2 before 10 and 3 before 3A."""
    digits = re.match(r"\d+", number)
    return (int(digits.group()) if digits else 0, number)


def candidate_score(place_score: float, *, rivals: bool, needs_number: bool) -> int:
    """0..100 for a service point of a place that matched with `place_score`."""
    score = min(place_score, AMBIGUOUS) if rivals else place_score
    return round(min(score, NO_NUMBER) if needs_number else score)
