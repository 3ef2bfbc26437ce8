"""Signing in by an OpenID provider: authorisation code with PKCE, the ID token checked (OpenID Connect Core 3.1.3.7).

The provider says who somebody is; who may work here, and as what, stays with our agents' rows.
"""

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import structlog
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.service import agent_named
from api.agents.tables import Agent
from api.audit.service import record
from api.errors import Problem
from api.outbox.vendor import open_client
from api.settings import Settings

log = structlog.get_logger(__name__)

#: Seconds: between fetching the provider's description anew, and by which clocks may differ.
KEPT, LEEWAY = 3600.0, 60
#: Signatures by a key that only the provider has: neither `none` nor HMAC.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
CALLBACK = "/console/oidc/callback"
REFUSED = Problem(401, "oidc-refused", "The provider's answer is not valid.")
UNAVAILABLE = Problem(503, "oidc-unavailable", "The OpenID provider does not answer as it should.")
UNKNOWN = Problem(403, "oidc-unknown", "No agent belongs to this identity.")


@dataclass(frozen=True)
class Begun:
    """What the answer must fit; kept by the browser, sealed."""

    state: str
    nonce: str
    verifier: str

    @staticmethod
    def new() -> "Begun":
        return Begun(*(secrets.token_urlsafe(32) for _ in range(3)))


@dataclass(frozen=True)
class Identity:
    """Who the provider says it is. `email` only where verified; `strong` where it asked for several factors."""

    subject: str
    email: str = ""
    strong: bool = False


class Provider:
    """One OpenID provider, described by its discovery document, which is fetched when it is first needed."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings, self._transport = settings, transport
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._fetched = 0.0

    @property
    def redirect_uri(self) -> str:
        return self._settings.public_url.rstrip("/") + CALLBACK

    async def address(self, begun: Begun) -> str:
        """Where to send the browser."""
        metadata = await self._described()
        query = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid email",
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": create_s256_code_challenge(begun.verifier),
            "code_challenge_method": "S256",
        }
        address = str(metadata["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    async def identity(self, code: str, begun: Begun, now: datetime) -> Identity:
        """Redeem a code and check the ID token. Problem 401 `oidc-refused`, 503 `oidc-unavailable`."""
        metadata = await self._described()
        granted = await self._redeem(metadata, code, begun)
        try:
            claims = await self._claims(metadata, granted, begun.nonce, now)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("oidc.refused", reason=type(error).__name__)
            raise REFUSED from error
        if self._settings.oidc_link_by_email and "email" not in claims and "userinfo_endpoint" in metadata:
            said = await self._asked(
                "GET",
                metadata["userinfo_endpoint"],
                headers={"Authorization": f"Bearer {granted.get('access_token', '')}"},
            )
            if said.get("sub") == claims["sub"]:
                claims = {**said, **claims}
        verified = claims.get("email_verified") is True
        methods = claims.get("amr") or []
        return Identity(str(claims["sub"]), str(claims.get("email", "")) if verified else "", "mfa" in methods)

    async def _redeem(self, metadata: dict[str, Any], code: str, begun: Begun) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": begun.verifier,
        }
        name, secret = self._settings.oidc_client_id, self._settings.oidc_client_secret.get_secret_value()
        auth = None
        if "client_secret_basic" in metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            auth = httpx.BasicAuth(quote(name, safe=""), quote(secret, safe=""))
        else:
            form |= {"client_id": name, "client_secret": secret}
        return await self._asked("POST", metadata["token_endpoint"], data=form, auth=auth, refusable=True)

    async def _claims(
        self, metadata: dict[str, Any], granted: dict[str, Any], nonce: str, now: datetime
    ) -> dict[str, Any]:
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        algorithms = [name for name in ALGORITHMS if name in offered]
        try:
            token = jwt.decode(granted["id_token"], await self._key_set(metadata), algorithms)
        except InvalidKeyIdError:  # the provider has changed its keys
            token = jwt.decode(granted["id_token"], await self._key_set(metadata, anew=True), algorithms)
        options = {
            "iss": {"essential": True, "value": self._settings.oidc_issuer},
            "aud": {"essential": True, "value": self._settings.oidc_client_id},
        }
        params = {
            "nonce": nonce,
            "client_id": self._settings.oidc_client_id,
            "access_token": granted.get("access_token"),
        }
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        return dict(claims)

    async def _described(self) -> dict[str, Any]:
        """The provider's own description, which must name the issuer that was configured."""
        if not self._metadata or time.monotonic() - self._fetched > KEPT:
            issuer = self._settings.oidc_issuer
            metadata = await self._asked("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if metadata.get("issuer") != issuer or not all(isinstance(metadata.get(name), str) for name in needed):
                log.error("oidc.wrong_description", issuer=issuer)
                raise UNAVAILABLE
            self._metadata, self._keys, self._fetched = metadata, None, time.monotonic()
        return self._metadata

    async def _key_set(self, metadata: dict[str, Any], *, anew: bool = False) -> KeySet:
        if self._keys is None or anew:
            self._keys = KeySet.import_key_set(await self._asked("GET", metadata["jwks_uri"]))  # type: ignore[arg-type]
        return self._keys

    async def _asked(self, method: str, url: str, *, refusable: bool = False, **options: Any) -> dict[str, Any]:
        """The JSON that the provider answers. A code that it does not take is a refusal, all else its failure."""
        try:
            async with open_client(self._settings.oidc_issuer, transport=self._transport) as client:
                answer = await client.request(method, url, **options)
            if refusable and 400 <= answer.status_code < 500:
                log.warning("oidc.code_refused", status=answer.status_code)
                raise REFUSED
            found = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            log.error("oidc.unavailable", reason=type(error).__name__)
            raise UNAVAILABLE from error
        if not isinstance(found, dict):
            raise UNAVAILABLE
        return found


def subject_hash(issuer: str, subject: str) -> str:
    """How an identity is kept: another provider's same `sub` is another identity."""
    return hashlib.sha256(f"{issuer} {subject}".encode()).hexdigest()


async def agent_of(session: AsyncSession, settings: Settings, identity: Identity, now: datetime) -> Agent:
    """The active agent with this identity; Problem 403 `oidc-unknown`. Never creates one.

    Where the setting allows it, an identity that is nobody's yet is linked, once, to the agent who has no identity and
    whose username is the verified e-mail address.
    """
    subject = subject_hash(settings.oidc_issuer, identity.subject)
    agent = (await session.scalars(select(Agent).where(Agent.oidc_subject == subject))).one_or_none()
    if agent is None and settings.oidc_link_by_email and identity.email:
        agent = await agent_named(session, identity.email.lower())
        if agent is not None and agent.active:
            if agent.oidc_subject is not None:
                raise UNKNOWN
            agent.oidc_subject = subject
            await session.flush()
            record(session, f"agent:{agent.id}", "agent.linked", f"agent:{agent.id}", now)
    if agent is None or not agent.active:
        raise UNKNOWN
    return agent
