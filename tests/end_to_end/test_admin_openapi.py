"""The admin API does what its own OpenAPI document says, whatever it is asked: no error of ours, no answer of another shape.

A few examples of each operation here. Many: ``schemathesis run http://HOST:PORT/api/v1/openapi.json``, see docs/admin-api.md.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from gecko_tw.admin.openapi import document_of
from gecko_tw.admin.table import ROWS
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.test_admin_api import host

EXAMPLES = 4
ENDLESS = "StreamRequests"
LIMITING = "SetLimits"
"""Would slow down everything that is asked after it."""

CHECKS = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    hook = "--webhook=closed=http://127.0.0.1:1/"
    with Daemon(tmp_path_factory.mktemp("openapi"), "--admin-listen=127.0.0.1:0", "--audit-log=off", hook) as daemon:
        yield daemon


def operations() -> dict[str, Any]:
    found = [one.ok() for one in schemathesis.openapi.from_dict(document_of(ROWS)).get_all_operations()]
    named = {one.definition.raw["operationId"]: one for one in found}
    return {name: one for name, one in named.items() if name not in (ENDLESS, LIMITING)}


OPERATIONS = operations()


def test_all_rows_are_in_the_document() -> None:
    assert set(OPERATIONS) | {ENDLESS, LIMITING} == {row.name for row in ROWS.rows}


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_is_asked_is_answered_as_the_document_says(daemon: Daemon, name: str) -> None:
    headers = {"Authorization": f"Bearer {daemon.access_key}:{daemon.secret_key}"}

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(case=OPERATIONS[name].as_strategy())
    def asked(case: Any) -> None:
        case.call_and_validate(base_url=f"http://{host(daemon)}/api/v1", headers=headers, checks=CHECKS)

    asked()
