"""Only Twilio may call: every webhook is signed over our public URL and its form.

https://www.twilio.com/docs/usage/webhooks/webhooks-security. The signature is over the decoded parameters, sorted and
joined without separators; so that no other form has the same signature, a form must be written in the one way that
Twilio writes it: names with values, upper-case escapes, nothing but ASCII. The signature has no clock: a webhook that
is sent again is answered again (api.channels.voice.steps), and does nothing.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from twilio.request_validator import RequestValidator

from api.deps import SettingsDep, same
from api.errors import Problem
from api.settings import Settings

MAX_BODY = 64 * 1024
FORM = "application/x-www-form-urlencoded"
#: Name=value pairs; a byte is itself or an upper-case escape.
_BYTE = rb"(?:[^\x00-\x20\x7f-\xff%&=]|%[0-9A-F]{2})"
_WRITTEN = re.compile(rb"%b+=%b*(?:&%b+=%b*)*" % (_BYTE, _BYTE, _BYTE, _BYTE))
#: The library has no types.
_validator: Any = RequestValidator
_VISIBLE = re.compile(rb"[\x21-\x7e]*")


@dataclass(frozen=True)
class Form:
    """What Twilio posted, its signature checked."""

    fields: Mapping[str, str]
    #: SHA-256 of the body as it came.
    body_hash: str

    def get(self, name: str) -> str:
        """The field, stripped; '' where it is missing."""
        return self.fields.get(name, "").strip()

    @property
    def call_sid(self) -> str:
        return self.get("CallSid")


def forbidden() -> Problem:
    """One answer for whatever is wrong, so that nobody learns which part it was."""
    return Problem(403, "bad-signature", "The request is not signed by the telephone's provider.")


def public_url(settings: Settings, path: bytes, query: bytes) -> str:
    """The address that Twilio called, whatever host and scheme a proxy passed on."""
    return settings.public_url.rstrip("/") + path.decode("ascii") + (f"?{query.decode('ascii')}" if query else "")


def verified(settings: Settings, path: bytes, query: bytes, body: bytes, signature: str) -> Form:
    """The form, if Twilio signed it for our account at this address; Problem 403 otherwise."""
    if not signature or not _VISIBLE.fullmatch(path) or not _VISIBLE.fullmatch(query) or not _WRITTEN.fullmatch(body):
        raise forbidden()
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as error:  # UnicodeDecodeError is one
        raise forbidden() from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise forbidden()
    validator: Any = _validator(settings.twilio_auth_token.get_secret_value())
    if not validator.validate(public_url(settings, path, query), fields, signature):
        raise forbidden()
    # The token is the account's: a form that names none is its, one that names another is not.
    if not same(fields.get("AccountSid", settings.twilio_account_sid), settings.twilio_account_sid):
        raise forbidden()
    return Form(fields, hashlib.sha256(body).hexdigest())


async def signed_form(request: Request, settings: SettingsDep) -> Form:
    """For every route of the telephone. Problem 403, 413 over 64 KB, 415 for what is no form."""
    signature = request.headers.get("X-Twilio-Signature", "")
    if not signature:
        raise forbidden()
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != FORM:
        raise Problem(415, "form-required", f"The body must be {FORM}.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Problem(413, "body-too-large", "The request is too large.", headers={"Connection": "close"})
    scope = request.scope
    path = scope.get("raw_path") or scope["path"].encode()
    path = path.partition(b"?")[0]
    return verified(settings, path, scope.get("query_string", b""), body, signature)


SignedForm = Annotated[Form, Depends(signed_form)]
