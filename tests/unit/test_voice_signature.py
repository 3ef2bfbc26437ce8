"""Twilio's signature: the vectors of twilio-python, and forms that were altered."""

from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from api.channels.voice.signature import verified
from api.errors import Problem
from api.settings import Settings

ACCOUNT = "AC00000000000000000000000000000001"
#: twilio-python, tests/unit/test_request_validator.py
URI = "https://mycompany.com/myapp.php?foo=1&bar=2"
PARAMS = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}


@pytest.mark.parametrize(
    ("uri", "signature"),
    [
        (URI, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (URI.replace(".com", ".com:1234"), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (URI.replace(".com", ".com:1234").replace("https", "http"), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        (URI, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (URI.replace("https", "http"), "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ],
)
def test_published_vectors(uri: str, signature: str) -> None:
    assert RequestValidator("12345").validate(uri, PARAMS, signature)
    assert not RequestValidator("12346").validate(uri, PARAMS, signature)


def test_published_vector_through_our_own_door() -> None:
    """The same vector, by path, query and body; it is for another account, and passes all but that."""
    desk = settings("https://mycompany.com", "12345", account="")
    with pytest.raises(Problem):  # an account that is not set is nobody's
        verified(desk, b"/myapp.php", b"foo=1&bar=2", urlencode(PARAMS).encode(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    fields = {**PARAMS, "AccountSid": ACCOUNT}
    signature = RequestValidator("12345").compute_signature(URI, fields)
    desk = settings("https://mycompany.com", "12345")
    form = verified(desk, b"/myapp.php", b"foo=1&bar=2", urlencode(fields).encode(), signature)
    assert form.fields == fields


def settings(
    public_url: str = "https://desk.example.com/desk/", token: str = "a-token", account: str = ACCOUNT
) -> Settings:
    return Settings.model_construct(
        public_url=public_url, twilio_auth_token=SecretStr(token), twilio_account_sid=account
    )


FIELDS = {
    "AccountSid": ACCOUNT,
    "CallSid": "CA1",
    "Digits": "",
    "From": "+8613800138000",
    "SpeechResult": "停电了 & 没水 100%",
    "To": "z",
}
PATH, QUERY, BODY = b"/voice/turn", b"step=3&lang=zh", urlencode(FIELDS).encode()
SIGNATURE = RequestValidator("a-token").compute_signature(
    "https://desk.example.com/desk/voice/turn?step=3&lang=zh", FIELDS
)


def passes(path: bytes, query: bytes, body: bytes, signature: str) -> bool:
    try:
        verified(settings(), path, query, body, signature)
    except Problem as problem:
        return problem.status != 403
    return True


def test_signed() -> None:
    assert verified(settings(), PATH, QUERY, BODY, SIGNATURE).fields == FIELDS
    assert passes(
        PATH, QUERY, "&".join(reversed(BODY.decode().split("&"))).encode(), SIGNATURE
    )  # any order is the same


@pytest.mark.parametrize("part", ["path", "query", "body", "signature"])
def test_no_byte_can_be_altered(part: str) -> None:
    """Every byte to every other value, left out, and doubled."""
    parts = {"path": PATH, "query": QUERY, "body": BODY, "signature": SIGNATURE.encode()}
    whole = parts[part]
    tried = 0
    for at in range(len(whole)):
        other = [bytes([byte]) for byte in range(256) if byte != whole[at]]
        for new in (*other, b"", whole[at : at + 1] * 2):
            changed = {**parts, part: whole[:at] + new + whole[at + 1 :]}
            signature = changed["signature"].decode("latin-1")
            assert not passes(changed["path"], changed["query"], changed["body"], signature), (part, at, new)
            tried += 1
    assert tried == 257 * len(whole)


@pytest.mark.parametrize("signature", ["", "x", SIGNATURE.lower(), SIGNATURE + " ", SIGNATURE[:-1]])
def test_unsigned(signature: str) -> None:
    assert not passes(PATH, QUERY, BODY, signature)


def test_another_account_and_another_token() -> None:
    fields = {**FIELDS, "AccountSid": "AC2"}
    url = "https://desk.example.com/desk/voice/turn"
    assert not passes(PATH, b"", urlencode(fields).encode(), RequestValidator("a-token").compute_signature(url, fields))
    assert not passes(PATH, b"", BODY, RequestValidator("b-token").compute_signature(url, FIELDS))


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=6))
def test_whatever_twilio_signs_passes(more: dict[str, str]) -> None:
    fields = {**more, "AccountSid": ACCOUNT}
    try:
        body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields.items()).encode()
    except UnicodeEncodeError:  # lone surrogates cannot be sent
        return
    signature = RequestValidator("a-token").compute_signature("https://desk.example.com/desk/voice/incoming", fields)
    assert verified(settings(), b"/voice/incoming", b"", body, signature).fields == fields


def test_the_received_host_does_not_count() -> None:
    """Signed for the address by which a proxy reached us, and not for the public one."""
    signature = RequestValidator("a-token").compute_signature("http://10.0.0.1:8000/voice/turn?step=3&lang=zh", FIELDS)
    assert not passes(PATH, QUERY, BODY, signature)
