"""What is said in WeCom: answers to people, the sentence for strangers, the menu's names."""

from typing import Final

_WORDS: Final[dict[str, dict[str, str]]] = {
    "zh": {
        "stranger": "您好，这里是医院内部应用。您的账号尚未登记，请联系信息科。",
        "todos_title": "待办：{count} 件",
        "todos_none_title": "没有待办",
        "todos_none": "现在没有等待您处理的文件。",
        "todos_unknown_title": "待办",
        "todos_unknown": "暂时查不到 OA，请稍后再试，或打开待办页查看。",
        "todos_stale": "OA 暂时没有应答，这是 {time} 的情况。",
        "mail_title": "邮件：{count} 封未读",
        "mail_none_title": "没有未读邮件",
        "mail_unknown_title": "邮件",
        "mail_open": "打开邮箱查看。",
        "duty_title": "值班表还没有接入",
        "duty": "院信里还没有排班数据。",
        "duty_ask": "请问{department}的负责人：{names}。",
        "duty_nobody": "请问本科室负责人或医院总值班。",
        "help_title": "可以这样问",
        "help": "待办：等您处理的文件\n邮件：未读邮件\n值班：现在能问谁\n帮助：这一页\n"
        "其他文字：在院信里搜索",
        "search_title": "搜索“{text}”",
        "search": "打开院信，查看同事、会话和消息。",
        "names": "、",
        "menu_open": "打开院信",
        "menu_mine": "我的",
        "menu_todos": "待办",
        "menu_mail": "邮件",
        "menu_duty": "值班",
        "menu_help": "帮助",
    },
    "en": {
        "todos_title": "To do: {count}",
        "todos_none_title": "Nothing to do",
        "todos_none": "No document waits for you now.",
        "todos_unknown_title": "To do",
        "todos_unknown": "The OA cannot be asked now. Try again later, or open your list.",
        "todos_stale": "The OA does not answer just now; this is from {time}.",
        "mail_title": "Mail: {count} unread",
        "mail_none_title": "No unread mail",
        "mail_unknown_title": "Mail",
        "mail_open": "Open your mailbox.",
        "duty_title": "There are no rosters yet",
        "duty": "Yuanxin does not hold the rosters yet.",
        "duty_ask": "Ask who leads {department}: {names}.",
        "duty_nobody": "Ask who leads your department, or the hospital's duty office.",
        "help_title": "What you can ask",
        "help": "todo: documents waiting for you\nmail: unread mail\nduty: whom to ask now\n"
        "help: this page\nanything else: search in Yuanxin",
        "search_title": "Search for “{text}”",
        "search": "Opens Yuanxin: people, chats and messages.",
        "names": ", ",
    },
}


def say(language: str, word: str, **values: object) -> str:
    """One of the phrases; what a language lacks is said in Chinese."""
    words = _WORDS.get(language, _WORDS["zh"])
    return (words.get(word) or _WORDS["zh"][word]).format(**values)
