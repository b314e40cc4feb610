"""Every action of IAM against botocore's model, and every action of the model against the table."""

import botocore.session
import pytest

from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.dispatch.operations import ACTION, IAM, POST, Operation
from tests.resources.session_town import Town, refused

MODEL = botocore.session.get_session().get_service_model("iam")
ROWS: dict[str, Operation] = {row.name: row for row in built_in().rows[POST, ACTION] if row.selectors}


def test_the_actions_that_people_and_programs_ask_for_are_there() -> None:
    asked = {
        f"{verb}{what}Policy" for verb in ("Put", "Get", "Delete", "Attach", "Detach") for what in ("User", "Group")
    }
    asked |= {f"{verb}{what}" for verb in ("Create", "Get", "Delete", "Update") for what in ("User", "Group", "Role")}
    asked |= {"CreatePolicy", "CreatePolicyVersion", "ListEntitiesForPolicy", "GetAccountSummary", "ListGroupsForUser"}
    assert asked | {"CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey"} <= set(ROWS)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_an_action_understands_nothing_that_the_model_does_not_have(name: str) -> None:
    row, model = ROWS[name], MODEL.operation_model(name)
    known = set() if model.input_shape is None else set(model.input_shape.members)
    assert row.takes <= known
    required = set() if model.input_shape is None else set(model.input_shape.required_members)
    assert required <= row.takes
    assert (row.service, row.needs) == (IAM, f"iam:{name}")


@pytest.mark.parametrize("name", sorted(set(MODEL.operation_names) - set(ROWS)))
def test_an_action_that_we_lack_is_refused(name: str) -> None:
    assert refused(Town().iam(name), IAM) == (400, "InvalidAction")
