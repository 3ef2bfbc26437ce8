"""The envelope of WeChat's callbacks: signatures, encryption, and XML that is read strictly.

Source: https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption.html and
https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html: SHA-1 over the sorted token,
timestamp, nonce (and cipher text); AES-256-CBC padded to 32 bytes over 16 random bytes, length, XML and app id.
"""

import hashlib
import hmac
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]
from wechatpy.crypto import PrpCrypto, WeChatCrypto  # type: ignore[import-untyped]
from wechatpy.exceptions import InvalidAppIdException  # type: ignore[import-untyped]
from wechatpy.utils import WeChatSigner  # type: ignore[import-untyped]

from api.channels.wechat.words import limits
from api.errors import Problem

#: All that WeChat puts into a callback's query. Anything else is a damaged or a foreign request.
PARAMETERS = frozenset({"signature", "msg_signature", "timestamp", "nonce", "openid", "encrypt_type", "echostr"})
MOST_PARAMETERS = 10
NONCE = re.compile(r"[\x21-\x7e]{1,64}")
#: XML 1.0 has no place for these, and people's keyboards do type some of them.
UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Opened:
    """An authentic message: its fields; its nonce, and a hash of the body that came with it, of which only the cipher
    text may be another one the next time."""

    fields: Mapping[str, str]
    nonce: str
    content_hash: str
    encrypted: bool


def garbled(what: str) -> Problem:
    return Problem(400, "invalid", f"This is no message of WeChat's: {what}.")


def refused(what: str) -> Problem:
    return Problem(403, "forbidden", f"Refused: {what}.")


def signature(*parts: str) -> str:
    """40 hex digits."""
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


class Envelope:
    """Opens and seals with one account's secrets. `plain`: take unencrypted messages too."""

    def __init__(self, token: str, aes_key: str, app_id: str, *, plain: bool = False) -> None:
        self._token, self._app_id, self._plain = token, app_id, plain
        self._crypto = WeChatCrypto(token, aes_key, app_id)

    def echo(self, query: str, now: datetime) -> str:
        """What the check of the callback's address is answered with. Problem 400 or 403."""
        given = self._query(query, now)
        echoed = given.get("echostr")
        if not echoed:
            raise garbled("echostr is missing")
        if "msg_signature" in given:
            self._check(given["msg_signature"], given, echoed)
            if "signature" in given:
                self._check(given["signature"], given)
            return self._decrypted(echoed)
        self._check(given.get("signature", ""), given)
        return echoed

    def open(self, query: str, body: bytes, now: datetime) -> Opened:
        """The message of a callback. Problem 400 for garbage, 403 for what WeChat has not signed for this account."""
        given = self._query(query, now)
        encrypted = given.get("encrypt_type", "aes" if "msg_signature" in given else "raw") == "aes"
        shell = body
        if encrypted:
            fields, cipher = self._encrypted(given, body)
            shell = body.replace(cipher.encode(), b"")
        else:
            if not self._plain or given.get("encrypt_type", "raw") != "raw" or "msg_signature" in given:
                raise refused("messages must be encrypted")
            self._check(given.get("signature", ""), given)
            fields = fields_of(_text(body))
        if given.get("openid", fields.get("FromUserName")) != fields.get("FromUserName"):
            raise refused("openid")
        content_hash = hashlib.sha256(repr((sorted(fields.items()), shell)).encode()).hexdigest()
        return Opened(fields, given["nonce"], content_hash, encrypted)

    def seal(self, xml: str, nonce: str, now: datetime) -> str:
        """The XML of an encrypted reply."""
        return str(self._crypto.encrypt_message(xml, nonce, str(int(now.timestamp()))))

    def _query(self, query: str, now: datetime) -> dict[str, str]:
        try:
            pairs = parse_qsl(
                query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_PARAMETERS
            )
        except ValueError:
            raise garbled("query") from None
        given = dict(pairs)
        if len(given) != len(pairs) or not given.keys() <= PARAMETERS:
            raise garbled("query")
        timestamp, nonce = given.get("timestamp", ""), given.get("nonce", "")
        if not re.fullmatch(r"[0-9]{1,12}", timestamp) or not NONCE.fullmatch(nonce):
            raise garbled("timestamp or nonce")
        if abs(now.timestamp() - int(timestamp)) > limits()["callback"]["clock_seconds"]:
            raise refused("timestamp")
        return given

    def _check(self, claimed: str, given: Mapping[str, str], *more: str) -> None:
        expected = signature(self._token, given["timestamp"], given["nonce"], *more)
        if not hmac.compare_digest(claimed.encode(), expected.encode()):
            raise refused("signature")

    def _encrypted(self, given: Mapping[str, str], body: bytes) -> tuple[dict[str, str], str]:
        """The fields, and the cipher text that they were in."""
        outer = fields_of(_text(body), strict=True)
        cipher = outer.pop("Encrypt", "")
        if not cipher:
            raise garbled("Encrypt is missing")
        self._check(given.get("msg_signature", ""), given, cipher)
        if "signature" in given:
            self._check(given["signature"], given)
        fields = fields_of(UNFIT.sub("", self._decrypted(cipher)))
        # The signature covers the cipher text alone: what stands beside it must be what stands in it.
        if any(fields.get(name) != value for name, value in outer.items()):
            raise refused("envelope and message differ")
        return fields, cipher

    def _decrypted(self, cipher: str) -> str:
        try:
            return str(PrpCrypto(self._crypto.key).decrypt(cipher, self._app_id))
        except InvalidAppIdException:
            raise refused("app id") from None
        except (ValueError, IndexError, struct.error):
            raise garbled("cipher text") from None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise garbled("not UTF-8") from None


def fields_of(xml: str, *, strict: bool = False) -> dict[str, str]:
    """The children of `<xml>` with their text, blanks around it set aside; Problem 400 for anything else, a document
    type above all.

    `strict`: nothing but these children is there. Read as text, so that a declared encoding changes nothing.
    """
    try:
        root = fromstring(xml, forbid_dtd=True)
    except (ParseError, ValueError):
        raise garbled("XML") from None
    if root.tag != "xml" or root.attrib:
        raise garbled("XML")
    fields: dict[str, str] = {}
    stray = [root.text or ""]
    for child in root:
        if child.tag in fields or not isinstance(child.tag, str):
            raise garbled("XML")
        fields[child.tag] = "" if len(child) else (child.text or "").strip()
        stray += [child.tail or "", *("nested" for _ in child), *child.attrib]
    if strict and "".join(stray).strip():
        raise garbled("XML")
    return fields
