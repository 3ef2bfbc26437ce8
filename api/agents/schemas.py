"""What goes in and out of `/api/v1/agents`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from api.phones import Phone
from api.privacy import mask_phone

GivenPhone = Annotated[Phone, StringConstraints(max_length=40)]


def _masked(phone: str) -> str:
    """Masked once: an answer that is kept for its idempotency key is read again."""
    return phone if "*" in phone else mask_phone(phone)


Role = Literal["agent", "supervisor", "dispatcher", "admin"]
Username = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[\w.@-]+$", min_length=1, max_length=60)
]
#: NIST SP 800-63B: length is what counts; an upper bound, since hashing takes the longer the more there is.
NewPassword = Annotated[SecretStr, Field(min_length=8, max_length=200)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=200)]


class NewAgent(BaseModel):
    username: Username
    password: NewPassword
    role: Role = "agent"
    languages: Annotated[list[Literal["zh", "en"]], Field(max_length=2)] = ["zh"]
    skills: Annotated[list[Annotated[str, StringConstraints(max_length=40)]], Field(max_length=20)] = []
    #: Where calls are put through to.
    phone: GivenPhone = ""
    #: True where the password is only for the first sign-in.
    must_change_password: bool = False


class AgentChange(BaseModel):
    """What may change; a field that is left out stays. An empty phone: calls are not put through any more."""

    model_config = ConfigDict(extra="forbid")

    phone: GivenPhone | None = None


class AgentOut(BaseModel):
    """`phone` is masked."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    username: str
    role: Role
    languages: list[str]
    skills: list[str]
    phone: Annotated[str, AfterValidator(_masked)]
    created_at: datetime


class Login(BaseModel):
    """`otp` is kept for accounts that will need one; none does yet."""

    username: Username
    password: Password
    otp: Annotated[str, StringConstraints(max_length=10)] | None = None


class LoggedIn(BaseModel):
    token: str
    role: Role


class PasswordChange(BaseModel):
    """Works without a token: who has to change the password cannot sign in yet."""

    username: Username
    password: Password
    new_password: NewPassword


class Done(BaseModel):
    done: bool = True
