"""Settings that are refused at the start, in a sentence."""

from pathlib import Path

import pytest

from server.integrations.oa.ecology import OAConfig
from server.settings import BadSetting
from server.settings_loading import load

FILES = "YUANXIN_OA_FILES_URL"


@pytest.mark.parametrize(
    "address", ["", "https://oa.example/down?fileid={id}&download=1", "http://10.0.0.3:8080/f/{id}"]
)
def test_an_address_of_files_holds_their_number_once(address: str) -> None:
    assert load({FILES: address}).oa_files_url == address


@pytest.mark.parametrize(
    "address",
    [
        "https://oa.example/down",
        "https://oa.example/{id}/{id}",
        "https://{id}.example/down",
        "https://oa.example:{id}/down",
        "https://user@oa.example/{id}",
        "ftp://oa.example/{id}",
        "//oa.example/{id}",
        "oa.example/{id}",
    ],
)
def test_an_address_whose_host_a_number_could_change_is_refused(address: str) -> None:
    with pytest.raises(BadSetting, match=FILES):
        load({FILES: address})


def test_what_opens_the_oa_is_shown_nowhere() -> None:
    """A gateway before the OA is opened by a header."""
    settings = load({"YUANXIN_OA_HEADERS": "Authorization: Bearer of-the-gateway"})
    config = OAConfig("http://oa.example", headers=settings.oa_extra_headers)
    assert config.headers == {"Authorization": "Bearer of-the-gateway"}
    assert "of-the-gateway" not in repr(settings) + repr(config)


@pytest.mark.parametrize("given", ["金额，处分", "金额、处分", "金额, 处分"])
def test_words_are_parted_by_the_commas_of_a_chinese_keyboard_too(given: str) -> None:
    settings = load({"YUANXIN_OA_CARD_RISKS": given, "YUANXIN_WECOM_GROUPS_EXCEPT": given})

    assert settings.oa_words_of_risk == ("金额", "处分")
    assert settings.wecom_group_words == ("金额", "处分")


def test_a_list_in_the_file_is_refused_and_not_taken_for_words_nothing_equals(
    tmp_path: Path,
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('oa_card_risks = ["金额", "处分"]\n', encoding="utf-8")

    with pytest.raises(BadSetting, match="oa_card_risks must be one value"):
        load({"YUANXIN_CONFIG": str(file)})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("YUANXIN_DATA_DIR", "", "YUANXIN_DATA_DIR is empty"),
        ("YUANXIN_PUBLIC_URL", "https://", "must be http://host"),
        ("YUANXIN_OA_ENDPOINT", "http:///services", "must be http://host"),
        ("YUANXIN_SMS_URL", "https://[sms.example/send", "must be http://host"),
    ],
)
def test_a_place_that_is_none_is_refused(name: str, value: str, sentence: str) -> None:
    with pytest.raises(BadSetting, match=sentence):
        load({name: value})
