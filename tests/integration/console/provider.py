"""An OpenID provider at the edge: real keys and signatures, answers that a test can spoil."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ISSUER = "https://id.example.com"
CLIENT, SECRET = "desk", "s3cr3t:of ours"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"


class FakeProvider:
    """Signs in whoever `claims` says. `asked` holds the last address that the browser was sent to."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.published = [self.key]
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.description: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.signing: Any = self.key
        self.spoil: Callable[[str], str] = lambda token: token
        self.asked: dict[str, str] = {}
        self.down, self.calls = False, list[str]()

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def approve(self, address: str) -> dict[str, str]:
        """The person signs in: the parameters that the browser brings back."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        return {"state": self.asked["state"], "code": "the-code", "iss": ISSUER}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.calls.append(url)
        if self.down:
            raise httpx.ConnectError("down")
        if url == DISCOVERY:
            return httpx.Response(200, json=self._described())
        if url == f"{ISSUER}/keys":
            return httpx.Response(200, json=KeySet(self.published).as_dict(private=False))
        if url == f"{ISSUER}/userinfo" and request.headers["authorization"] == "Bearer access":
            return httpx.Response(200, json=self.userinfo)
        if url == f"{ISSUER}/token" and request.method == "POST":
            return self._granted(request)
        return httpx.Response(404)

    def _described(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorise?tenant=1",
            "token_endpoint": f"{ISSUER}/token",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "jwks_uri": f"{ISSUER}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        } | self.description

    def _granted(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        )
        credentials = base64.b64encode(b"desk:s3cr3t%3Aof%20ours").decode()
        fits = (
            request.headers.get("authorization") == f"Basic {credentials}"
            and form["grant_type"] == "authorization_code"
            and form["code"] == "the-code"
            and form["redirect_uri"] == self.asked["redirect_uri"]
            and challenge == self.asked["code_challenge"]
        )
        if not fits:
            return httpx.Response(400, json={"error": "invalid_grant"})
        return httpx.Response(200, json={"access_token": "access", "token_type": "Bearer", "id_token": self.id_token()})

    def id_token(self) -> str:
        now = int(self.clock().timestamp())
        claims = {
            "iss": ISSUER, "sub": "subject-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": self.asked["nonce"]
        }  # fmt: skip
        claims = {name: value for name, value in (claims | self.claims).items() if value is not None}
        if self.header["alg"] in ("none", "HS256"):
            return self._unsound(claims)
        return self.spoil(jwt.encode(self.header, claims, self.signing, [self.header["alg"]]))

    def _unsound(self, claims: dict[str, Any]) -> str:
        """Without a signature, or signed with what everybody knows: the public key as the secret of an HMAC."""
        parts = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (self.header, claims))
        signed = b".".join(part.rstrip(b"=") for part in parts)
        signature = (
            hmac.digest(self.key.as_pem(private=False), signed, "sha256") if self.header["alg"] == "HS256" else b""
        )
        return f"{signed.decode()}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
