"""What notices about substitution say, in Chinese as all notices are."""

from typing import Final

SET_FOR_PERSON: Final = "{deputy} 将代你关注待办"
SET_FOR_DEPUTY: Final = "请代 {person} 关注待办"
PERIOD: Final = "{begins} 至 {ends}"
SET_BY: Final = "，由 {who} 设置"
ENDED_FOR_PERSON: Final = "{deputy} 不再代你关注待办"
ENDED_FOR_DEPUTY: Final = "不再需要代 {person} 关注待办"
ENDED: Final = "代理已由 {who} 提前结束"
