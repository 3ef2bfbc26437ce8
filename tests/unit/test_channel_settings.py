"""A vendor's channel has all of its secrets, each a real one, or none: nothing half-configured starts."""

import pytest
from pydantic import ValidationError

from api.settings import Settings

WECHAT = {
    "wechat_app_id": "wx0123456789",
    "wechat_app_secret": "s3cr3t-of-the-account",
    "wechat_token": "callbacktoken",
    "wechat_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}
VOICE = {
    "twilio_account_sid": "AC00000000000000000000000000000001",
    "twilio_auth_token": "t0ken-of-the-account",
    "public_url": "https://desk.example.com",
}


def test_without_secrets_the_channels_are_off() -> None:
    settings = Settings()
    assert (settings.wechat_on, settings.voice_on) == (False, False)
    # The page's own address says nothing about the telephone.
    assert not Settings(public_url="https://desk.example.com").voice_on


@pytest.mark.parametrize("given", [WECHAT, VOICE])
def test_with_all_of_them_it_is_on(given: dict[str, str]) -> None:
    settings = Settings.model_validate(given)
    assert (settings.wechat_on, settings.voice_on) == (given is WECHAT, given is VOICE)


@pytest.mark.parametrize(("whole", "missing"), [(s, name) for s in (WECHAT, VOICE) for name in s])
def test_half_a_channel_names_what_is_missing(whole: dict[str, str], missing: str) -> None:
    with pytest.raises(ValidationError, match=f"by half; missing: MAINSDESK_{missing.upper()}"):
        Settings.model_validate(whole | {missing: ""})


def test_a_number_alone_is_half_a_telephone() -> None:
    with pytest.raises(ValidationError, match="missing: MAINSDESK_TWILIO_ACCOUNT_SID, MAINSDESK_TWILIO_AUTH_TOKEN"):
        Settings(twilio_from="+8602362800000")


@pytest.mark.parametrize("placeholder", ["changeme", "CHANGE_ME", "secret", "<secret>", "password"])
@pytest.mark.parametrize(("whole", "name"), [(WECHAT, "wechat_app_secret"), (VOICE, "twilio_auth_token")])
def test_a_placeholder_is_no_secret(whole: dict[str, str], name: str, placeholder: str) -> None:
    with pytest.raises(ValidationError, match=f"placeholder where its secret should be: MAINSDESK_{name.upper()}"):
        Settings.model_validate(whole | {name: placeholder})


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"wechat_aes_key": "tooshort"}, "WECHAT_AES_KEY"), ({"public_url": "desk.example.com"}, "PUBLIC_URL")],
)
def test_a_value_of_another_shape_is_named(wrong: dict[str, str], name: str) -> None:
    with pytest.raises(ValidationError, match=f"MAINSDESK_{name} must be"):
        Settings.model_validate(WECHAT | wrong)
