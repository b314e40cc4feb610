"""Signatures of version 4 made with little work: thousands of requests are asked here.

Source: S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote

from attrs import evolve, field, frozen

from tests.end_to_end.matrix.recipes import FORM_BOUNDARY

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
TOKEN = "x-amz-security-token"
Pair = tuple[str, ...]
"""Access key id and secret, and the token of a session."""


@frozen(kw_only=True)
class Asked:
    """A request that is not signed yet."""

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        return f"{self.path}?{_query(self.query)}" if self.query else self.path


@frozen
class Signer:
    """Signs for a host, everything at one time."""

    host: str
    region: str
    date: str = field(factory=lambda: time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))

    def header(self, asked: Asked, pair: Pair) -> Asked:
        """Signed in the Authorization header, the body too."""
        digest = hashlib.sha256(asked.body).hexdigest()
        headers = {**asked.headers, "x-amz-content-sha256": digest, "x-amz-date": self.date}
        headers |= _token(pair, TOKEN)
        signature, signed = self._signature(evolve(asked, headers=headers), pair[1], digest)
        credential = f"Credential={pair[0]}/{self._scope}"
        headers["authorization"] = f"{ALGORITHM} {credential}, SignedHeaders={signed}, Signature={signature}"
        return evolve(asked, headers=headers)

    def presigned(self, asked: Asked, pair: Pair) -> Asked:
        """Signed in the query."""
        query = {
            **asked.query,
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{pair[0]}/{self._scope}",
            "X-Amz-Date": self.date,
            "X-Amz-Expires": "3600",
            "X-Amz-SignedHeaders": ";".join(self._signed(asked)),
            **_token(pair, "X-Amz-Security-Token"),
        }
        signature, _ = self._signature(evolve(asked, query=query), pair[1], UNSIGNED)
        return evolve(asked, query={**query, "X-Amz-Signature": signature})

    def jay(self, asked: Asked, pair: Pair, secret: str) -> Asked:
        """Signed in the query as Jay does it, by the server's secret."""
        until = str(int(time.time()) + 3600)
        query = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in sorted(asked.query.items()))
        lines = "\n".join([pair[0], asked.method, unquote(asked.path), query, until])
        signature = hmac.new(secret.encode(), lines.encode(), "sha256").hexdigest()
        own = {"X-Jay-Token": pair[0], "X-Jay-Expires": until, "X-Jay-Signature": signature}
        return evolve(asked, query={**asked.query, **own})

    def form(self, asked: Asked, pair: Pair | None, key: str) -> Asked:
        """A browser's form whose file is the body."""
        fields = {"key": key}
        if pair is not None:
            fields |= {"x-amz-algorithm": ALGORITHM, "x-amz-credential": f"{pair[0]}/{self._scope}"}
            fields |= {"x-amz-date": self.date, **_token(pair, TOKEN)}
            conditions = [{"bucket": asked.path[1:]}, *({name: value} for name, value in fields.items())]
            policy = json.dumps({"expiration": "2099-01-01T00:00:00.000Z", "conditions": conditions})
            fields["policy"] = base64.b64encode(policy.encode()).decode()
            fields["x-amz-signature"] = self._mac(pair[1], fields["policy"])
        lines = [f'name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
        lines.append(f'name="file"; filename="f"\r\n\r\n{asked.body.decode()}')
        parts = "".join(f"--{FORM_BOUNDARY}\r\nContent-Disposition: form-data; {line}\r\n" for line in lines)
        content_type = {"content-type": f"multipart/form-data; boundary={FORM_BOUNDARY}"}
        body = f"{parts}--{FORM_BOUNDARY}--\r\n".encode()
        return evolve(asked, headers={**asked.headers, **content_type}, body=body)

    @property
    def _scope(self) -> str:
        return f"{self.date[:8]}/{self.region}/s3/aws4_request"

    def _signed(self, asked: Asked) -> list[str]:
        return sorted(["host", *(name for name in asked.headers if name.startswith("x-amz-"))])

    def _signature(self, asked: Asked, secret: str, digest: str) -> tuple[str, str]:
        headers = {"host": self.host, **asked.headers}
        signed = self._signed(asked)
        lines = [f"{name}:{headers[name]}" for name in signed]
        canonical = [asked.method, asked.path, _query(asked.query), *lines, "", ";".join(signed), digest]
        hashed = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
        return self._mac(secret, f"{ALGORITHM}\n{self.date}\n{self._scope}\n{hashed}"), ";".join(signed)

    def _mac(self, secret: str, text: str) -> str:
        return hmac.new(_signing_key(secret, self._scope), text.encode(), "sha256").hexdigest()


def _token(pair: Pair, name: str) -> dict[str, str]:
    return {name: pair[2]} if len(pair) > 2 else {}


@lru_cache
def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def _query(query: Mapping[str, str]) -> str:
    """In the order in which it is signed."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)
