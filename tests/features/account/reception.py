"""A reception desk to test signing in at: the office behind the real HTTP routes, on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from server.app import web_application
from server.audit import AuditRow
from server.auth import Credential
from server.auth.failures import SignInLimits
from server.auth.passwords import HASHER, Passwords
from server.auth.sessions import Sessions
from server.auth.tickets.memory import MemoryTickets
from server.features import account, contacts
from server.features.account.protocol import ServerFacts
from server.features.account.sign_in import SignIn
from server.settings import Settings
from server.storage import Put
from server.storage.document import from_doc, to_doc
from tests.features.office import Office, open_office

PASSWORD = "correct horse"
HASH = HASHER.hash(PASSWORD)


class Reception:
    """The office with a door. Every answer is (status, body)."""

    def __init__(self, office: Office, sign_in: SignIn, http: TestClient[Any, Any]) -> None:
        self.office = office
        self.desk = sign_in
        self.sessions = sign_in.sessions
        self.http = http

    async def post(self, path: str, body: Any, token: str = "", **headers: str) -> ClientResponse:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return await self.http.post(f"/api/v1/{path}", json=body, headers=headers)

    async def try_sign_in(self, account: str, password: str = PASSWORD) -> tuple[int, Any]:
        response = await self.post("auth/login", {"account": account, "password": password})
        return response.status, await response.json()

    async def sign_in(self, account: str, password: str = PASSWORD) -> str:
        status, body = await self.try_sign_in(account, password)
        assert status == 200, body
        return body["token"]

    async def ask(self, token: str, name: str, **fields: Any) -> dict[str, Any]:
        """The ack of a command."""
        response = await self.post(f"commands/{name}", fields, token)
        return await response.json()

    async def session_of(self, token: str) -> str:
        return (await self.sessions.authenticate(token)).session_id

    async def audited(self, action: str) -> list[AuditRow]:
        docs = await self.office.store.scan(AuditRow.collection.name, limit=500)
        rows = [from_doc(AuditRow, doc) for doc in docs]
        return [row for row in rows if row.action == action]


@asynccontextmanager
async def open_reception(
    folder: Path, *, public_url: str = "", credential_hash: str = HASH
) -> AsyncIterator[Reception]:
    features = (account.feature, contacts.feature)
    async with open_office(folder, features, _blank_services()) as office:
        settings = replace(Settings(), public_url=public_url)
        passwords = Passwords()
        sessions = Sessions(
            office.store, office.clock, office.directory.roles_of, idle_hours=72, days=30
        )
        limits = SignInLimits(office.clock)
        office.services.update({Passwords: passwords, Sessions: sessions, SignInLimits: limits})
        office.open()
        desk = SignIn(
            office.store,
            office.hub,
            office.clock,
            office.directory,
            passwords,
            limits,
            sessions,
            MemoryTickets(office.clock),
        )
        for person in office.directory.active():
            kept = Credential(id=person.id, password_hash=credential_hash, changed_at=0)
            await office.store.apply(Put(Credential.collection.name, to_doc(kept), None))
        office.services[SignIn] = desk
        app = web_application(features, settings, sessions, office.dispatcher, office.services)
        try:
            async with TestClient(TestServer(app)) as http:
                yield Reception(office, desk, http)
        finally:
            passwords.close()


def _blank_services() -> dict[type, Any]:
    """What the features ask for; the real ones follow once the store is there."""
    return {
        Passwords: None,
        Sessions: None,
        SignInLimits: None,
        ServerFacts: ServerFacts(recall_seconds=120, text_limit=5_000),
    }
