"""The interpreter that runs any guide of bot/data/guides, and keeps what was tried for the ticket."""

import re

from bot.actions.guides import GuideOption, Step, guide_named
from bot.actions.journey import Journey, begin
from bot.actions.spoken import of_guide
from bot.actions.turn import Option, Turn

_UNSURE = re.compile(
    r"不(?:太|大|很|是很)?(?:知道|清楚|会|懂|敢|晓得|确定|认得|认识|明白)|晓不得|[看找够摸]不(?:懂|到|着|见|清)|怕"
    r"|没法|弄不|搞不|整不|说不"
    r"|唔(?:知|识|敢)|太黑|太高|年纪大|眼睛不|腿脚不|不方便|没(?:看|敢|试|注意|留意)|还没|拧不|拆不|打不开|闻不"
    r"|尝不|随便|你看"
    r"|don'?t (?:really )?(?:know|understand|dare|want to)|dunno|not sure|unsure|no idea|no clue|can(?:'t|not"
    r"|t) (?:see|find|tell|reach|say)"
    r"|couldn'?t (?:find|tell|see)|afraid|scared|dare|how do i|where is|what is (?:a|the|that)|too (?:dark|high"
    r"|old)|haven'?t (?:looked|checked)"
    r"|didn'?t (?:look|check|dare)|confus|don'?t (?:feel|like)|can'?t (?:unscrew|get|open|turn|climb)|whatever"
    r"|up to you",
    re.IGNORECASE,
)
#: Not knowing governs what follows it, so that the words of an option mean nothing there.
_UNSURE_OF = re.compile(
    r"(?:不(?:太|大)?(?:知道|清楚|晓得|确定|会|懂)|晓不得|看不(?:懂|清|出)|唔知|分不清|怎么(?:看|弄|判断))"
    r".{0,6}(?:是不是|有没有|算不算|跳没跳|没有跳|哪|怎么|什么|还是|几|看)"
    r"|^(?:我|也|还|真的?)*(?:不(?:太|大|是很)?(?:知道|清楚|确定|晓得)|看不清楚?|没(?:看|注意|留意|试)过?)\W*$"
    r"|^(?:i'?m |i |really |sorry,? )*(?:not sure|no idea|no clue|unsure|don'?t know)\W*$"
    r"|联系不上|打不通|没人(?:接|理|应)|(?:nobody|no one) (?:answers|picks|is there|there)"
    r"|不敢|唔敢|(?:不会|看不懂|认不得|弄不来|搞不来|整不来)(?:$|[，,。的了弄看]|啊|呀|嘛)"
    r"|(?:don'?t know|not sure|no idea|unsure|can'?t tell|couldn'?t tell|can'?t say) (?:if|whether|which|what|where"
    r"|how|about)"
    r"|\b(?:afraid|scared|too scared|don'?t dare|wouldn'?t dare)\b(?! it)|can(?:'t|not) (?:find|reach) (?:it|them"
    r"|the (?!card)|that|any)"
    r"|what (?:is|does) (?:a|the|that|it)\b.{0,40}\?$|where is|how do i",
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
            turn.tell(step.say.on(voice=turn.voice)[turn.language])
        if step.fetch:
            value = await self.fact(turn, step.fetch)
            turn.memory["tried"].append({"guide": guide.guide, "step": name, "answer": value})
            await self._enter(turn, step.cases.get(value, step.cases["else"]), heard=heard)
        elif step.ask and heard and (said := _said(_heard(turn), step)):
            turn.memory["tried"].append({"guide": guide.guide, "step": name, "answer": said.id})
            await self._enter(turn, said.next)
        elif step.ask:
            # On the telephone yes comes first: there 1 is yes.
            options = sorted(step.options, key=lambda o: o.means != "yes") if turn.voice else step.options
            turn.ask_text(
                "guide",
                step.ask.on(voice=turn.voice),
                [Option(o.id, o.label.zh, o.label.en) for o in options],
                expects=of_guide([o.means for o in options]),
            )
        elif step.end == "person":
            await begin(turn, "human", reason=f"guide:{guide.guide}")
        else:
            await self.guide_ended(turn, step)


def _heard(turn: Turn) -> str:
    """This message, and what was said for this journey before it was taken up."""
    return " ".join([*(turn.memory.get("said", []) if turn.memory.get("resumed") else []), turn.words])


def _said(words: str, step: Step) -> GuideOption | None:
    """The option whose words are in a message."""
    return next((o for o in step.options if any(re.search(p, words, re.IGNORECASE) for p in o.words)), None)


def choose(step: Step, words: str, option: str | None, *, yes: bool, no: bool) -> tuple[str, str] | None:
    """(answer, next step): the option chosen, meant by its words, or by a plain yes or no; else unsure; else None.

    Not knowing whether, or not daring to, comes before the words it is about ("不知道有没有跳闸").
    """
    for candidate in step.options:
        if option == candidate.id:
            return candidate.id, candidate.next
    if option is not None:
        return None
    said = words.replace("’", "'").replace("‘", "'").strip()
    unsure = ("unsure", step.unsure) if step.unsure else None
    if unsure and _UNSURE_OF.search(said):
        return unsure
    meant = _said(said, step)
    if meant is not None:
        return meant.id, meant.next
    if unsure and _UNSURE.search(said):
        return unsure
    for candidate in step.options:
        if (candidate.means == "yes" and yes) or (candidate.means == "no" and no):
            return candidate.id, candidate.next
    return None


def _chosen(turn: Turn, step: Step) -> tuple[str, str] | None:
    return choose(step, turn.words, turn.option, yes=turn.yes, no=turn.no)
