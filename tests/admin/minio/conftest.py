"""Encrypted bodies in the tests of MinIO's face cost little: what they really cost is for the tests of messages."""

import pytest

from gecko_tw.admin.minio import messages


@pytest.fixture(autouse=True)
def cheap_keys(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.path.name != "test_messages.py":
        monkeypatch.setattr(messages, "_KIBIBYTES", 64)
