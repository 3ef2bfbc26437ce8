"""Ticket numbers: twelve digits with an ISO/IEC 7064 MOD 11,10 check digit."""

import random
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.tickets.numbers import COUNT, check_digit, is_valid_number, new_number

#: Published: the standard's own example 0794 → 5; the others are real identifiers that use the scheme
#: (Croatian OIB 33392005961, German tax number 36574261809).
VECTORS = [("0794", "5"), ("3339200596", "1"), ("3657426180", "9"), ("00200667308", "5")]

numbers = st.integers(0, COUNT - 1).map(lambda n: new_number(lambda _below: n))


@pytest.mark.parametrize(("digits", "check"), VECTORS)
def test_the_published_vectors(digits: str, check: str) -> None:
    assert check_digit(digits) == check


def test_the_lowest_and_the_highest_number_have_twelve_digits() -> None:
    assert new_number(lambda below: 0)[:-1] == "10000000000"
    assert new_number(lambda below: below - 1)[:-1] == "99999999999"


def test_numbers_come_from_the_whole_range() -> None:
    drawn = {new_number(secrets.randbelow) for _ in range(2_000)}
    assert len(drawn) == 2_000
    assert {number[0] for number in drawn} == set("123456789")
    assert all(map(is_valid_number, drawn))


@given(numbers, st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(number: str, place: int, step: int) -> None:
    wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
    assert is_valid_number(number)
    assert not is_valid_number(wrong)


def test_most_swaps_of_neighbours_are_noticed() -> None:
    draw = random.Random(7)
    tried = missed = 0
    for _ in range(2_000):
        number = new_number(draw.randrange)
        for i in range(1, 11):
            if number[i] != number[i + 1]:
                tried += 1
                missed += is_valid_number(number[:i] + number[i + 1] + number[i] + number[i + 2 :])
    assert missed / tried < 0.03


@pytest.mark.parametrize(
    "text", ["", "12345678901", "1234567890123", "０２３４５６７８９０１２", "12345678901a", "000000000001"]
)
def test_what_is_no_number(text: str) -> None:
    assert not is_valid_number(text)
