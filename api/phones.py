"""Telephone numbers as customers give them: checked, and kept in one form."""

import re
import unicodedata
from typing import Annotated

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from pydantic import AfterValidator

REGION = "CN"
_LOCAL = re.compile(r"[2-8]\d{6,7}")
_ADVICE = "Give a mobile number of 11 digits or a landline with its area code."


def normal_phone(text: str) -> str:
    """A phone number in the form it is kept in: mainland numbers as dialled there (`13812345678`,
    `02362801234`), others as E.164 (`+442079460958`). ValueError says what is wrong; an empty text stays empty.
    """
    given = unicodedata.normalize("NFKC", text).strip()
    if not given:
        return ""
    try:
        number = phonenumbers.parse(given, REGION)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"This is not a telephone number. {_ADVICE}") from error
    if _LOCAL.fullmatch(re.sub(r"[\s-]", "", given)):
        raise ValueError(f"The area code is missing. {_ADVICE}")
    if not phonenumbers.is_valid_number(number):
        raise ValueError(f"There is no such telephone number. {_ADVICE}")
    if number.country_code != phonenumbers.country_code_for_region(REGION):
        return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return re.sub(r"\D", "", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))


def phone_in(text: str) -> str | None:
    """The first telephone number in a message, in the form it is kept in."""
    for match in phonenumbers.PhoneNumberMatcher(unicodedata.normalize("NFKC", text), REGION):
        try:
            return normal_phone(match.raw_string)
        except ValueError:
            continue
    return None


def same_phone(one: str, other: str) -> bool:
    """Whether two texts are the same telephone number; an empty or unreadable one equals nothing."""
    try:
        first, second = normal_phone(one), normal_phone(other)
    except ValueError:
        return False
    return bool(first) and first == second


#: A pydantic field: kept in one form; 422 with a sentence where it is no number.
Phone = Annotated[str, AfterValidator(normal_phone)]


def e164(phone: str) -> str:
    """A kept number as vendors want it: `13812345678` → `+8613812345678`; ValueError where it is none."""
    return phonenumbers.format_number(_parsed(phone), PhoneNumberFormat.E164)


def takes_texts(phone: str) -> bool:
    """Whether a text message may reach this number: a mainland landline takes none."""
    try:
        kind = phonenumbers.number_type(_parsed(phone))
    except ValueError:
        return False
    return kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def _parsed(phone: str) -> phonenumbers.PhoneNumber:
    try:
        number = phonenumbers.parse(phone, REGION)
    except phonenumbers.NumberParseException as error:
        raise ValueError("This is not a telephone number.") from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError("There is no such telephone number.")
    return number
