"""When a verification counts, when tries lock, what a factor is; and what is left of personal data when masked."""

from datetime import UTC, datetime, timedelta

import pytest

from api.customers.rules import is_factor, is_phone, is_verified, locked_until, plain
from api.phones import normal_phone, same_phone
from api.privacy import keyed_hash, mask_digits, mask_number, mask_phone

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def minutes(*values: float) -> list[datetime]:
    return [NOON + timedelta(minutes=value) for value in values]


@pytest.mark.parametrize(
    ("tries", "now", "end"),
    [
        ([], 0, None),
        ([0, 1, 2, 3], 4, None),
        ([0, 1, 2, 3, 4], 4, 34),
        ([0, 1, 2, 3, 4], 33.9, 34),
        ([0, 1, 2, 3, 4], 34, None),
        ([0, 10, 20, 25, 29.9], 30, 59.9),
        ([0, 10, 20, 25, 30], 30, None),
        # after a lock four old tries and one new one do not lock again
        ([0, 1, 2, 3, 4, 34], 34, None),
        ([4, 4, 4, 4, 4, 34], 34, None),
        ([0, 1, 2, 3, 4, 34, 35, 36, 37, 38], 39, 68),
    ],
)
def test_five_tries_in_the_window_lock(tries: list[float], now: float, end: float | None) -> None:
    assert locked_until(minutes(*tries), minutes(now)[0]) == (minutes(end)[0] if end is not None else None)


def test_a_shorter_lock_for_sign_ins() -> None:
    quarter = timedelta(minutes=15)
    assert locked_until(minutes(0, 0, 0, 0, 0), minutes(14)[0], lock=quarter) == minutes(15)[0]
    assert locked_until(minutes(0, 0, 0, 0, 0), minutes(15)[0], lock=quarter) is None


@pytest.mark.parametrize(
    ("verified", "closed", "now", "counts"),
    [(None, None, 0, False), (0, None, 30, True), (0, None, 30.1, False), (0, 5, 6, False), (5, 0, 6, True)],
)
def test_a_verification_ends_by_idling_or_closing(
    verified: float | None, closed: float | None, now: float, counts: bool
) -> None:
    at, end = (minutes(value)[0] if value is not None else None for value in (verified, closed))
    assert is_verified(at, end, minutes(now)[0]) is counts


@pytest.mark.parametrize(
    ("given", "ok"),
    [
        ("13812345678", True),
        ("138 1234-5678", True),
        ("+86 13812345678", True),
        ("１３８１２３４５６７８", True),
        ("12345X", True),
        ("12345x", True),
        ("5678", False),
        ("345678", False),
        ("", False),
    ],
)
def test_a_factor_is_the_phone_or_the_documents_end(given: str, ok: bool) -> None:
    assert is_factor(given, phone="13812345678", id_last6="12345X") is ok


def test_nothing_on_file_is_never_right() -> None:
    assert not is_factor("", phone="", id_last6="")
    assert not is_phone("", "")
    assert not is_factor("12", phone="12", id_last6="12")


def test_numbers_are_read_however_they_are_written() -> None:
    assert plain(" 3300-1122 33ａ") == "330011223" + "3A"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("13812345678", "13812345678"),
        ("+86 138 1234 5678", "13812345678"),
        ("023-62801234", "02362801234"),
        ("(0512) 6280-1234", "051262801234"),
        ("１３８１２３４５６７８", "13812345678"),
        ("+44 20 7946 0958", "+442079460958"),
        ("  ", ""),
    ],
)
def test_phones_are_kept_in_one_form(given: str, kept: str) -> None:
    assert normal_phone(given) == kept


@pytest.mark.parametrize(
    ("given", "reason"),
    [("62801234", "area code"), ("12345", "no such"), ("138123456789", "no such"), ("call me", "not a telephone")],
)
def test_what_is_no_phone_is_refused_with_the_reason(given: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        normal_phone(given)


def test_same_phone() -> None:
    assert same_phone("+8613812345678", "138-1234-5678")
    assert not same_phone("13812345678", "13812345679")
    assert not same_phone("", "")
    assert not same_phone("x", "x")


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("13812345678", "138****5678"), ("02362801234", "023****1234"), ("95598", "***98"), ("", "")],
)
def test_a_masked_phone_can_be_recognised_and_not_called(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(("number", "masked"), [("3300112233", "******2233"), ("1234", "****"), ("", "")])
def test_masked_numbers(number: str, masked: str) -> None:
    assert mask_number(number) == masked


def test_long_numbers_in_text_are_masked() -> None:
    text = "电话138 1234 5678，户号3300112233，3栋501，2026年"
    assert mask_digits(text) == "电话*******5678，户号******2233，3栋501，2026年"


def test_a_keyed_hash_depends_on_key_and_parts() -> None:
    assert keyed_hash("k", "a", "b") == keyed_hash("k", "a", "b")
    assert len({keyed_hash(*parts) for parts in (("k", "a", "b"), ("l", "a", "b"), ("k", "ab"), ("k", "b", "a"))}) == 4
