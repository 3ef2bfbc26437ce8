"""WeChat's encrypted envelope, from its published description (own code, to check ours against).

https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
AESKey = Base64_Decode(EncodingAESKey + "="); AES-256-CBC, IV = first 16 bytes of the key; PKCS#7 to blocks of 32;
plain = 16 random bytes + length of the message (4 bytes, network order) + message + appid.
Signature: SHA-1 of token, timestamp, nonce (and Encrypt) sorted and joined.
"""

import base64
import hashlib
import hmac
import secrets
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32
RANDOM_BYTES = 16
LENGTH_BYTES = 4


class BadEnvelope(ValueError):
    """Not what WeChat would accept; the message says why."""


def signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def fields_of(xml: str) -> dict[str, str]:
    """The child elements of `<xml>` by name; BadEnvelope if it is no such document."""
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise BadEnvelope("a document type has no place here")
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as problem:
        raise BadEnvelope(f"no XML: {problem}") from problem
    if root.tag != "xml":
        raise BadEnvelope(f"the root is <{root.tag}>, not <xml>")
    return {child.tag: child.text or "" for child in root}


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


class Envelope:
    """Both directions for one account."""

    def __init__(self, app_id: str, token: str, aes_key: str) -> None:
        self.app_id, self.token = app_id, token
        self._key = base64.b64decode(aes_key + "=")

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:RANDOM_BYTES]))

    def encrypt(self, message: str, app_id: str | None = None) -> str:
        """The text of `Encrypt`."""
        inner = message.encode()
        plain = secrets.token_bytes(RANDOM_BYTES) + len(inner).to_bytes(LENGTH_BYTES, "big") + inner
        plain += (self.app_id if app_id is None else app_id).encode()
        fill = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()).decode()

    def decrypt(self, encrypted: str) -> str:
        """The message inside; BadEnvelope if length, filling or appid are wrong."""
        try:
            data = base64.b64decode(encrypted, validate=True)
        except ValueError as problem:
            raise BadEnvelope("Encrypt is no Base64") from problem
        if not data or len(data) % BLOCK:
            raise BadEnvelope(f"{len(data)} bytes are no multiple of {BLOCK}")
        decryptor = self._cipher().decryptor()
        plain = decryptor.update(data) + decryptor.finalize()
        fill = plain[-1]
        if not 1 <= fill <= BLOCK or plain[-fill:] != bytes([fill]) * fill:
            raise BadEnvelope("the filling is not PKCS#7 to blocks of 32")
        plain = plain[RANDOM_BYTES:-fill]
        end = LENGTH_BYTES + int.from_bytes(plain[:LENGTH_BYTES], "big")
        if plain[end:].decode("utf-8", "replace") != self.app_id:
            raise BadEnvelope("the appid is not ours")
        return plain[LENGTH_BYTES:end].decode()

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        return signature(self.token, timestamp, nonce, encrypted)

    def open_reply(self, body: str) -> dict[str, str]:
        """The fields of an encrypted passive reply, its signature checked."""
        outer = fields_of(body)
        missing = {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"} - outer.keys()
        if missing:
            raise BadEnvelope(f"the reply is without {', '.join(sorted(missing))}")
        right = self.sign(outer["TimeStamp"], outer["Nonce"], outer["Encrypt"])
        if not hmac.compare_digest(right, outer["MsgSignature"]):
            raise BadEnvelope("the reply's signature is wrong")
        return fields_of(self.decrypt(outer["Encrypt"]))
