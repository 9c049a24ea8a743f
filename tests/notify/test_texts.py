"""What a locked screen shows."""

import pytest

from server.notify.texts import excerpt, message_description, todo_description, todo_title


@pytest.mark.parametrize(
    ("language", "count", "group", "expected"),
    [
        ("zh", 1, False, "张三 发来一条新消息"),
        ("zh", 12, False, "张三 发来 12 条新消息"),
        ("zh", 12, True, "张三等 12 条新消息"),
        ("zh", 250, True, "张三等 99+ 条新消息"),
        ("en", 2, True, "2 new messages from 张三 and others"),
        ("fr", 1, True, "张三 发来一条新消息"),
    ],
)
def test_the_count_and_the_name_are_said(
    language: str, count: int, group: bool, expected: str
) -> None:
    assert message_description(language, "张三", count, group=group) == expected


def test_the_text_is_shown_only_when_it_is_given() -> None:
    shown = message_description("zh", "张三", 1, group=False, text="三床\n血钾 2.8")

    assert shown == "张三 发来一条新消息\n三床 血钾 2.8"
    assert len(excerpt("很" * 100)) == 40


def test_a_mention_is_said_first() -> None:
    assert message_description("zh", "张三", 9, group=True, mentioned=True) == "张三 提到了你"


def test_a_document_is_named_and_urgency_marked() -> None:
    assert todo_title("zh", "采购申请", urgent=True) == "【紧急】待办：采购申请"
    assert todo_description("zh", "李四") == "李四 提交，等待你处理"
