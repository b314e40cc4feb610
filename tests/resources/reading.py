"""Answers as botocore's clients read them."""

from typing import Any

import botocore.session
from botocore.parsers import create_parser

from tests.resources.asking import FakeRequest

MODEL = botocore.session.get_session().get_service_model("s3")
IAM = botocore.session.get_session().get_service_model("iam")


class Body:
    """A streamed body, as botocore's HTTP session has it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self) -> bytes:
        return self.data


def read(operation: str, reply: FakeRequest) -> dict[str, Any]:
    """What an SDK makes of an answer; for errors what it raises."""
    shape = MODEL.operation_model(operation).output_shape
    streaming = operation == "GetObject" and reply.status < 300
    found: dict[str, Any] = create_parser("rest-xml").parse(
        {
            "status_code": reply.status,
            "headers": {name.decode(): value.decode("latin-1") for name, value in reply.headers},
            "body": Body(reply.body) if streaming else reply.body,
            "context": {"operation_name": operation},
        },
        shape,
    )
    return found


def read_action(name: str, reply: FakeRequest) -> dict[str, Any]:
    """The same of an action of IAM."""
    found: dict[str, Any] = create_parser("query").parse(
        {
            "status_code": reply.status,
            "headers": {key.decode(): value.decode("latin-1") for key, value in reply.headers},
            "body": reply.body,
            "context": {"operation_name": name},
        },
        IAM.operation_model(name).output_shape,
    )
    return found
