"""Settings that are refused at the start, in a sentence."""

import pytest

from server.integrations.oa.ecology import OAConfig
from server.settings import BadSetting, load

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
