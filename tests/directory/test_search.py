"""Finding people by what somebody remembers of them."""

import time

import pytest

from benchmarks.pinyin_search import QUERIES, crowd
from server.directory import Directory, Person
from server.directory.index import PeopleIndex

NAMES = {
    "s01": "单雨桐",
    "s02": "曾志远",
    "s03": "仇丽华",
    "s04": "翟敏",
    "s05": "查景行",
    "s06": "区国华",
    "s07": "解静怡",
    "s08": "盖子轩",
    "s09": "尉明",
    "s10": "尉迟恭",
    "s11": "欧阳晨曦",
    "s12": "吕长青",
    "s13": "张伟",
    "s14": "张伟明",
    "s15": "章薇",
    "s16": "邓莉",
    "s17": "John Smith",
    "s18": "阿依古丽·买买提",
    "s19": "万俟春",
    "s20": "朴正阳",
}


def index_of(**more: str) -> PeopleIndex:
    index = PeopleIndex()
    for number, (account, name) in enumerate({**NAMES, **more}.items()):
        index.add(
            Person(
                id=account,
                name=name,
                employee_number=f"2001{number:04d}",
                mobile=f"1000012{number:04d}",
                office_phone=f"0571-6{number:04d}",
            )
        )
    return index


def found(query: str, limit: int = 20) -> list[str]:
    return [person.name for person in index_of().search(query, limit)]


@pytest.mark.parametrize(
    ("name", "as_surname", "elsewhere"),
    [
        ("单雨桐", "shan", "dan"),
        ("曾志远", "zeng", "ceng"),
        ("仇丽华", "qiu", "chou"),
        ("翟敏", "zhai", "di"),
        ("查景行", "zha", "cha"),
        ("区国华", "ou", "qu"),
        ("解静怡", "xie", "jie"),
        ("盖子轩", "ge", "gai"),
        ("尉明", "wei", "yu"),
        ("尉迟恭", "yuchi", "weichi"),
        ("万俟春", "moqi", "wanqi"),
        ("朴正阳", "piao", "pu"),
    ],
)
def test_a_surname_is_found_by_both_readings(name: str, as_surname: str, elsewhere: str) -> None:
    assert name in found(as_surname)
    assert name in found(elsewhere)
    assert name in found(as_surname[0])
    assert name in found(elsewhere[0])


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("zhangwei", "张伟"),
        ("ZhangWei", "张伟"),
        ("zhang wei", "张伟"),
        ("zhang'wei", "张伟"),
        ("ｚｈａｎｇｗｅｉ", "张伟"),
        ("zw", "张伟"),
        ("zhw", "张伟"),
        ("zhangw", "张伟"),
        ("zwei", "张伟"),
        ("张w", "张伟"),
        ("张wei", "张伟"),
        ("zhang伟", "张伟"),
        ("z伟", "张伟"),
        ("张", "张伟"),
        ("伟", "张伟"),
        ("wei", "张伟"),
        ("zhangwe", "张伟"),
        ("zwm", "张伟明"),
        ("伟明", "张伟明"),
        ("lvchangqing", "吕长青"),
        ("luchangqing", "吕长青"),
        ("lyuchangqing", "吕长青"),
        ("lüchangqing", "吕长青"),
        ("lvzhangqing", "吕长青"),
        ("zhajinghang", "查景行"),
        ("zhajingxing", "查景行"),
        ("oycx", "欧阳晨曦"),
        ("ouyang", "欧阳晨曦"),
        ("smith", "John Smith"),
        ("johnsm", "John Smith"),
        ("买买提", "阿依古丽·买买提"),
        ("maimaiti", "阿依古丽·买买提"),
        ("古丽买买提", "阿依古丽·买买提"),
    ],
)
def test_a_name_is_found_however_it_is_typed(query: str, name: str) -> None:
    assert name in found(query)


@pytest.mark.parametrize(
    "query", ["zhangli", "伟张", "xw", "😀", "*", "(.*", "%", "zhangweix", " "]
)
def test_what_is_nobodys_name_finds_nobody(query: str) -> None:
    assert found(query) == []


def test_the_whole_name_comes_before_its_beginning_and_that_before_its_middle() -> None:
    assert found("zhangwei") == ["张伟", "章薇", "张伟明"]
    assert found("张伟")[:2] == ["张伟", "张伟明"]
    assert found("wei")[0] == "尉明"


def test_a_reading_unlikely_in_a_name_comes_last() -> None:
    names = found("shan")

    assert names[0] == "单雨桐"
    assert "邓莉" in names[1:]


def test_accounts_and_employee_numbers_are_found_whole_and_begun() -> None:
    assert found("s03")[0] == "仇丽华"
    assert found("20010002")[0] == "仇丽华"
    assert len(found("s0")) == 9


def test_three_digits_of_a_number_are_enough_and_two_are_not() -> None:
    assert "仇丽华" in found("120002")
    assert "仇丽华" in found("60002")
    assert len(found("012")) == 20
    assert found("12") == []


def test_no_more_than_the_limit_are_given() -> None:
    assert len(found("z", limit=2)) == 2


def test_a_changed_person_is_found_by_the_new_name_only() -> None:
    index = index_of()

    index.add(Person(id="s13", name="李强"))

    assert [p.id for p in index.search("liqiang", 5)] == ["s13"]
    assert [p.name for p in index.search("zhangwei", 5)] == ["章薇", "张伟明"]
    assert index.search("120012", 5) == []
    assert len(index) == len(NAMES)


def test_what_was_added_and_removed_leaves_nothing_behind() -> None:
    index = index_of()
    for account in NAMES:
        index.remove(account)

    assert len(index) == 0
    assert index.search("zhang", 5) == index.search("s0", 5) == index.search("100", 5) == []


def test_retired_people_are_known_and_not_found() -> None:
    directory = Directory()
    directory.refresh([Person(id="s1", name="张伟", roles=()), Person(id="s2", name="张伟")])
    directory.refresh([Person(id="s1", name="张伟", retired_at=1)])

    assert [person.id for person in directory.search("zhangwei")] == ["s2"]
    assert directory.person("s1") is not None
    assert directory.roles_of("s1") is None


def test_a_search_among_ten_thousand_takes_at_most_20_ms() -> None:
    index = PeopleIndex()
    for person in crowd():
        index.add(person)

    costs = {}
    for what, query in QUERIES.items():
        start = time.thread_time()
        index.search(query, 20)
        costs[what] = (time.thread_time() - start) * 1000

    assert max(costs.values()) <= 20, costs
