"""Ticket numbers: 12 digits, the last one a check digit by ISO/IEC 7064 MOD 11,10, to be read out and keyed in."""

from collections.abc import Callable

LENGTH = 12
#: How many different numbers there are: eleven free digits, the first one not zero.
COUNT = 9 * 10 ** (LENGTH - 2)


def check_digit(digits: str) -> str:
    """The ISO/IEC 7064 MOD 11,10 check digit of a string of digits.

    It catches every single wrong digit and nearly every swap of two neighbours.
    """
    check = 5
    for digit in digits:
        check = (check or 10) * 2 % 11
        check = (check + int(digit)) % 10
    return str((1 - (check or 10) * 2 % 11) % 10)


def is_valid_number(text: str) -> bool:
    """True for twelve ASCII digits, the first not zero, whose last is the right check digit."""
    return (
        len(text) == LENGTH
        and text.isascii()
        and text.isdigit()
        and text[0] != "0"
        and check_digit(text[:-1]) == text[-1]
    )


def new_number(below: Callable[[int], int]) -> str:
    """A ticket number; `below(n)` gives a random integer from 0 to n-1 that nobody can guess."""
    digits = str(10 ** (LENGTH - 2) + below(COUNT))
    return digits + check_digit(digits)
