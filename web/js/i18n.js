/** Every sentence of the page, in both languages side by side. `{n}` is filled in by `t`. */

const TEXTS = {
  title: ["供电供水服务台", "Power and water service desk"],
  tagline: ["报修、账单、投诉，全天受理", "Outages, repairs, bills and complaints, day and night"],
  skip: ["跳到输入框", "Skip to the message field"],
  switchTo: ["English", "中文"],
  switchToLabel: ["Switch to English", "切换为中文"],
  endChat: ["结束对话", "End chat"],
  endQuestion: ["请问要结束这段对话吗？", "End this chat?"],
  endDetail: [
    "结束后，这台设备将不再显示这段对话。已经登记的报修和投诉不受影响。",
    "This device will then forget the chat. Reports and complaints already filed are not affected.",
  ],
  endConfirm: ["结束并清除", "End and forget"],
  endCancel: ["继续对话", "Keep chatting"],

  ownerBot: ["您正在与自动助手对话", "You are talking to an automatic assistant"],
  ownerWaiting: ["正在为您转接人工客服，请稍候", "Waiting for a colleague to take over, thank you for your patience"],
  ownerAgent: ["人工客服正在为您服务", "You are talking to a colleague"],
  human: ["转人工客服", "Talk to a person"],
  humanMessage: ["请帮我转人工客服", "I would like to talk to a person, please"],

  chat: ["对话", "Chat"],
  transcript: ["对话记录", "Messages"],
  welcomeTitle: ["您好，请问有什么可以帮您？", "Hello, how can we help?"],
  welcomeText: [
    "请用自己的话描述问题，也可以从下面选一项开始。",
    "Tell us in your own words, or start with one of these.",
  ],
  starterNoPower: ["我家停电了", "My power is off"],
  starterNoWater: ["家里没有水，或者水很小", "No water, or only a trickle"],
  starterStatus: ["停电什么时候能恢复？", "When will the power be back?"],
  starterPlanned: ["最近有计划停电或停水吗？", "Is a planned cut coming up?"],
  starterSwitch: ["电表开关跳闸，合不上", "My meter switch trips and will not close"],
  starterBill: ["这个月的费用为什么这么多？", "Why is my bill so high?"],
  starterTicket: ["查询我的报修进度", "What became of my report?"],
  starterComplaint: ["我要投诉", "I want to make a complaint"],
  starterHazard: ["电线掉落、冒火花，有危险", "A wire is down or sparking, it is dangerous"],

  fromCustomer: ["您", "You"],
  fromBot: ["自动助手", "Assistant"],
  fromAgent: ["人工客服", "Colleague"],
  fromSystem: ["服务台通知", "Service desk"],
  fromAlert: ["安全提示", "Safety notice"],
  choices: ["请选择一项", "Please choose one"],
  typing: ["正在回复…", "Replying…"],
  newer: ["查看新消息", "New messages"],

  inputLabel: ["您的消息", "Your message"],
  placeholder: ["请输入您的问题…", "Type your message…"],
  send: ["发送", "Send"],
  keys: ["按 Enter 发送，按 Shift 加 Enter 换行", "Enter sends, Shift and Enter start a new line"],
  counter: ["已输入 {n} 字，最多 1000 字", "{n} of 1,000 characters"],
  tooLong: [
    "超出 {n} 字，请缩短或分几条发送（最多 1000 字）",
    "{n} characters too many, please shorten it or send it in parts (1,000 at most)",
  ],

  sending: ["发送中…", "Sending…"],
  sent: ["已发送", "Sent"],
  problem_network_waiting: ["暂时没有发出，正在自动重发…", "Not through yet, trying again…"],
  problem_network_failed: [
    "还没有发出，连上后会自动重发",
    "Not sent yet, it will be sent once we are connected",
  ],
  problem_flood: [
    "消息发得太快了，大约 {n} 秒后自动发送",
    "That was a little fast, this will be sent in about {n} seconds",
  ],
  problem_tooLong: ["没有发出：内容太长，请缩短后再发", "Not sent: too long, please shorten it"],
  problem_choiceGone: [
    "没有发出：这个选项已经失效，请直接输入您的回答",
    "Not sent: this choice is no longer valid, please type your answer",
  ],
  problem_refused: ["对不起，这条消息没有发出", "Sorry, this message was not sent"],
  retry: ["重新发送", "Send again"],
  edit: ["修改", "Edit"],
  remove: ["删除", "Remove"],

  connecting: ["正在连接…", "Connecting…"],
  reconnecting: [
    "正在重新连接… 您的消息不会丢失",
    "Reconnecting… your messages are kept",
  ],
  ended: ["上一段对话已经结束，下面开始新的对话。", "The earlier chat has ended. This is a new one."],

  infoEmergency: ["遇到危险请拨", "Danger? Call"],
  fire: ["火警", "Fire"],
  ambulance: ["急救", "Ambulance"],
  police: ["报警", "Police"],
  infoSafety: [
    "请远离掉落的电线和进水的电表箱，不要触碰。",
    "Keep away from fallen wires and flooded meter boxes. Please touch nothing.",
  ],
  infoAssistantTitle: ["自动助手", "Automatic assistant"],
  infoAssistant: [
    "这里由自动助手回复，可能有误；需要时请随时转人工客服。",
    "Replies are written by an automatic assistant, which can be wrong. You can ask for a person at any time.",
  ],
  infoPrivacy: [
    "请不要发送密码或银行卡号。",
    "No passwords or card numbers, please.",
  ],
  privacy: ["隐私说明", "Privacy notice"],

  askLanguage: ["请说中文", "English, please"],
};

const LANGUAGES = ["zh", "en"];
const TAGS = { zh: "zh-CN", en: "en" };

let language = "zh";

/** zh or en: the first of the browser's languages that is one of them; English for readers of others. */
export function preferredLanguage() {
  const wanted = (navigator.languages ?? []).map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => LANGUAGES.includes(tag)) ?? (wanted.length ? "en" : "zh");
}

export const currentLanguage = () => language;
export const otherLanguage = () => (language === "zh" ? "en" : "zh");

/** The sentence for a key in the page's language. */
export function t(key, values = {}) {
  const text = TEXTS[key]?.[LANGUAGES.indexOf(language)] ?? key;
  return text.replace(/\{(\w+)\}/g, (hole, name) => values[name] ?? hole);
}

/** Give an element a text that follows the page's language. */
export function label(element, key, values) {
  if (key) element.dataset.i18n = key;
  else delete element.dataset.i18n;
  if (values) element.dataset.i18nValues = JSON.stringify(values);
  else delete element.dataset.i18nValues;
  element.textContent = key ? t(key, values) : "";
}

/** Set the page's language and every text in it. */
export function setLanguage(next) {
  language = LANGUAGES.includes(next) ? next : "zh";
  document.documentElement.lang = TAGS[language];
  for (const element of document.querySelectorAll("[data-i18n]")) {
    element.textContent = t(element.dataset.i18n, JSON.parse(element.dataset.i18nValues ?? "{}"));
  }
  for (const attribute of ["aria-label", "placeholder", "title"]) {
    for (const element of document.querySelectorAll(`[data-i18n-${attribute}]`)) {
      element.setAttribute(attribute, t(element.getAttribute(`data-i18n-${attribute}`)));
    }
  }
}

/** The language of a text, for screen readers. */
export const languageOf = (text) => (/\p{Script=Han}/u.test(text) ? TAGS.zh : TAGS.en);

/** A time in the customer's own zone: the hour today, with the day otherwise. */
export function localTime(at) {
  const date = new Date(at);
  if (Number.isNaN(date.valueOf())) return "";
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? {} : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(TAGS[language], { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);
}
