"""A translator over HTTP, as docs/translation.md tells how to write one."""

from typing import Any

import httpx

from api.translation.base import Kind, Language, Refused, Translation


class Acme:
    """Acme's translation API: POST /v1/translate {"text", "from", "to"} → {"result"}."""

    name = "acme"
    kind: Kind = "machine"

    def __init__(self, base: str, key: str, **client: Any) -> None:
        self._client = httpx.AsyncClient(base_url=base, headers={"X-Api-Key": key}, timeout=10, **client)

    async def translate(self, text: str, source: Language, target: Language) -> Translation:
        answer = await self._client.post("/v1/translate", json={"text": text, "from": source, "to": target})
        if answer.status_code in (401, 402, 403, 429):
            raise Refused(f"status {answer.status_code}")
        answer.raise_for_status()
        return Translation("machine", self.name, str(answer.json()["result"]))

    async def close(self) -> None:
        await self._client.aclose()
