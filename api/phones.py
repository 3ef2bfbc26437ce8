"""Telephone numbers as customers give them: checked, and kept in one form."""

import re
import unicodedata
from typing import Annotated

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from pydantic import AfterValidator

REGION = "CN"
#: An address of a SIP line (RFC 3261): user, host name or address, port, and of the parameters the transport alone.
_SIP = re.compile(
    r"sip:(?P<user>[A-Za-z0-9._~+-]{1,64})@(?P<host>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*"
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?P<port>:[1-9][0-9]{0,4})?"
    r"(?:;transport=(?:udp|tcp|tls))?"
)
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


def is_sip(line: str) -> bool:
    """Whether a kept line is a SIP address and no number."""
    return line.startswith("sip:")


def normal_line(text: str) -> str:
    """An agent's line in the form it is kept in: a telephone number, or a SIP address such as `sip:mei@pbx.example.com`
    with its host in small letters. ValueError says what is wrong; an empty text stays empty.
    """
    given = unicodedata.normalize("NFKC", text).strip()
    if not re.match(r"sips?:|[^@]*@", given, re.IGNORECASE):
        return normal_phone(given)
    scheme, _, address = given.partition(":")
    user, _, host = address.rpartition("@")
    line = f"{scheme.lower()}:{user}@{host.lower()}"
    if not _SIP.fullmatch(line):
        raise ValueError("This is not a SIP address. Write it as sip:name@host.")
    return line


#: A pydantic field: where an agent's calls go.
Line = Annotated[str, AfterValidator(normal_line)]


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
