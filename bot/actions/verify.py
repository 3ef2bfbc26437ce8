"""Proving that an account is one's own: number, then a second factor held on file.

Offered to everybody alike: asking only debtors would tell who is one. What fails is told in one and the same sentence.
"""

import re
from datetime import UTC, datetime

from bot.actions.desk import DeskRefused, Json
from bot.actions.journey import Journey
from bot.actions.known import recognise
from bot.actions.times import parse_time, spoken_time
from bot.actions.turn import Option, Turn
from bot.nlu.numbers import digits_for_words
from bot.nlu.text import normalise

SKIP = Option("skip", "不核对了", "Skip this")
_SKIPS = re.compile(
    r"不(?:想|愿意?|方便|肯)(?:说|给|提供|告诉|透露)|不说|不给|不告诉|不(?:想|用|要|愿意)?(?:核对|验证)|跳过|算了|没有户号|(?:手头|手边|身边)(?:没|没有)|没带|不记得|不知道|记不"
    r"|忘了|找不到|不方便"
    r"|skip|don['’]?t (?:have|know|remember|want)|no account|\bwon['’]?t (?:say|give|tell)|not telling"
    r"|can['’]?t find|\blost\b|forg[oe]t|not now|later"
    r"|rather not",
    re.IGNORECASE,
)
_ASKS_AGAIN = re.compile(r"核对|核实|户号|\bverify\b|\bcheck\b", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<!\d)\d{8,13}(?!\d)")
_FACTOR = re.compile(r"[0-9Xx][0-9Xx\s-]{4,}[0-9Xx]")
#: A factor is asked for again once, then the matter is let go.
MOST_TRIES = 3


class VerifySteps(Journey):
    """A journey that may use an account. Calls `verified` or `not_verified`."""

    async def verified(self, turn: Turn, account: Json) -> None:
        raise NotImplementedError

    async def not_verified(self, turn: Turn) -> None:
        raise NotImplementedError

    def keeps(self, turn: Turn) -> bool:
        asked = (turn.step or "").startswith("verify")
        meant = any(c.isdigit() for c in turn.words) or bool(_ASKS_AGAIN.search(turn.words))
        meant = meant or bool(_SKIPS.search(turn.words))
        beside = turn.step == "verify_factor" and turn.intent in ("make_complaint", "ask_bill", "bot_challenge")
        return (asked and (meant or beside)) or super().keeps(turn)

    async def need_account(self, turn: Turn) -> None:
        """Use the account already verified in this conversation, else ask for its number."""
        account = await own_account(turn)
        if account is not None:
            await self._proved(turn, account)
            return
        number = _account_in(turn)
        if number:
            turn.memory["account_number"] = number
            turn.ask("verify_factor", "utter_ask_factor", [SKIP])
        else:
            turn.ask("verify_account", "utter_ask_account", [SKIP])

    async def _proved(self, turn: Turn, account: Json) -> None:
        """Whoever is known need not tell again what they told on another channel."""
        await recognise(turn, account)
        await self.verified(turn, account)

    async def answer_verify_account(self, turn: Turn) -> None:
        number = _account_in(turn)
        if number:
            turn.memory["account_number"] = number
            turn.ask("verify_factor", "utter_ask_factor", [SKIP])
        elif turn.option == "skip" or turn.no or _SKIPS.search(turn.words) or turn.slots["misses"]:
            # Whoever answers something else twice is not held up here: what they say may answer the next question.
            await self.not_verified(turn)
        elif turn.yes or _ASKS_AGAIN.search(turn.words):
            turn.ask_again()
        else:
            await self.misunderstood(turn)

    async def answer_verify_factor(self, turn: Turn) -> None:
        match = _FACTOR.search(_in_digits(turn.words))
        if turn.option == "skip" or turn.no or (not match and _SKIPS.search(turn.words)):
            await self.not_verified(turn)
            return
        if not match:
            await self.misunderstood(turn)
            return
        factor = str(turn.entity("phone") or re.sub(r"[\s-]", "", match.group()))
        try:
            answer = await turn.desk.post(
                f"{turn.desk.own}/verification",
                {"account_number": turn.memory.get("account_number", ""), "factor": factor},
            )
        except DeskRefused as refusal:
            if refusal.type != "locked":
                raise
            until = parse_time(refusal.problem.get("until"))
            turn.say(
                "utter_verification_locked",
                until=spoken_time(until, datetime.now(UTC)) if until else {"zh": "稍后", "en": "later"},
            )
            await self.not_verified(turn)
            return
        account = await own_account(turn) if answer.get("verified") else None
        if account is not None:
            await self._proved(turn, account)
            return
        turn.memory["verify_tries"] = turn.memory.get("verify_tries", 0) + 1
        if turn.memory["verify_tries"] >= MOST_TRIES:
            turn.say("utter_not_verified")
            await self.not_verified(turn)
        else:
            turn.ask("verify_account", "utter_verify_again", [SKIP])


async def own_account(turn: Turn) -> Json | None:
    """The account verified in this conversation, or None where there is none (any more)."""
    try:
        return await turn.desk.get(f"{turn.desk.own}/account")
    except DeskRefused as refusal:
        if refusal.type == "not-verified":
            return None
        raise


def _in_digits(words: str) -> str:
    """The words with spoken digits as digits, 叉 as the X that an identity number may end in."""
    plain = digits_for_words(normalise(re.sub(r"[叉乂]", "x", words))).text
    return re.sub(r"(?<=\d)[\s-]+x\b", "x", plain).upper()


def _account_in(turn: Turn) -> str | None:
    number = turn.entity("account")
    if turn.entity("phone") and not number:
        return None
    match = _ACCOUNT.search(re.sub(r"(?<=\d)[\s-](?=\d)", "", turn.words))
    return str(number) if number else match.group() if match else None
