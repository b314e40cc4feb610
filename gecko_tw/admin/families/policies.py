"""The simulator: what policies decide, and which statement."""

import json

from gecko_tw.admin.rows import Asked, row
from gecko_tw.admin.schemas import BOOLEAN, POLICY, answer, listed, members, named, text
from gecko_tw.resources.dispatch.operations import POST
from gecko_tw.resources.gates.explaining import Question, explained
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

_LINES = listed({"type": "string"})


@row(
    "SimulatePolicy",
    POST,
    "/policies/simulate",
    needs="admin:GetPolicy",
    changes=False,
    body=members(
        ["who", "action", "resource"],
        who=text(256, least=1),
        action=text(128, least=1),
        resource=text(2048),
        conditions={"type": "object", "additionalProperties": text(1024), "maxProperties": 100},
        policies={**named(POLICY), "maxProperties": 20},
    ),
    answer=answer(allowed=BOOLEAN, request={"type": "string"}, why=_LINES, statements=_LINES, acl=_LINES),
)
def simulate(asked: Asked) -> Json:
    """Whether somebody may do something, and why: an access key, an account, ACCOUNT/USER, or `anonymous`; drafts count, too."""
    ground, given = asked.ground, asked.given
    drafts = {
        name: policy if isinstance(policy, str) else json.dumps(policy)
        for name, policy in given("policies", {}).items()
    }
    question = Question(
        who=given("who"),
        action=given("action"),
        resource=given("resource"),
        values=given("conditions", {}),
        policies=drafts,
    )
    try:
        return explained(ground.store.objects, ground.identities, question, ground.settings)
    except ValueError as wrong:
        raise InvalidArgument(str(wrong), Field="body") from None
