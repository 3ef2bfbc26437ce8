"""What a message says beside its wish: told before, past and over, only asking, no crew, why, the other utility. Pure.

The intent of a message is its main wish; these patterns see what would change the answer to it.
"""

import re

from bot.actions.wishes import SEND_SOMEONE, wants_to_complain

_NO_CREW = re.compile(
    r"(?:不(?:用|要|需要|必|想)|别|无需|甭|莫|唔使)(?:再|给我|您|你们?|麻烦|叫|让)*(?:派|叫|喊|安排|来)(?:人"
    r"|师傅|抢修|维修|工人)?(?:员|来|过来|上门)*"
    r"|(?:不(?:用|要|需要|必)|别)(?:登记|报修|上门|派单|修)"
    r"|\b(?:do not|don['’]?t|no need to|needn['’]?t|without) (?:need to )?(?:send|sending|need|want|dispatch)"
    r"(?: me| us| out)*(?: anyone| anybody| someone| somebody| a crew| a team| a technician| an engineer| people)?"
    r"|\bno (?:crew|technician|engineer|visit)(?: is)?(?: needed| required| please)?\b"
    r"|\b(?:no need|don['’]?t|do not) (?:to )?(?:file|report|register|log)\b",
    re.IGNORECASE,
)
_TELL_ME = re.compile(
    r"(?:告诉|说(?:一?声|一?下)|问(?:一?下|一?声|问)|知道|查(?:一?下|查)|了解).{0,12}(?:什么时候|几点|多久"
    r"|啥时候|时间|何时|几时|原因|情况|怎么回事)"
    r"|(?:什么时候|几点|多久|啥时候|几时|何时).{0,8}(?:来电|来水|恢复|有电|有水|修好|通).{0,8}(?:就行|就好|即可"
    r"|就可以|就够)"
    r"|(?:只|就)(?:想|要)?(?:问|知道|了解|打听)"
    r"|(?:什么时候|几点|多久|啥时候|几时|何时|原因|情况).{0,8}(?:告诉|说一?声|通知)"
    r"|\b(?:just|only|simply) (?:want to |need to |like to )?(?:tell|ask|know|asking|wondering|say|inform)"
    r"|\btell me (?:when|why|how long|what time)",
    re.IGNORECASE,
)
_TOLD_BEFORE = re.compile(
    r"(?<!你们)(?<!他们)(?:之前|以前|先前|刚才|刚刚|早上|上午|中午|下午|晚上|昨天|昨晚|前天|今早|早就|已经|上次"
    r"|上周|微信|电话|公众号|网上|小程序|热线|在线|客服那?)"
    r"(?:[\u4e00-\u9fff]{0,6}?)(?:报(?:过|了|修过|修了|障)|登记过|登记了|反映过|反映了|说过|打过(?:一[次个]"
    r"|两次|几次|好几次)?(?:电话|热线|95598)|打了电话|打电话报|联系过|申报过)"
    r"|我(?:们|家|家人|老公|老婆|爱人|儿子|女儿|爸|妈)?(?:都|已经|就)?(?:报过修?|报修过|登记过|打过(?:一次|两次"
    r"|几次)?(?:电话|95598))了?"
    r"|\b(?:i|we|my (?:wife|husband|son|daughter|mother|father|neighbou?r))(?:['’]ve| have|['’]d| had)?"
    r"(?: already| just| also)? (?:called|phoned|rang|reported|filed|registered|told (?:you|them|someone)|wrote"
    r"|texted|messaged"
    r"|contacted|logged)(?: (?:it|this|that|you|in|them|about|a fault|the fault|an outage|the outage|a report"
    r"|to you|my"
    r"|the|power|water|cut|on|via|by|through|wechat|phone))*"
    r"(?: already| before| earlier| yesterday| this morning| last night| on wechat| by phone| on the phone"
    r"| today| twice)"
    r"|\b(?:i|we)(?:['’]ve| have) (?:already )(?:called|phoned|reported|filed|registered|told|contacted|logged)"
    r"|\balready reported\b|\b(?:reported|told) (?:it |this )?(?:on|via|through|by) (?:wechat|phone)\b",
    re.IGNORECASE,
)
#: A call that nobody took was no report, and "you called me" is another story.
_NOT_TOLD = re.compile(
    r"没(?:有)?(?:报|说|登记|打)|没人接|打不通|占线|无人接|不通|还没报|通知(?:过|了)?说"
    r"|\b(?:nobody|no one|never) (?:answer|pick)|\b(?:could|can)(?:n['’]?t|not) get through|\bengaged\b|\bon hold\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"昨天|昨晚|昨夜|前天|前晚|上周|上个?(?:星期|礼拜|月)|(?:周|星期|礼拜)[一二三四五六日天末]|那天|前几天|今早"
    r"|早上|上午|凌晨|半夜|夜里"
    r"|\byesterday\b|\blast (?:night|week|month|evening|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b"
    r"|\b(?:this morning|earlier|the other day|overnight|days? ago|hours ago)\b",
    re.IGNORECASE,
)
_WAS_OFF = re.compile(
    r"停(?:电|水)?(?:了|过)?|没(?:有)?(?:电|水)|断(?:电|水)|没来(?:电|水)"
    r"|\b(?:no|without|lost|had no) (?:power|electricity|water|light)|\b(?:was|were|went) (?:off|out|dark|gone|cut)"
    r"|\b(?:outage|blackout|power cut)\b|\b(?:power|water|electricity|lights?) (?:cut|failed|went)\b",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(?:今天|现在|后来|早就|已经|今早|刚才|刚刚|晚上|早上|上午|[,，。 ])[\u4e00-\u9fff]{0,4}?"
    r"(?:(?<!没)(?<!没有)(?<!不)(?<!又)(?:来(?:电|水)了|恢复了?|有(?:电|水)了|正常了?|修好了?|来了|通了|亮了)"
    r"|(?<!没)好了)"
    r"|\b(?:fine|ok(?:ay)?|back|restored|working|normal|on again|all right|alright|fixed)\b.{0,12}"
    r"\b(?:now|today|again|this morning|since)\b"
    r"|\b(?:now|today|this morning|since)\b.{0,14}\b(?:is |it['’]?s |are |came )?(?:fine|ok(?:ay)?|back"
    r"|restored|working|normal|fixed)\b"
    r"|\b(?:came|is|it['’]?s|went) back(?: on)?\b|\bhas been restored\b",
    re.IGNORECASE,
)
_OFF_AGAIN = re.compile(
    r"又(?:停|没|断|跳|黑)|还(?:是)?(?:没|停)|再次|现在(?:又|还|没)|(?:没|不)(?:来|好|恢复|正常)"
    r"|\b(?:again (?:off|out|gone|dark)|off again|out again|still|not (?:fine|back|ok|working)|gone again)\b"
    r"|n['’]t (?:back|fine|ok|working)",
    re.IGNORECASE,
)
_ARREARS = re.compile(
    r"(?:是不是|会不会|是否|难道|该不会|莫非|是|因为|可能|有没有).{0,8}(?:(?<!没)(?<!没有)(?<!不)欠(?:了)?(?:电|水)?费"
    r"|没(?:有)?(?:交|缴|充)(?:电|水)?(?:费|钱)|忘(?:了|记)?(?:交|缴)(?:电|水)?费)"
    r"|(?:是不是|会不会|是否|该不会).{0,8}(?:没钱了|余额)|(?<!没)(?<!没有)(?<!不)欠(?:电|水)?费.{0,4}(?:停|断|吗|导致|引起)"
    r"|\b(?:is|was|could|might|maybe|because|whether|if).{0,24}\b(?:(?:did|have|had)(?:n['’]?t| not) (?:paid|pay)"
    r"|not paid|unpaid|arrears|overdue|(?:forgot|forgotten) to pay|owe)\b",
    re.IGNORECASE,
)
_FLICKER = re.compile(
    r"电压.{0,6}(?:不稳|不正常|不够|太?[低高]|忽高忽低|波动|有问题|偏[低高])|(?:灯|灯泡|日光灯|电灯"
    r"|灯光).{0,8}(?:一?闪|忽明忽暗|忽亮忽暗|一明一暗|跳动|发暗|很暗|变暗)"
    r"|电.{0,4}(?:时有时无|时断时续|闪断|一会儿?(?:有|来|停).{0,3}一会儿?|停(?:一下|几秒)就来)"
    r"|\b(?:power|electricity|lights?)\b.{0,24}"
    r"\b(?:off and on|on and off|for (?:just )?(?:a few|some|several) seconds)\b"
    r"|忽明忽暗|一闪一闪|低电压|高电压.{0,3}烧|电不稳|电力不稳|供电不稳"
    r"|\bflicker\w*|\b(?:lights?|lamps?|bulbs?)\b.{0,24}\b(?:blink\w*|dim(?:s|ming|med)?|pulsing|puls(?:e|es)"
    r"|flash\w*"
    r"|brighten\w*|surg\w*)\b"
    r"|\bvoltage\b.{0,24}\b(?:low|high|unstable|fluctuat\w*|drops?|dropping|unsteady|varies|jump\w*|problem|bad"
    r"|weak)\b"
    r"|\b(?:low|high|unstable|fluctuating|bad|weak) voltage\b|\bbrown ?outs?\b|\bpower (?:dips?|surges?"
    r"|fluctuat\w*)\b",
    re.IGNORECASE,
)
_OFF_AFTER = re.compile(
    r"(?:然后|接着|就|现在|后来|最后|之后|[,，]).{0,6}(?<!没)(?<!没有)(?<!不是)(?<!不)(?:停电|没电|黑了|全灭"
    r"|断电|灭了)"
    r"|\b(?:then|and now|now|before)\b.{0,24}\b(?:went (?:off|out|dark)|no power|off|out|dark|dead)\b",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"(?:那|那么|还有)?(?:我家|家里|这里|这边)?的?(?:(?P<water>自来水|用水|供水|水)|(?P<power>电力|用电|供电|电))"
    r"(?:呢|怎么样|咋样|怎样|停不停|会不会停|停吗|停没停|停了吗|有没有停|情况如何|正常吗|有影响吗"
    r"|受影响吗)[?？。!！]*"
    r"|(?:and |so |ok(?:ay)?,? (?:and )?)?(?:what|how) about (?:the |my |our )?(?:(?P<water_en>water)"
    r"|(?P<power_en>power"
    r"|electricity|lights?))(?: supply| then| here| there)?[?.! ]*"
    r"|and (?:the |my |our )?(?:(?P<water_en2>water)|(?P<power_en2>power|electricity))(?: supply| then)?[?.! ]*"
    r"|(?:is|will) (?:the |my )?(?:(?P<water_en3>water)|(?P<power_en3>power|electricity)) (?:affected|off|out"
    r"|cut|be off"
    r"|be affected)(?: too| as well| also)?[?]+",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"如果|假如|假设|要是|万一|假使|比方说?|打个比方|举个例|譬如|怎么(?:预防|防止|避免)|的话.{0,6}(?:怎么办|该"
    r"|要)|遇到.{0,12}(?:怎么办|该怎么)"
    r"|\b(?:if|suppose|supposing|imagine|hypothetical(?:ly)?|what would|in case|just in case|should i ever"
    r"|let['’]?s say)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"气得|急得|快要?.{0,4}(?:炸|爆)了|(?:心|头|脑袋|肺).{0,3}(?:炸|冒火|冒烟)|\b(?:my (?:head|brain|phone"
    r"|inbox)) (?:is )?(?:on fire|explod)",
    re.IGNORECASE,
)
_HAPPENED = re.compile(
    r"刚才|刚刚|现在(?!是)|正在|已经|马上来|快来|救命|掉下来了[,，。!！]|触电了[,，。!！]"
    r"|\b(?:just now|right now|already|is burning|help|has fallen|has come down|now)\b",
    re.IGNORECASE,
)
_ONLY_ASKED = re.compile(
    r"没有?(?:这|那)(?:回|个|种)?事|没有?(?:真的?)?(?:发生|出事|险情|危险)|不是真的|(?:我)?(?:就|只)是?(?:随便"
    r"|好奇)?(?:问问|问一?下|问一?声|打听|咨询|了解)|随便问问|开(?:个)?玩笑|假设(?:一下|的|而已)?[。.!！]*$"
    r"|打个?比方|比喻|夸张|我(?:乱|瞎|随口)说的|说着玩|测试|试试(?:看|而已)|(?:没有|并没有"
    r"|其实没有?)[,，]?(?:只|就)是?(?:问|想知道|想了解)"
    r"|\b(?:was|am|['’]m) (?:just|only) (?:asking|wondering|curious|joking|kidding|testing)|\bjust (?:asking"
    r"|a question|wondering"
    r"|kidding|joking|curious|a joke|testing)\b|\bonly (?:asking|a question|joking|kidding|testing)\b"
    r"|\bnothing (?:has |actually |really )?happened"
    r"|\b(?:it['’]?s |it was |was |is )?(?:hypothetical|a figure of speech|a joke|not real|not true)\b"
    r"|\bnot (?:really )?happening"
    r"|\bthere (?:is|was|['’]s) no (?:such|real|actual)|\bno(?:,| )*(?:it|that) (?:hasn['’]?t|didn['’]?t"
    r"|has not|did not) happen",
    re.IGNORECASE,
)
# What is not there has to be the danger itself, and nothing else may follow: "no insulation on the wire", "没有意识"
# and "no fire but smoke" are danger.
_PERIL = (
    r"(?:电线(?!裸|皮)|高压线|线缆|电缆|电线?杆|明?火|浓?烟|冒|烧|焦|异味|怪味"
    r"|着火|打火|漏电|触电|爆|危险|险情|异常|受伤|倒|掉|断线)"
)
_PERIL_EN = (
    r"(?:wires?|lines?|cables?|poles?|sparks?|sparking|fire|flames?|smoke|smoking|burning|burnt|smell|danger\w*|hazard\w*"
    r"|leaks?|shocks?|bangs?|explosions?|injur\w+)\b"
)
_NOTHING_THERE = re.compile(
    r"(?!.*(?:可是|不过|但|还在|却|只是|只有|\b(?:but|though|although|only|just|still|yet|except)\b))"
    r"(?:(?:嗯|哦|倒是|那倒|暂时|现在|目前|应该|好像|[,，\s])*(?:没有?|并没有?|没得)(?:看(?:到|见)|发现|闻到|什么|任何)*"
    rf"{_PERIL}[^,，。!！?？]{{0,12}}(?:[,，]也?没有?(?:看(?:到|见)|闻到|什么|任何)*{_PERIL}[^,，。!！?？]{{0,9}})*[。.!！]*"
    r"|(?:no|nope|well|[,.\s])*(?:no|not any|there (?:is|are|was|were) no|there (?:is|are)n['’]?t any|i (?:see|saw) no"
    r"|i (?:do not|don['’]?t|did not|didn['’]?t) see any)"
    rf" (?:(?:visible|broken|fallen|live|power|more) )?{_PERIL_EN}[^,.;!?]{{0,30}}[.!]*)",
    re.IGNORECASE,
)
_WHY = re.compile(
    r"(?:那么?|请问|这次?|这是|到底|究竟|我想知道|能告诉我|可以告诉我|你们?|又|是)*"
    r"(?:为(?:什么|啥|何)|(?:怎么|咋个?)回事|(?:是)?(?:什么|啥)(?:原因|情况|问题)|原因(?:是什么|是啥)?|怎么会|怎么搞的|怎么停)"
    r"(?:会|要|又|还|突然|这样|停|电|水|没|断|爆|坏|裂|呢|啊|呀|嘛|的|了)*[?？。.!！ ]*"
    r"|(?:(?:but|and|so|ok(?:ay)?|well|please|oh|(?:can|could) you tell me|do you know|tell me|may i ask)[, ]+)*"
    r"(?:why|how come|what happened|what caused (?:it|this|that)"
    r"|what(?:['’]?s| is| was) (?:the )?(?:reason|cause|problem|matter|wrong|going on))"
    r"(?: (?:is|was|did|has|does|it|this|that|the|my|our|power|water|electricity|supply|lights?|there|went|go"
    r"|happen(?:ed)?|happening|off|out|so|cut|again|like|then|for|of|no|not|working|stopped))*[?.! ]*",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"(?:那么?|大概|一共|总共|要|会|得|需要|这次|这回|一般|到底)*(?:停|断|检修|修|持续)?(?:电|水)?(?:要|会|得)?(?:停)?"
    r"(?:多(?:久|长时间|少(?:个)?(?:小时|钟头))|几个?(?:小时|钟头|天)|好久|几耐|到几点|到什么时候|几点到几点)"
    r"(?:才(?:好|完|来))?(?:呢|啊|呀|嘛|哦)?[?？。 ]*"
    r"|(?:and|so|ok(?:ay)?|but|for|about|,| )*(?:how (?:long|many hours)"
    r"|until when|till when|for what time|from when to when)"
    r"(?: (?:is|will|does|would|it|that|the|this|be|last|take|off|cut|power|water|for|out|outage))*[?. ]*",
    re.IGNORECASE,
)
_NOTIFY = re.compile(
    r"(?:来电|来水|恢复|修好|有(?:电|水|消息|进展)|通(?:电|水)|好)(?:供[电水])?(?:了|以后|之后|后|的?时候|的话|时)*[,，]?"
    r"(?:请|麻烦|记得|要|就|再|可以|可不可以|能不能|能|你们?|您|给我|跟我|和我|我)*(?:通知|告诉|告知|提醒|说一?声"
    r"|发.{0,3}(?:短信|消息|信息))"
    r"|\b(?:tell|notify|inform|text|message|remind|call|let) (?:me|us)(?: know)?,? (?:when|once|as soon as|if|after)\b"
    r"(?!.{0,24}\b(?:will|would|going to|expected)\b).{0,24}"
    r"\b(?:back|on|restored|fixed|over|repaired|works?|working)\b",
    re.IGNORECASE,
)
_COLLEAGUE_SAID = re.compile(
    r"(?:同事|坐席|客服|人工|工作人员|刚才(?:那|的)?(?:位|个)?(?:人|老师|姑娘|小伙|先生|女士)?|[他她]们?).{0,6}"
    r"(?:怎么(?:说|讲|答复|回复|跟我说|交代|安排)|(?:说|讲|答应|交代|安排|留言)(?:了|过|的)?(?:是)?(?:什么|啥|些什么))"
    r"|\bwhat (?:did|has|was it|had) (?:your|the|that|my)? ?(?:colleague|agent|person|human|operator|lady|man|guy|woman"
    r"|representative|staff)\b.{0,24}\b(?:sa(?:y|id)|tell|told|agreed?|promised?|noted?|write|written|arranged?)\b",
    re.IGNORECASE,
)
_ASKS_WHEN = re.compile(r"什么时候|几点|多久|啥时候|何时|几时", re.IGNORECASE)
_ZH_DIGITS = "零〇幺一二两三四五六七八九"
_EN_DIGITS = "zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple"
_NUMBER = re.compile(
    rf"(?:(?:我的)?(?:号码|电话|工单号|户号)?就?是|it['’]?s|it is|number)?[\s:：]*"
    rf"(?:(?:[\d{_ZH_DIGITS}]|\b(?:{_EN_DIGITS})\b)[\s,，.。、\-—]*)+",
    re.IGNORECASE,
)
_TAKES_BACK = re.compile(
    r"(?<!不要)(?<!别)(?<!不能)(?<!不)(?:取消|撤销|撤回|撤单)|没有?(?:这|那)(?:回|个|种)?事|根本没有?(?:发生|危险|这|那|$)"
    r"|(?<!not )(?<!n't )(?<!n’t )\b(?:cancel|withdraw)\b"
    r"|\bno such (?:thing|danger)\b|\b(?:nothing|never) (?:has |had |ever |actually |really )*happened\b"
    r"|\b(?:did not|didn['’]?t) (?:really |actually )?happen\b",
    re.IGNORECASE,
)


def wants_crew(words: str) -> bool:
    """Whether the customer wants somebody to come and no more questions; "don't send anyone" is no such wish."""
    return bool(SEND_SOMEONE.search(_NO_CREW.sub(" ", words)))


def only_tell(words: str) -> bool:
    """Whether the customer wants an answer and nothing filed: "不用派人，告诉我什么时候来电就行"."""
    return bool(_NO_CREW.search(words) and _TELL_ME.search(words)) and not wants_crew(words)


def no_crew(words: str) -> bool:
    """Whether the customer says that nobody need come."""
    return bool(_NO_CREW.search(words))


def told_before(words: str) -> bool:
    """Whether the customer says that they have reported it already, here or on another channel."""
    return bool(_TOLD_BEFORE.search(words)) and not (_NOT_TOLD.search(words) or wants_to_complain(words))


def past_and_over(words: str) -> bool:
    """Whether supply was off and no longer is: "昨天停了一天，今天好了"."""
    told = _BEFORE.search(words) and _WAS_OFF.search(words) and _OVER.search(words)
    return bool(told) and not _OFF_AGAIN.search(words)


def asks_arrears(words: str) -> bool:
    """Whether the customer asks if an unpaid bill is the cause."""
    return bool(_ARREARS.search(words))


def flickers(words: str) -> bool:
    """Whether there is power, and it is unsteady: voltage too low, too high, lights flickering."""
    return bool(_FLICKER.search(words)) and not _OFF_AFTER.search(words)


def other_utility(words: str) -> str | None:
    """power | water where the whole message asks after one of them: "那水呢"."""
    match = _OTHER.fullmatch(words.strip())
    named = next((name for name, said in match.groupdict().items() if said), None) if match else None
    return named.partition("_")[0] if named else None


def supposes(words: str) -> bool:
    """Whether danger words are put as a question or a figure of speech: "如果电线掉下来怎么办"."""
    return bool(_FIGURE.search(words) or (_SUPPOSED.search(words) and not _HAPPENED.search(words)))


def denies_danger(words: str) -> bool:
    """Whether the customer says that there is no danger at all, having only asked."""
    return bool(_ONLY_ASKED.search(words)) and not _HAPPENED.search(re.sub(r"\bnow\b", "", words))


def says_there_is_none(words: str) -> bool:
    """Whether the whole message says that a danger is not there: "没有电线掉下来", "no wires are down"."""
    return bool(_NOTHING_THERE.fullmatch(words.strip()))


def takes_back(words: str) -> bool:
    """Whether a report is withdrawn in so many words: "取消", "没有这回事"; "I was only asking" is not that."""
    return bool(_TAKES_BACK.search(words))


def asks_why(words: str) -> bool:
    """Whether the whole message asks for the cause: "为什么停", "why?"."""
    return bool(_WHY.fullmatch(words.strip()))


def asks_length(words: str) -> bool:
    """Whether the whole message asks how long: "停多久", "and how long?"."""
    return bool(_LENGTH.fullmatch(words.strip()))


def wants_notice(words: str) -> bool:
    """Whether the customer asks to be told when supply is back; "tell me when it will be back" asks for the time."""
    return bool(_NOTIFY.search(words)) and not (_ASKS_WHEN.search(words) or no_crew(words))


def asks_colleague(words: str) -> bool:
    """Whether the customer asks what the colleague said who had the conversation before: "刚才同事怎么说的"."""
    return bool(_COLLEAGUE_SAID.search(words))


def is_number(words: str) -> bool:
    """Whether the whole message is a number, in digits or spoken."""
    return bool(_NUMBER.fullmatch(words.strip()))
