"""What goes in and out of `/api/v1/agents`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from api.phones import Line, is_sip
from api.privacy import mask_phone

#: A telephone number, or `sip:name@host`.
GivenPhone = Annotated[Line, StringConstraints(max_length=120)]


def _masked(phone: str) -> str:
    """Masked once: an answer that is kept for its idempotency key is read again."""
    if "*" in phone:
        return phone
    if is_sip(phone):
        user, _, host = phone.removeprefix("sip:").partition("@")
        return f"sip:{user[:1]}***@{host}"
    return mask_phone(phone)


def _encodable(password: SecretStr) -> SecretStr:
    """JSON can say half of a surrogate pair, which no hash can be made of."""
    try:
        password.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("not a text") from None
    return password


Role = Literal["agent", "supervisor", "dispatcher", "admin"]
Username = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[\w.@-]+$", min_length=1, max_length=60)
]
#: NIST SP 800-63B: length is what counts; an upper bound, since hashing takes the longer the more there is.
NewPassword = Annotated[SecretStr, Field(min_length=8, max_length=200), AfterValidator(_encodable)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=200), AfterValidator(_encodable)]
#: Six digits, or a recovery code.
Otp = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)]
Language = Literal["zh", "en"]
Presence = Literal["available", "busy", "away"]
Languages = Annotated[list[Language], Field(max_length=2)]
#: `power`, `water`, `complaint` are what conversations ask for; others may be kept.
Skills = Annotated[
    list[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]], Field(max_length=20)
]
#: What colleagues read; the username where it is empty.
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
#: Conversations at a time.
Capacity = Annotated[int, Field(ge=0, le=50)]


class NewAgent(BaseModel):
    username: Username
    password: NewPassword
    role: Role = "agent"
    languages: Languages = ["zh"]
    skills: Skills = []
    name: Name = ""
    #: Of the console's pages.
    language: Language = "zh"
    capacity: Capacity = 5
    #: Where calls are put through to.
    phone: GivenPhone = ""
    #: Whether the password is only for the first sign-in; left out: yes by an admin's token, no by the service token.
    must_change_password: bool | None = None


class AgentChange(BaseModel):
    """What may change; a field that is left out stays. An empty phone: calls are not put through any more.

    `presence` is one's own only. `phone`, `language` and `presence` are one's own to change, the rest an admin's.
    `password`: one for a colleague's next sign-in, who then chooses another; that agent's sign-ins end.
    """

    model_config = ConfigDict(extra="forbid")

    phone: GivenPhone | None = None
    name: Name | None = None
    role: Role | None = None
    languages: Languages | None = None
    skills: Skills | None = None
    language: Language | None = None
    capacity: Capacity | None = None
    active: bool | None = None
    presence: Presence | None = None
    password: NewPassword | None = None


class AgentOut(BaseModel):
    """`phone` is masked."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    username: str
    role: Role
    languages: list[str]
    skills: list[str]
    phone: Annotated[str, AfterValidator(_masked)]
    name: str
    language: Language
    active: bool
    capacity: int
    presence: str
    second_factor: bool
    created_at: datetime


class Login(BaseModel):
    """`otp`: the code of the second factor, or a recovery code, where the agent has one."""

    username: Username
    password: Password
    otp: Otp | None = None


class LoggedIn(BaseModel):
    token: str
    role: Role


class PasswordChange(BaseModel):
    """Works without a token: who has to change the password cannot sign in yet."""

    username: Username
    password: Password
    new_password: NewPassword
    otp: Otp | None = None


class Done(BaseModel):
    done: bool = True


class PresenceChange(BaseModel):
    """Whether conversations may come to the agent; left out, it stays as it is."""

    presence: Presence | None = None


class Present(Done):
    """`conversations`: how many are his, told where he said something new: who goes away keeps them."""

    presence: str
    conversations: int
