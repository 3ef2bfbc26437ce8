"""A sign-in on its way through the console's pages: what is proved, sealed, and what comes next.

Until its last step there is no sign-in that anything could be done with; each step's page brings the seal back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.sealing import Broken, seal, unseal
from api.agents.tables import Agent
from api.errors import Problem
from api.privacy import keyed_hash
from api.settings import Settings

#: Seconds between giving the password and the last step.
LASTS = 600
_PURPOSE = "sign-in steps"
Way = Literal["password", "oidc"]
Step = Literal["otp", "password", "enrol", "in"]
EXPIRED = Problem(401, "sign-in-expired", "This took too long; please sign in again.")


@dataclass(frozen=True)
class Underway:
    """An agent who gave the password, or whom the provider vouches for; `factor`: a second one was given, too."""

    agent_id: str
    way: Way
    factor: bool = False


def next_step(agent: Agent, underway: Underway, settings: Settings) -> Step:
    """What stands between the agent and the console: code, forced change of password, setting up a second factor."""
    if agent.totp_secret and not underway.factor:
        return "otp"
    if agent.must_change_password and underway.way == "password":
        return "password"
    if agent.role in settings.otp_roles and not agent.totp_secret and not underway.factor:
        return "enrol"
    return "in"


def _state(settings: Settings, agent: Agent) -> str:
    """Changes with whatever the steps are about: a seal is good for the state it was made in."""
    parts = (agent.password_hash, agent.totp_secret, str(agent.must_change_password), agent.role, str(agent.active))
    return keyed_hash(settings.secret_key.get_secret_value(), *parts)


def sealed(settings: Settings, agent: Agent, underway: Underway, now: datetime) -> str:
    """What the next step's page carries."""
    content = [agent.id, underway.way, underway.factor, _state(settings, agent)]
    return seal(settings, _PURPOSE, content, now)


async def opened(
    session: AsyncSession, settings: Settings, text: str, now: datetime, *, alone: bool = False
) -> tuple[Agent, Underway]:
    """Whose sign-in it is and how far; Problem 401 `sign-in-expired`. `alone`: the agent's row is locked."""
    try:
        agent_id, way, factor, state = unseal(settings, _PURPOSE, text, now, LASTS)
    except Broken as error:
        raise EXPIRED from error
    agent = await session.get(Agent, agent_id, with_for_update=alone)
    if agent is None or not agent.active or _state(settings, agent) != state:
        raise EXPIRED
    return agent, Underway(agent_id, way, factor)
