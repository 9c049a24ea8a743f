"""The page somebody sees who could not be signed in by WeCom: why, in two languages, and two ways on.

Plain HTML without a script, because it must work when everything else does not, and because a page that
goes on by itself could go round in circles.
"""

from html import escape
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from server.features.host.words import ACCOUNT, AGAIN, TITLE, Words

_PAGE: Final = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>{title} · 院信</title>
<link rel="icon" href="/icon.svg">
<style>
:root {{ --page: #f4f6f8; --card: #fff; --line: #e6eaee; --text: #16202a; --second: #566370;
  --accent: #0f766e; --on: #fff }}
@media (prefers-color-scheme: dark) {{ :root {{ --page: #0f1418; --card: #182026; --line: #27323a;
  --text: #e8edf1; --second: #9aa8b4; --accent: #4fbfb2; --on: #06211e }} }}
body {{ margin: 0; min-height: 100vh; box-sizing: border-box; padding: 12vh 20px 32px;
  background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif }}
main {{ max-width: 372px; margin: auto; padding: 32px 24px; background: var(--card);
  border: 1px solid var(--line); border-radius: 14px }}
h1 {{ font-size: 22px; margin: 12px 0 16px }} p {{ margin: 0 0 4px }}
.en {{ color: var(--second); font-size: 14px }}
a {{ display: block; margin-top: 16px; padding: 12px 16px; text-align: center; border-radius: 12px;
  text-decoration: none; font-weight: 550; color: var(--accent); border: 1px solid var(--line) }}
a.first {{ background: var(--accent); border-color: var(--accent); color: var(--on); margin-top: 28px }}
a .en {{ display: block; font-weight: 400; color: inherit }}
</style>
<main>
<img src="/icon.svg" alt="" width="48" height="48">
<h1>{title}<br><span class="en" lang="en">{title_en}</span></h1>
<p>{zh}</p>
<p class="en" lang="en">{en}</p>
{ways}
</main>
</html>
"""
_WAY: Final = '<a class="{kind}" href="{href}">{zh}<span class="en" lang="en">{en}</span></a>'


def told(words: Words, target: str) -> web.Response:
    """The page that says it; both ways on lead to `target` in the end."""
    again = "/api/v1/auth/wecom?" + urlencode({"to": target})
    form = "/sign-in?" + urlencode({"next": target, "by": "account"})
    links = [(form, ACCOUNT)]
    if words.may_try_again:
        links.insert(0, (again, AGAIN))
    ways = "\n".join(
        _WAY.format(kind="" if place else "first", href=escape(href), zh=text[0], en=text[1])
        for place, (href, text) in enumerate(links)
    )
    text = _PAGE.format(title=TITLE[0], title_en=TITLE[1], zh=words.zh, en=words.en, ways=ways)
    return web.Response(
        text=text,
        status=words.status,
        content_type="text/html",
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )
