"""Signing in: codes that work once, passwords that are refused, lines that calls go to, secrets that stay sealed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from pydantic import SecretStr, ValidationError

from api.agents import otp
from api.agents.passwords import common, expect_good, one_time_password
from api.agents.schemas import AgentOut
from api.agents.sealing import Broken, seal, unseal
from api.agents.steps import Underway, next_step
from api.agents.tables import Agent
from api.errors import Problem
from api.phones import normal_line
from api.settings import Settings, ensure_env_file

NOW = datetime(2026, 3, 4, 6, 0, 15, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def settings(**fields: Any) -> Settings:
    return Settings(home=Path("unused"), secret_key=SecretStr("one"), **fields)


def code(seconds: int = 0) -> str:
    return pyotp.TOTP(SECRET).at(NOW + timedelta(seconds=seconds))


def agent(**fields: Any) -> Agent:
    start: dict[str, Any] = {
        "id": "ag_1", "username": "mei", "role": "agent", "password_hash": "x", "totp_secret": "", "totp_step": 0,
        "recovery_codes": [], "must_change_password": False, "active": True,
    }  # fmt: skip
    return Agent(**(start | fields))


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_code_is_good_for_its_step_and_one_to_either_side(seconds: int, good: bool) -> None:
    assert (otp.step_of(SECRET, code(seconds), NOW, 0) is not None) is good


def test_a_code_and_those_before_it_are_taken_once() -> None:
    step = otp.step_of(SECRET, code(), NOW, 0)
    assert step == int(NOW.timestamp()) // 30
    assert otp.step_of(SECRET, code(), NOW, step) is None
    assert otp.step_of(SECRET, code(-30), NOW, step) is None
    assert otp.step_of(SECRET, code(30), NOW, step) == step + 1


@pytest.mark.parametrize("written", ["{0}{1}{2} {3}{4}{5}", " {0}{1}{2}{3}{4}{5} ", "{0}{1}{2}-{3}{4}{5}"])
def test_a_code_may_be_written_with_a_gap_or_in_full_width(written: str) -> None:
    digits = list(code())
    assert otp.step_of(SECRET, written.format(*digits), NOW, 0)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in digits)
    assert otp.step_of(SECRET, wide, NOW, 0)
    assert otp.step_of(SECRET, "", NOW, 0) is None


def test_a_second_factor_is_on_after_its_first_code_and_recovery_codes_work_once() -> None:
    desk, mei = settings(), agent()
    begun = otp.begin(desk, mei, NOW)
    secret = otp.secret_of(desk, mei, begun, NOW)
    assert otp.turn_on(desk, mei, begun, "000000" if pyotp.TOTP(secret).at(NOW) != "000000" else "1", NOW) is None
    assert not mei.second_factor
    codes = otp.turn_on(desk, mei, begun, pyotp.TOTP(secret).at(NOW), NOW)
    assert codes is not None
    assert len(set(codes)) == len(mei.recovery_codes) == 10
    assert secret not in mei.totp_secret
    assert not set(codes) & set(mei.recovery_codes)
    assert otp.take(desk, mei, pyotp.TOTP(secret).at(NOW), NOW) is None  # the enrolment took it
    assert otp.take(desk, mei, pyotp.TOTP(secret).at(NOW + timedelta(seconds=30)), NOW) == "code"
    assert otp.take(desk, mei, codes[3].upper().replace("-", " "), NOW) == "recovery"
    assert otp.take(desk, mei, codes[3], NOW) is None
    assert len(mei.recovery_codes) == 9
    lin = agent(id="ag_2", totp_secret=mei.totp_secret, recovery_codes=mei.recovery_codes)
    with pytest.raises(Problem, match="reset"):  # a row copied onto another agent is worth nothing
        otp.take(desk, lin, codes[4], NOW)


def test_an_enrolment_is_its_agents_own_and_does_not_last() -> None:
    desk, mei = settings(), agent()
    begun = otp.begin(desk, mei, NOW)
    with pytest.raises(Problem):
        otp.secret_of(desk, agent(id="ag_2"), begun, NOW)
    with pytest.raises(Problem):
        otp.secret_of(desk, mei, begun, NOW + timedelta(minutes=16))


def test_the_picture_carries_no_style() -> None:
    svg = otp.picture(SECRET, 'mei"><script>')
    assert svg.startswith("<svg")
    assert "style" not in svg
    assert "script" not in svg


def test_what_is_sealed_opens_with_its_own_key_and_purpose_only() -> None:
    text = seal(settings(), "one thing", ["a"], NOW)
    assert unseal(settings(), "one thing", text, NOW) == ["a"]
    other = Settings(home=Path("unused"), secret_key=SecretStr("another"))
    for desk, purpose in ((settings(), "another thing"), (other, "one thing")):
        with pytest.raises(Broken):
            unseal(desk, purpose, text, NOW)
    for broken in ("", "x", text[:-2], "ü"):
        with pytest.raises(Broken):
            unseal(settings(), "one thing", broken, NOW)
    with pytest.raises(RuntimeError, match="MAINSDESK_SECRET_KEY"):
        seal(Settings(home=Path("unused"), secret_key=SecretStr("")), "one thing", [], NOW)


@pytest.mark.parametrize(
    "password",
    ["short", "password", "PassWord123!", "12345678", "1qaz2wsx", "woaini520", "aaaaaaaaaa", "mei", "mei20261", "Mei!!",
     "mainsdesk2026", "9" * 201],
)  # fmt: skip
def test_a_password_that_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(Problem) as refused:
        expect_good(password, "mei")
    assert (refused.value.status, refused.value.type) == (422, "weak-password")


@pytest.mark.parametrize("password", ["correct horse", "battery staple", "电压不稳请稍等一下吧", "meixiansheng9"])
def test_others_are_taken(password: str) -> None:
    expect_good(password, "mei")
    expect_good(password, "mei@example.com")


def test_the_list_and_one_time_passwords() -> None:
    assert len(common()) >= 100
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        expect_good(password, "mei")


@pytest.mark.parametrize(
    ("agent_has", "way", "factor", "step"),
    [
        ({}, "password", False, "in"),
        ({"totp_secret": "s"}, "password", False, "otp"),
        ({"totp_secret": "s"}, "password", True, "in"),
        ({"totp_secret": "s", "must_change_password": True}, "password", False, "otp"),
        ({"totp_secret": "s", "must_change_password": True}, "password", True, "password"),
        ({"must_change_password": True}, "password", False, "password"),
        ({"must_change_password": True}, "oidc", False, "in"),
        ({"role": "admin"}, "password", False, "enrol"),
        ({"role": "admin", "must_change_password": True}, "password", False, "password"),
        ({"role": "admin"}, "oidc", False, "enrol"),
        ({"role": "admin"}, "oidc", True, "in"),
        ({"totp_secret": "s"}, "oidc", False, "otp"),
        ({"totp_secret": "s"}, "oidc", True, "in"),
    ],
)  # fmt: skip
def test_what_stands_between_the_proof_and_the_console(
    agent_has: dict[str, Any], way: Any, factor: bool, step: str
) -> None:
    assert (
        next_step(agent(**agent_has), Underway("ag_1", way, factor), settings(require_otp="supervisor, admin")) == step
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("138 1234 5678", "13812345678"),
        ("", ""),
        ("sip:mei@pbx.example.com", "sip:mei@pbx.example.com"),
        (" SIP:Mei.Li@PBX.Example.com:5060 ", "sip:Mei.Li@pbx.example.com:5060"),
        ("sip:mei@pbx.example.com;transport=TLS", "sip:mei@pbx.example.com;transport=tls"),
        ("sip:101@10.0.0.5", "sip:101@10.0.0.5"),
    ],
)
def test_a_line_is_a_number_or_a_sip_address(given: str, kept: str) -> None:
    assert normal_line(given) == kept


@pytest.mark.parametrize(
    "given",
    ["sip:mei", "sip:@host", "sip:mei@", "mei@host", "sips:mei@host", "sip:mei@host;maddr=elsewhere", "sip:mei@-host",
     "sip:me i@host", "sip:a<b@host", "sip:mei@host/x", "sip:a@b@host", "12", "abc", "javascript:alert(1)"],
)  # fmt: skip
def test_anything_else_is_none(given: str) -> None:
    with pytest.raises(ValueError, match=r"number|SIP"):
        normal_line(given)


def test_a_sip_address_is_masked_once() -> None:
    mei = agent(phone="sip:mei.li@pbx.example.com", languages=[], skills=[], name="", language="zh", capacity=5,
                presence="away", created_at=NOW)  # fmt: skip
    shown = AgentOut.model_validate(mei)
    assert shown.phone == "sip:m***@pbx.example.com"
    assert AgentOut.model_validate(shown.model_dump()).phone == shown.phone


OIDC: dict[str, Any] = {
    "oidc_issuer": "https://id.example.com",
    "oidc_client_id": "desk",
    "oidc_client_secret": "s3cr3t-of-ours",
    "public_url": "https://desk.example.com",
}


@pytest.mark.parametrize("name", OIDC)
def test_half_an_openid_provider_does_not_start(name: str) -> None:
    assert Settings.model_validate(OIDC).oidc_on
    with pytest.raises(
        ValidationError, match=f"OpenID Connect is configured by half; missing: MAINSDESK_{name.upper()}"
    ):
        Settings.model_validate({key: value for key, value in OIDC.items() if key != name})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (OIDC | {"oidc_issuer": "http://id.example.com"}, "MAINSDESK_OIDC_ISSUER must be an https URL"),
        (OIDC | {"oidc_client_secret": "changeme"}, "placeholder"),
        ({"require_otp": "admin,boss"}, "MAINSDESK_REQUIRE_OTP names no role: boss"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate(wrong)


def test_a_home_of_an_earlier_version_gets_the_new_secret(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAINSDESK_SERVICE_TOKEN=kept\n")
    assert ensure_env_file(tmp_path)
    lines = (tmp_path / ".env").read_text().splitlines()
    assert lines[0] == "MAINSDESK_SERVICE_TOKEN=kept"
    assert any(line.startswith("MAINSDESK_SECRET_KEY=") and len(line) > 50 for line in lines)
