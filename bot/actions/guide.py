"""The interpreter that runs any guide of bot/data/guides, and keeps what was tried for the ticket."""

import re

from bot.actions.guides import GuideOption, Step, guide_named
from bot.actions.journey import Journey, begin
from bot.actions.turn import Option, Turn

_UNSURE = re.compile(
    r"不知道|不清楚|不会|不懂|不敢|看不懂|找不到|怕|不确定|没法看|看不到|搞不懂|晓不得"
    r"|don'?t know|not sure|unsure|no idea|can'?t (?:see|find|tell|reach)|afraid|scared|dare|how do i",
    re.IGNORECASE,
)


class GuideSteps(Journey):
    """A journey that runs guides. Calls `guide_ended` with the last step."""

    async def guide_ended(self, turn: Turn, step: Step) -> None:
        raise NotImplementedError

    async def fact(self, turn: Turn, name: str) -> str:
        """The value of a fact that a guide fetches; `unknown` where it cannot be had."""
        return "unknown"

    def keeps(self, turn: Turn) -> bool:
        if turn.step == "guide" and _chosen(turn, guide_named(turn.memory["guide"]).steps[turn.memory["guide_step"]]):
            return True
        return super().keeps(turn)

    async def run_guide(self, turn: Turn, name: str) -> None:
        """Start the guide at its first step."""
        turn.memory["guide"] = name
        turn.memory.setdefault("tried", [])
        await self._enter(turn, guide_named(name).start, heard=True)

    async def answer_guide(self, turn: Turn) -> None:
        """Take the reply to the guide's present question."""
        name = turn.memory["guide_step"]
        step = guide_named(turn.memory["guide"]).steps[name]
        chosen = _chosen(turn, step)
        if chosen is None:
            await self.misunderstood(turn)
            return
        answer, follower = chosen
        turn.memory["tried"].append({"guide": turn.memory["guide"], "step": name, "answer": answer})
        await self._enter(turn, follower)

    async def _enter(self, turn: Turn, name: str, *, heard: bool = False) -> None:
        """Go to a step. `heard`: this message may hold the answer already ("the water is yellow"), then do not ask."""
        guide = guide_named(turn.memory["guide"])
        step = guide.steps[name]
        turn.memory["guide_step"] = name
        if step.say:
            turn.tell(step.say.both[turn.language])
        if step.fetch:
            value = await self.fact(turn, step.fetch)
            turn.memory["tried"].append({"guide": guide.guide, "step": name, "answer": value})
            await self._enter(turn, step.cases.get(value, step.cases["else"]), heard=heard)
        elif step.ask and heard and (said := _said(turn.words, step)):
            turn.memory["tried"].append({"guide": guide.guide, "step": name, "answer": said.id})
            await self._enter(turn, said.next)
        elif step.ask:
            turn.ask_text("guide", step.ask.both, [Option(o.id, o.label.zh, o.label.en) for o in step.options])
        elif step.end == "person":
            await begin(turn, "human", reason=f"guide:{guide.guide}")
        else:
            await self.guide_ended(turn, step)


def _said(words: str, step: Step) -> GuideOption | None:
    """The option whose words are in a message."""
    return next((o for o in step.options if any(re.search(p, words, re.IGNORECASE) for p in o.words)), None)


def _chosen(turn: Turn, step: Step) -> tuple[str, str] | None:
    """(answer, next step): the option chosen, meant by its words, or by a plain yes or no; else unsure; else None."""
    for option in step.options:
        if turn.option == option.id:
            return option.id, option.next
    if turn.option is not None:
        return None
    said = _said(turn.words, step)
    if said is not None:
        return said.id, said.next
    if _UNSURE.search(turn.words) and step.unsure:
        return "unsure", step.unsure
    for option in step.options:
        if (option.means == "yes" and turn.yes) or (option.means == "no" and turn.no):
            return option.id, option.next
    return None
