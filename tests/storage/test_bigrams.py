"""Bigrams: the pairs that text and query have in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.storage.bigrams import bigrams, folded, holds


def test_a_text_gives_its_overlapping_pairs() -> None:
    assert bigrams("今天开会") == ["今天", "天开", "开会"]
    assert bigrams("好") == []


def test_case_and_kinds_of_blank_make_no_difference() -> None:
    assert folded("Dr. WANG") == folded("dr. wang")
    assert folded("王\u3000五") == folded("王 五") == folded("王\u00a0五")


@pytest.mark.parametrize("text", ['a "b', "x-y", "tab\tnul\x00", "a*b OR c", "{a}:^b"])
def test_a_pair_holds_no_blank_and_no_ascii_punctuation(text: str) -> None:
    joined = "".join(bigrams(text))

    assert all(character.isalnum() or ord(character) >= 0x80 for character in joined)


@given(st.text(), st.text(), st.text(min_size=2))
def test_a_text_holds_what_was_put_into_it(before: str, after: str, inside: str) -> None:
    text = before + inside + after

    assert holds(text, inside)
    assert set(bigrams(inside)) <= set(bigrams(text))
