"""How a name may be pronounced: every reading of every character, the likeliest first.

A dictionary's default is wrong for many surnames (单 is Shàn, not dān; 曾 is Zēng, not céng), and
people type either. So all readings count, and this table adds those that only surnames have.
"""

from functools import lru_cache
from typing import NamedTuple

from pypinyin import Style, pinyin

# What a surname is read as, before whatever the dictionary says of the character elsewhere.
SURNAMES: dict[str, tuple[str, ...]] = {
    "万": ("wan", "mo"),
    "不": ("fou", "bu"),
    "乐": ("yue", "le"),
    "乜": ("nie",),
    "于": ("yu",),
    "亓": ("qi",),
    "仇": ("qiu",),
    "仉": ("zhang",),
    "令": ("ling",),
    "任": ("ren",),
    "佴": ("nai",),
    "俞": ("yu", "shu"),
    "冼": ("xian",),
    "区": ("ou",),
    "华": ("hua",),
    "卜": ("bu",),
    "占": ("zhan",),
    "单": ("shan",),
    "召": ("shao",),
    "句": ("gou",),
    "员": ("yun",),
    "哈": ("ha",),
    "宁": ("ning",),
    "宓": ("mi", "fu"),
    "宿": ("su",),
    "尉": ("wei", "yu"),
    "干": ("gan",),
    "应": ("ying",),
    "强": ("qiang", "jiang"),
    "戚": ("qi",),
    "折": ("she",),
    "撒": ("sa",),
    "晁": ("chao",),
    "晟": ("cheng", "sheng"),
    "曲": ("qu",),
    "曾": ("zeng",),
    "朴": ("piao", "pu"),
    "查": ("zha",),
    "柏": ("bai", "bo"),
    "沈": ("shen",),
    "洗": ("xian",),
    "燕": ("yan",),
    "牟": ("mou", "mu"),
    "璩": ("qu",),
    "瞿": ("qu",),
    "盖": ("ge", "gai"),
    "盛": ("sheng",),
    "相": ("xiang",),
    "眭": ("sui",),
    "石": ("shi",),
    "祭": ("zhai",),
    "秘": ("bi",),
    "种": ("chong",),
    "纪": ("ji",),
    "经": ("jing",),
    "繁": ("po",),
    "缪": ("miao",),
    "翟": ("zhai", "di"),
    "能": ("nai",),
    "臧": ("zang",),
    "莘": ("shen", "xin"),
    "葛": ("ge",),
    "藏": ("zang",),
    "行": ("xing", "hang"),
    "要": ("yao",),
    "覃": ("qin", "tan"),
    "解": ("xie",),
    "訾": ("zi",),
    "谌": ("chen", "shen"),
    "贾": ("jia",),
    "费": ("fei", "bi"),
    "车": ("che",),
    "过": ("guo",),
    "还": ("huan",),
    "逄": ("pang",),
    "适": ("kuo",),
    "那": ("na",),
    "郄": ("qie", "xi"),
    "郇": ("xun", "huan"),
    "郗": ("xi", "chi"),
    "都": ("du",),
    "重": ("chong",),
    "钭": ("tou",),
    "阚": ("kan",),
    "降": ("jiang",),
    "隗": ("wei", "kui"),
    "隽": ("juan",),
    "黑": ("he",),
}

COMPOUND_SURNAMES: dict[str, tuple[str, str]] = {
    "万俟": ("mo", "qi"),
    "单于": ("chan", "yu"),
    "司徒": ("si", "tu"),
    "司马": ("si", "ma"),
    "令狐": ("ling", "hu"),
    "公孙": ("gong", "sun"),
    "上官": ("shang", "guan"),
    "东方": ("dong", "fang"),
    "呼延": ("hu", "yan"),
    "夏侯": ("xia", "hou"),
    "宇文": ("yu", "wen"),
    "尉迟": ("yu", "chi"),
    "慕容": ("mu", "rong"),
    "欧阳": ("ou", "yang"),
    "淳于": ("chun", "yu"),
    "澹台": ("tan", "tai"),
    "濮阳": ("pu", "yang"),
    "独孤": ("du", "gu"),
    "皇甫": ("huang", "fu"),
    "端木": ("duan", "mu"),
    "诸葛": ("zhu", "ge"),
    "赫连": ("he", "lian"),
    "轩辕": ("xuan", "yuan"),
    "钟离": ("zhong", "li"),
    "长孙": ("zhang", "sun"),
    "闻人": ("wen", "ren"),
    "闾丘": ("lv", "qiu"),
    "鲜于": ("xian", "yu"),
}

# Ways in which people type ü.
UMLAUT = ("v", "u", "yu")


class Unit(NamedTuple):
    """A character (or a word in Latin letters) with its readings; the first `usual` ones are likely
    in a name, the others are what the dictionary knows besides."""

    text: str
    readings: tuple[str, ...]
    usual: int


@lru_cache(maxsize=16_384)
def readings_of(character: str) -> tuple[str, ...]:
    """All readings of a character without tones, most common first."""
    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return tuple(found[0]) if found else ()


@lru_cache(maxsize=4_096)
def units_of(name: str) -> tuple[Unit, ...]:
    """A name cut into what may be typed for each part; spaces and dots are no parts."""
    parts: list[tuple[str, tuple[str, ...]]] = []
    word = ""
    for character in name.casefold() + " ":
        if character.isascii() and character.isalnum():
            word += character
            continue
        if word:
            parts.append((word, (word,)))
            word = ""
        readings = readings_of(character)
        if readings:
            parts.append((character, readings))
    surname = _surname_readings("".join(text for text, _ in parts[:2]), len(parts))
    return tuple(
        _unit(text, readings, surname[place] if place < len(surname) else None)
        for place, (text, readings) in enumerate(parts)
    )


def _surname_readings(beginning: str, length: int) -> tuple[tuple[str, ...], ...]:
    """How the first parts of a name are read as a surname; () where the dictionary's word counts."""
    compound = COMPOUND_SURNAMES.get(beginning)
    if compound and length > 2:
        return tuple((reading,) for reading in compound)
    return (SURNAMES.get(beginning[:1], ()),)


def _unit(text: str, readings: tuple[str, ...], as_surname: tuple[str, ...] | None) -> Unit:
    """In a surname the dictionary's first reading is likely enough, elsewhere its first two are."""
    usual = readings[:2] if as_surname is None else (*as_surname, *readings[:1])
    likely = dict.fromkeys(typed for reading in usual for typed in _typed(reading))
    known = dict.fromkeys(typed for reading in readings for typed in _typed(reading))
    return Unit(text, tuple({**likely, **known}), len(likely))


def _typed(reading: str) -> tuple[str, ...]:
    if "v" not in reading:
        return (reading,)
    return tuple(reading.replace("v", typed) for typed in UMLAUT)


def sorting_key(name: str) -> str:
    """Sorts names as a Chinese phone book does: by the likeliest reading of each character."""
    return " ".join(unit.readings[0] for unit in units_of(name))
