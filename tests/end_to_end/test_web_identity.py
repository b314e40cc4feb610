"""Web identity: whom an issuer that the test runs vouches for assumes a role, and nobody else."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from boto3.session import Session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.end_to_end.daemon import Daemon

BOTO = Session(region_name=Daemon.region)
QUIET = {"max_attempts": 0}


class Issuer:
    """An OpenID Connect provider with keys that can be changed."""

    def __init__(self) -> None:
        self.keys = {"first": ec.generate_private_key(ec.SECP256R1())}
        self.asked: list[str] = []
        self.long = False
        issuer = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                body = json.dumps(issuer.document(self.path)).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("localhost", 0), Answers)
        self.url = f"http://localhost:{self.server.server_port}/realms/x"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def document(self, path: str) -> Any:
        if path == "/realms/x/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", "more": "x" * (300_000 if self.long else 0)}
        public = {kid: json.loads(ECAlgorithm.to_jwk(key.public_key())) for kid, key in self.keys.items()}
        return {"keys": [{**one, "kid": kid} for kid, one in public.items()]}

    def token(self, kid: str = "first", **changes: Any) -> str:
        told = {"iss": self.url, "sub": "ann", "aud": "app", "exp": time.time() + 600, **changes}
        return jwt.encode(told, self.keys[kid], "ES256", headers={"kid": kid})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("oidc"), "--workers=2") as daemon:
        yield daemon


def client(daemon: Daemon, service: str, **credentials: Any) -> Any:
    endpoint = f"http://127.0.0.1:{daemon.port}"
    given = credentials or {"aws_access_key_id": Daemon.access_key, "aws_secret_access_key": Daemon.secret_key}
    return BOTO.client(service, endpoint_url=endpoint, config=Config(retries=QUIET), **given)


def assume(daemon: Daemon, token: str, role: str = "web", **more: Any) -> Any:
    sts = BOTO.client(
        "sts", endpoint_url=f"http://127.0.0.1:{daemon.port}", config=Config(signature_version=UNSIGNED, retries=QUIET)
    )
    arn = f"arn:aws:iam::000000000000:role/{role}"
    return sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="ann", WebIdentityToken=token, **more)


def refused(daemon: Daemon, token: str, role: str = "web") -> str:
    with pytest.raises(ClientError) as caught:
        assume(daemon, token, role)
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def role(daemon: Daemon, issuer: Issuer) -> Iterator[str]:
    """A role for the issuer's user ann."""
    iam = client(daemon, "iam")
    arn = iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"])["OpenIDConnectProviderArn"]
    name = issuer.url.partition("://")[2]
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": arn},
        "Condition": {"StringEquals": {f"{name}:sub": "ann", f"{name}:aud": "app"}},
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=text)
    iam.attach_role_policy(RoleName="web", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    yield "web"
    iam.detach_role_policy(RoleName="web", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    iam.delete_role(RoleName="web")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)


def test_whom_the_issuer_vouches_for_assumes_the_role(daemon: Daemon, issuer: Issuer, role: str) -> None:
    answer = assume(daemon, issuer.token(), DurationSeconds=900)
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"]) == ("ann", "app", issuer.url)
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/web/ann"
    given = answer["Credentials"]
    s3 = client(
        daemon,
        "s3",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    s3.create_bucket(Bucket="anns")
    s3.delete_bucket(Bucket="anns")
    for _ in range(8):
        assume(daemon, issuer.token())
    assert len(issuer.asked) <= 4  # twice in each of two processes


def test_nobody_else_does(daemon: Daemon, issuer: Issuer, role: str) -> None:
    other = Issuer()
    try:
        assert refused(daemon, issuer.token(sub="bob")) == "AccessDenied"
        assert refused(daemon, issuer.token(aud="other")) == "InvalidIdentityToken"
        assert refused(daemon, issuer.token(exp=time.time() - 1)) == "ExpiredTokenException"
        assert refused(daemon, issuer.token(), "none") == "AccessDenied"
        assert refused(daemon, other.token()) == "InvalidIdentityToken"
        assert refused(daemon, other.token(iss=issuer.url)) == "InvalidIdentityToken"
        assert refused(daemon, "nonsense") == "InvalidIdentityToken"
        assert other.asked == []
    finally:
        other.server.shutdown()
        other.server.server_close()


def test_an_issuer_that_is_gone_or_talks_too_much_vouches_for_nobody(daemon: Daemon, issuer: Issuer, role: str) -> None:
    issuer.long = True
    assert refused(daemon, issuer.token()) == "IDPCommunicationError"
    assert set(issuer.asked) == {"/realms/x/.well-known/openid-configuration"}
