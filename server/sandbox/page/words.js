// What the page says, in both languages. Nothing shown is written anywhere else.

const words = {
  zh: {
    title: "院信沙盒",
    subtitle: "左边是职工的手机（企业微信），右边是 OA 办公桌和 HIS",
    openApp: "打开院信 ↗",
    language: "English",
    languageLabel: "Switch to English",
    offline: "沙盒没有回应，正在重试…",
    phoneOf: "谁的手机",
    emptyPhone: "还没有消息。在右边放一份文件，或在院信里给这位同事发一条消息。",
    more: "详情",
    type: "给应用发消息：待办、邮件、值班、帮助",
    send: "发送",
    goAway: "离开应用",
    comeBack: "回到应用",
    sms: "短信",
    older: (n) => `还有更早的 ${n} 条`,
    counts: (c) => `已接受 ${c.accepted} 次发送 · 重复 ${c.repeated}`,
    dropped: (n) => `静默丢弃 ${n}`,
    yesterday: "昨天",
    newDocument: "在 OA 里放一份文件",
    documentTitle: "标题",
    sampleTitle: "关于周末排班的请示",
    creator: "发起人",
    approvers: "审批人",
    urgency: "紧急程度",
    normal: "普通",
    important: "加急",
    urgent: "特急",
    put: "放到待办",
    putDone: (id) => `已放入待办，编号 ${id}`,
    choosePerson: "姓名、工号或科室",
    chooseSome: "请选择发起人和至少一位审批人",
    nobody: "没有找到",
    remove: (name) => `去掉 ${name}`,
    desk: "OA 文件",
    all: "全部",
    mine: (name) => `等 ${name} 处理`,
    noDocuments: "这里没有文件",
    from: (name) => `${name} 发起`,
    waits: (n) => `等 ${n} 人处理`,
    approve: (name) => `${name} 同意`,
    reject: "退回",
    rejectAs: (name) => `${name} 退回`,
    finished: "已办结",
    faults: "故障开关",
    for: "持续",
    wecom: "企业微信",
    oa: "OA",
    his: "HIS（医院信息系统）",
    hisFigures: (s) => `院内时间 ${s.time} · 已送达 ${s.accepted} 条 · 重复 ${s.repeated}`
      + ` · 待发 ${s.pending}${s.refused ? ` · 被拒 ${s.refused}` : ""}`,
    ordinarySpeed: "正常速度",
    healthy: "正常",
    remaining: (s) => `还剩 ${s} 秒`,
    modes: {
      off: "正常", down: "断线", slow: "缓慢", expired_token: "令牌过期", worn_token: "令牌早失效", rate_limited: "超过频率",
      invalid_user: "收件人无效", invalid_token: "令牌总无效", lost_answer: "送达但丢失应答",
      reset: "连接重置", html: "返回网页", busy: "系统繁忙", concurrency: "并发过多",
      untrusted_ip: "IP 不可信", fault: "SOAP 故障", empty: "空列表", malformed: "残缺应答",
      late: "迟到", duplicate: "重复发送", out_of_order: "乱序", silent: "沉默",
    },
  },
  en: {
    title: "Yuanxin sandbox",
    subtitle: "Left: a colleague's phone (WeCom). Right: the OA desk and the HIS.",
    openApp: "Open Yuanxin ↗",
    language: "中文",
    languageLabel: "切换到中文",
    offline: "The sandbox does not answer, trying again…",
    phoneOf: "Whose phone",
    emptyPhone: "Nothing here yet. Put a document on the desk, or write to this colleague in Yuanxin.",
    more: "Details",
    type: "Write to the app: todo, mail, duty, help",
    send: "Send",
    goAway: "Leave",
    comeBack: "Come back",
    sms: "Text message",
    older: (n) => `${n} earlier`,
    counts: (c) => `${c.accepted} sends accepted · ${c.repeated} repeated`,
    dropped: (n) => `${n} dropped silently`,
    yesterday: "Yesterday",
    newDocument: "Put a document into the OA",
    documentTitle: "Title",
    sampleTitle: "Request to change the weekend rota",
    creator: "From",
    approvers: "Approvers",
    urgency: "Urgency",
    normal: "Normal",
    important: "Important",
    urgent: "Urgent",
    put: "Put on the desk",
    putDone: (id) => `Waiting now, number ${id}`,
    choosePerson: "Name, number or department",
    chooseSome: "Choose who it is from and at least one approver",
    nobody: "Nobody found",
    remove: (name) => `Remove ${name}`,
    desk: "Documents in the OA",
    all: "All",
    mine: (name) => `Waiting for ${name}`,
    noDocuments: "No documents here",
    from: (name) => `from ${name}`,
    waits: (n) => `waiting for ${n}`,
    approve: (name) => `${name} approves`,
    reject: "returns it",
    rejectAs: (name) => `${name} returns it`,
    finished: "Finished",
    faults: "Faults",
    for: "For",
    wecom: "WeCom",
    oa: "OA",
    his: "HIS",
    hisFigures: (s) => `Hospital time ${s.time} · ${s.accepted} events taken · ${s.repeated} repeated`
      + ` · ${s.pending} waiting${s.refused ? ` · ${s.refused} refused` : ""}`,
    ordinarySpeed: "Ordinary speed",
    healthy: "healthy",
    remaining: (s) => `${s} s left`,
    modes: {
      off: "Healthy", down: "Down", slow: "Slow", expired_token: "Token expired", worn_token: "Token wears out",
      rate_limited: "Rate limited", invalid_user: "Nobody reachable", invalid_token: "Tokens refused",
      lost_answer: "Delivered, answer lost", reset: "Connection reset", html: "HTML page",
      busy: "Busy", concurrency: "Too many at once", untrusted_ip: "Address not trusted",
      fault: "SOAP fault", empty: "Empty lists", malformed: "Half an answer",
      late: "Late", duplicate: "Everything twice", out_of_order: "Out of order", silent: "Silent",
    },
  },
};

let language = localStorage.getItem("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");

/** The word or sentence of this name in the language chosen. */
export function say(name, ...values) {
  const word = words[language][name];
  return typeof word === "function" ? word(...values) : word;
}

export const modeName = (mode) => words[language].modes[mode] ?? mode;
export const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

/** Writes the words into everything that names one. */
export function speak() {
  document.documentElement.lang = locale();
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = say(element.dataset.word);
  }
}

export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
}
