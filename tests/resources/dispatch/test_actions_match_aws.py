"""Every action of IAM against botocore's model, and every action of the model against the table."""

import botocore.session
import pytest

from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.dispatch.operations import ACTION, IAM, POST, STS, Operation
from tests.resources.session_town import Town, refused

MODEL = botocore.session.get_session().get_service_model("iam")
ACTIONS = [row for row in built_in().rows[POST, ACTION] if row.selectors]
ROWS: dict[str, Operation] = {row.name: row for row in ACTIONS if row.service == IAM}
TOKENS: dict[str, Operation] = {row.name: row for row in ACTIONS if row.service == STS}


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


@pytest.mark.parametrize("name", sorted(TOKENS))
def test_an_action_of_sts_understands_what_its_model_has_and_no_more(name: str) -> None:
    row, model = TOKENS[name], botocore.session.get_session().get_service_model("sts").operation_model(name)
    shape = model.input_shape
    assert row.takes <= (set() if shape is None else set(shape.members))
    assert set(shape.required_members if shape is not None else ()) <= row.takes
    assert row.needs == f"sts:{name}"


def test_an_action_is_asked_for_where_its_service_is() -> None:
    assert set(TOKENS) == {"AssumeRole", "AssumeRoleWithWebIdentity", "GetSessionToken", "GetCallerIdentity"}
    for name in TOKENS:
        assert refused(Town().iam(name), IAM) == (400, "InvalidAction")
