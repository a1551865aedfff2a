"""Our own description, tried out: whatever fits it gets an answer that fits it, and no failure of ours."""

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kit.ledger import NOW, make_frame, make_life
from kit.service import SHIPPER, running
from postroad.guard.grants import Grant
from postroad.service.desk import Desk

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
ADMINISTERED = ("/keys", "/parties/purge", "/audit")
TRIES = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def try_out(operation, headers, base_url):
    """Send what fits an operation's description and look at the answers."""

    @TRIES
    @given(case=operation.as_strategy())
    def call(case):
        case.validate_response(case.call(base_url=base_url, headers=headers), checks=CHECKS)

    call()


def test_every_call_answers_as_described(tmp_path):
    folder = tmp_path / "service"
    with Desk(folder) as desk:
        desk.ledger.append(make_frame(*make_life()), now=NOW)
        desk.vault.seal([SHIPPER])
        keys = {role: desk.keys.make(Grant(role=role)) for role in ("operator", "administrator")}
    tried = []
    with running(folder, "--quiet") as (client, _):
        described = client.get("/openapi.json").json()
        schema = schemathesis.openapi.from_dict(described)
        for result in schema.get_all_operations():
            operation = result.ok()
            key = keys["administrator" if operation.path.startswith(ADMINISTERED) else "operator"]
            try_out(operation, {"Authorization": f"Bearer {key}"}, str(client.base_url))
            tried.append(operation.label)
    assert described["openapi"].startswith("3.1")
    assert len(tried) == sum(len(operations) for operations in described["paths"].values())
