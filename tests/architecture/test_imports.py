"""Imports point one way. The contracts stand in pyproject.toml; here they are held, and tried.

Each contract is checked against the real import graph, and once more against a copy into which a
breach was planted: a contract that lets its breach pass protects nothing.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

ROOT = Path(__file__).parents[2]
KINDS = {
    kind.type_name: kind
    for kind in (ForbiddenContract, IndependenceContract, LayersContract, ProtectedContract)
}
CONFIGURATION = read_configuration(str(ROOT / "pyproject.toml"))
CONTRACTS = {options["id"]: options for options in CONFIGURATION["contracts_options"]}

BREACHES = [
    ("hub", "realtime.hub", "server.features.chat"),
    ("hub", "realtime.limits", "server.settings"),
    ("features", "server.features.chat.commands", "server.features.todos.documents"),
    ("adapters", "server.features.chat.commands", "pymongo"),
    ("adapters", "server.features.chat.commands", "sqlite3"),
    ("adapters", "server.features.chat.commands", "realtime.hub"),
    ("adapters", "server.features.todos.commands", "server.integrations.oa.soap"),
    ("adapters", "server.features.dashboard.commands", "server.integrations.his.reading"),
    ("adapters", "server.features.chat.documents", "server.storage.sqlite"),
    ("floors", "server.outbox", "server.features.chat"),
    ("floors", "server.work", "server.features.chat"),
    ("floors", "server.notify", "server.dispatch"),
    ("floors", "server.audit", "server.directory"),
    ("floors", "server.acting", "server.features.documents"),
    ("floors", "server.storage.sqlite", "server.work"),
    ("floors", "server.integrations.oa.soap", "server.features.todos"),
    ("floors", "server.features.chat", "server.app"),
    ("floors", "server.newcomer", "server.settings"),
    ("sandbox", "server.sandbox.oa", "server.integrations.oa"),
    ("sandbox", "server.sandbox.oa", "realtime"),
    ("sandbox-users", "server.notify", "server.sandbox"),
]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("realtime", "server", include_external_packages=True, cache_dir=None)


def check(contract_id: str, graph: grimp.ImportGraph) -> tuple[bool, Any, Any]:
    options = CONTRACTS[contract_id]
    contract = KINDS[options["type"]](options["name"], CONFIGURATION["session_options"], options)
    outcome = contract.check(deepcopy(graph), verbose=False)
    return outcome.kept, contract, outcome


@pytest.mark.parametrize("contract_id", CONTRACTS)
def test_the_contract_is_kept(contract_id: str, graph: grimp.ImportGraph) -> None:
    kept, contract, outcome = check(contract_id, graph)

    if not kept:
        contract.render_broken_contract(outcome)  # pytest shows it beside the failure
    assert kept, f"broken: {contract.name}"


@pytest.mark.parametrize(("contract_id", "importer", "imported"), BREACHES)
def test_a_planted_breach_is_caught(
    contract_id: str, importer: str, imported: str, graph: grimp.ImportGraph
) -> None:
    spoiled = deepcopy(graph)
    spoiled.add_import(importer=importer, imported=imported, line_number=1, line_contents="planted")

    kept, _, _ = check(contract_id, spoiled)

    assert not kept


def test_every_contract_has_a_planted_breach() -> None:
    assert {contract_id for contract_id, _, _ in BREACHES} == set(CONTRACTS)
