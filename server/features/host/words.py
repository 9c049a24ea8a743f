"""What this feature says to people outside of the app: on a page, and in a text to a phone."""

from dataclasses import dataclass
from typing import Final

CODE: Final = "【院信】验证码 {code}，{minutes} 分钟内有效，用于绑定企业微信。请勿告诉他人。"


@dataclass(frozen=True, slots=True)
class Words:
    """Why somebody is not signed in, in both languages, and whether trying again may help."""

    zh: str
    en: str
    may_try_again: bool = True
    status: int = 400


TITLE: Final = ("没有登录成功", "You are not signed in")
AGAIN: Final = ("重新用企业微信登录", "Try WeCom again")
ACCOUNT: Final = ("用账号和密码登录", "Use account and password")

NOT_OFFERED: Final = Words(
    "这里没有开通企业微信登录。", "Signing in by WeCom is not offered here.", False, 404
)
STALE: Final = Words(
    "这次登录已超过十分钟，或不是从这个浏览器开始的。",
    "This sign-in is older than ten minutes, or did not begin in this browser.",
)
USED: Final = Words("这个登录链接已经用过一次。", "This sign-in was used once already.")
NO_CODE: Final = Words("企业微信没有确认您的身份。", "WeCom did not confirm who you are.")
OUTSIDER: Final = Words(
    "您不是本院企业微信的成员。",
    "You are not a member of this hospital's WeCom.",
    False,
    403,
)
GONE: Final = Words(
    "这个企业微信账号对应的人员已经离职。如有疑问，请联系信息科。",
    "The person of this WeCom account does not work here any more. Ask the IT department.",
    False,
    403,
)
AWAY: Final = Words(
    "暂时连不上企业微信，请稍后再试。",
    "WeCom cannot be reached at the moment. Try again in a while.",
    status=503,
)
MISCONFIGURED: Final = Words(
    "企业微信登录的设置有误，请联系信息科。",
    "Signing in by WeCom is not set up correctly. Ask the IT department.",
    status=503,
)
BUSY: Final = Words(
    "现在登录的人较多，请稍后再试。",
    "Many people are signing in. Try again in a moment.",
    status=503,
)
