"""TLS in the process: pages, commands and sockets as without it, for a hospital that has no proxy."""

import ipaddress
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from realtime.gateway.direct_websocket import DirectWebSocket
from server.settings import BadSetting
from tests.server.house import PASSWORD, open_house


def certificate_in(folder: Path) -> Path:
    """A certificate for this machine and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ward")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "ward.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


async def test_a_socket_and_its_commands_work_over_tls_on_a_transport_of_its_own(
    tmp_path: Path,
) -> None:
    path = certificate_in(tmp_path)
    trust = ssl.create_default_context(cafile=str(path))
    async with open_house(tmp_path, tls_certificate=str(path)) as house:
        login = {"account": "ann", "password": PASSWORD}
        url = f"{house.url}/api/v1/auth"
        async with house.http.post(f"{url}/login", json=login, ssl=trust) as answer:
            token = (await answer.json())["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        async with house.http.post(f"{url}/ticket", headers=bearer, ssl=trust) as answer:
            ticket = (await answer.json())["ticket"]
        way = f"{house.url}/socket.io/?EIO=4&transport=websocket"
        # A connection of its own, as browsers open it: one that was used before stays aiohttp's.
        async with aiohttp.ClientSession() as fresh, fresh.ws_connect(way, ssl=trust) as ws:
            assert (await ws.receive_str()).startswith("0")
            await ws.send_str("40" + json.dumps({"ticket": ticket}))
            assert (await ws.receive_str()).startswith("40")
            await ws.send_str('427["chat.open",{"person_id":"bob"}]')
            opened = await ws.receive_str()
            while not opened.startswith("437"):
                opened = await ws.receive_str()
            assert json.loads(opened[3:])[0]["ok"] is True
            (connection,) = house.server.hub.connections_of("ann")
            assert isinstance(connection.wire.way, DirectWebSocket)


async def test_a_certificate_that_cannot_be_used_stops_the_start_with_the_reason(
    tmp_path: Path,
) -> None:
    with pytest.raises(BadSetting, match="TLS_CERTIFICATE"):
        async with open_house(tmp_path, tls_certificate=str(tmp_path / "none.pem")):
            pass
