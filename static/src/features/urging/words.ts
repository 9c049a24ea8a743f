/* What is said about reminding whoever holds a document (催办). */
import { words } from "../../i18n"

export const texts = {
  zh: {
    "title": "催办",
    "what": "提醒现在持有这份公文的同事尽快办理。对方按自己的通知设置收到提醒，并看到是您催办的。",
    "words": "附言（可不填，只在院信里显示）",
    "send": "发送催办",
    "nobody": "现在没有其他人持有这份公文",
    "close": "知道了",
    "failed": "没有发出提醒：{reason}",
    "is.reminded": "已提醒 {name}",
    "is.too_early": "{name}：刚收到不足两小时，{time} 后可催办",
    "is.too_soon": "{name}：四小时内已有人催办过，{time} 后可再催",
    "is.limit": "{name}：您今天已催办 5 份公文，明天再来",
    "is.unreachable": "{name}：院信里找不到这位办理人，无法提醒，请直接联系",
    "by": "{name} {time} 催办",
    "by_with": "{name} {time} 催办：{words}",
  },
  en: {
    "title": "Remind",
    "what": "Remind whoever holds this document now. They are told as they wish to be, and see that it was you.",
    "words": "A word with it (optional, shown in the app only)",
    "send": "Send the reminder",
    "nobody": "Nobody else holds this document now",
    "close": "Close",
    "failed": "Nobody was reminded: {reason}",
    "is.reminded": "{name} was reminded",
    "is.too_early": "{name}: has had it for less than two hours; after {time}",
    "is.too_soon": "{name}: was reminded within four hours; again after {time}",
    "is.limit": "{name}: you have reminded of 5 documents today; again tomorrow",
    "is.unreachable": "{name}: not found here and cannot be reminded; please call",
    "by": "{name} reminded you, {time}",
    "by_with": "{name} reminded you, {time}: {words}",
  },
}

export const w = words(texts)
