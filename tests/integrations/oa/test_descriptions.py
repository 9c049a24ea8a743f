"""Which description (WSDL) is used: the service's own where it says all that we use, else ours."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.ecology import BUNDLED_WSDL, Ecology, OAConfig
from server.integrations.oa.soap import Limits
from server.sandbox.oa_later import later_description
from tests.integrations.oa.papers import said
from tests.integrations.oa.scripted import COUNT, NS, Script, envelope

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = Path(BUNDLED_WSDL).read_text("utf-8")
LATER = later_description(FIRST)


@dataclass
class Live:
    """An OA that describes itself."""

    script: Script
    address: str
    log: pytest.LogCaptureFixture

    async def opened(self, description: str, wsdl: str = "") -> Ecology:
        self.script.body = description
        self.log.clear()
        clock = SystemClock()
        config = OAConfig(
            self.address, wsdl=wsdl or f"{self.address}?wsdl", limits=Limits(timeout_s=5)
        )
        oa = Ecology(config, Budget(1_000, clock), Breaker(clock))
        await oa.open()
        self.script.forget()
        return oa

    @property
    def told(self) -> str:
        return " ".join(record.getMessage() for record in self.log.records)


@pytest.fixture
def live(script: Script, address: str, caplog: pytest.LogCaptureFixture) -> Live:
    caplog.set_level(logging.WARNING, logger="server.integrations.oa.soap")
    return Live(script, address, caplog)


async def test_a_later_description_is_used_and_says_more(live: Live) -> None:
    oa = await live.opened(LATER)
    assert live.told == ""
    assert oa.finds_users
    live.script.body = said("getUserId", "17")
    assert await oa.user_of("0812") == "17"
    assert ">workcode<" in live.script.asked[0][1]
    for nobody in ("", "0", "-1", "无"):
        live.script.body = said("getUserId", nobody)
        assert await oa.user_of("0813") is None
    await oa.close()


async def test_what_ours_does_not_offer_is_not_asked(live: Live) -> None:
    oa = await live.opened("", BUNDLED_WSDL)
    assert not oa.finds_users
    assert await oa.user_of("0812") is None
    assert live.script.asked == []
    await oa.close()


LACKING = {
    "an operation": FIRST.replace("getWorkflowRequest4split", "getWorkflowRequest5split"),
    "a field": FIRST.replace('name="currentNodeId"', 'name="currentNode"'),
    "a field of what is sent": FIRST.replace('name="fieldValue"', 'name="value"'),
    "a kind of value": FIRST.replace(
        f'<xsd:element name="{COUNT}">', f'<xsd:element name="{COUNT}">', 1
    ).replace('name="canView" type="xsd:boolean"', 'name="canView" type="xsd:string"'),
    "the order of parameters": FIRST.replace(
        'name="in0" type="xsd:int"', 'name="x" type="xsd:int"'
    ),
    "a parameter of ours only": FIRST.replace(
        '<xsd:element maxOccurs="1" minOccurs="1" name="in4" nillable="true" type="xsd:string"/>',
        '<xsd:element maxOccurs="1" minOccurs="1" name="in4" nillable="true" type="xsd:string"/>'
        '<xsd:element maxOccurs="1" minOccurs="1" name="in5" type="xsd:int"/>',
    ),
}


@pytest.mark.parametrize("what", LACKING)
async def test_a_description_that_lacks_something_is_passed_over(live: Live, what: str) -> None:
    assert LACKING[what] != FIRST
    oa = await live.opened(LACKING[what])
    assert "lacks" in live.told
    live.script.body = envelope(f'<a:{COUNT} xmlns:a="{NS}"><a:out>3</a:out></a:{COUNT}>')
    assert (await oa.counts("2")).pending == 3
    await oa.close()


ENTITY = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
BAD = {
    "nothing": "",
    "a page": "<html><body>login</body></html>",
    "an entity": FIRST.replace("?>", f"?>{ENTITY}", 1),
    "bombs": FIRST.replace("?>", '?><!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>', 1),
    "half of it": FIRST[: len(FIRST) // 2],
}


@pytest.mark.parametrize("what", BAD)
async def test_a_description_that_cannot_be_read_is_passed_over(live: Live, what: str) -> None:
    oa = await live.opened(BAD[what])
    assert "cannot be read" in live.told
    live.script.body = envelope(f'<a:{COUNT} xmlns:a="{NS}"><a:out>3</a:out></a:{COUNT}>')
    assert (await oa.counts("2")).pending == 3
    await oa.close()


@pytest.mark.parametrize(
    "place", ["http://localhost:{port}/x.xsd", "file:///etc/hostname", "http://127.0.0.2:{port}/x"]
)
async def test_a_description_is_read_from_its_own_place_only(live: Live, place: str) -> None:
    port = live.address.split(":")[2].split("/")[0]
    imported = f'<xsd:import namespace="urn:x" schemaLocation="{place.format(port=port)}"/>'
    at = FIRST.index("<xsd:element name=")
    oa = await live.opened(FIRST[:at] + imported + FIRST[at:])
    assert "cannot be read" in live.told
    await oa.close()


async def test_a_file_that_lacks_something_stops_the_start(live: Live, tmp_path: Path) -> None:
    file = tmp_path / "own.wsdl"
    file.write_text(LACKING["a field"], "utf-8")
    with pytest.raises(ValueError, match=r"lacks .*currentNodeId"):
        await live.opened("", str(file))
    file.write_text(LATER, "utf-8")
    oa = await live.opened("", str(file))
    assert oa.finds_users
    await oa.close()
