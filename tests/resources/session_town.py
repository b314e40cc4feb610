"""A service with key pairs that are kept, whose callers sign what they ask, and may begin sessions."""

import json
from typing import Any
from urllib.parse import urlencode

from attrs import evolve
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from lxml import etree

from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.identities import AccessKey, Account, OnePair, User
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.callers.accounts.sessions import Sessions
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.resources.documents.query_protocol import NAMESPACES
from gecko_tw.store.drivers.memory import MemoryDriver
from tests.callers.signatures.signing import clock_of_botocore
from tests.resources.asking import FakeRequest, Shop, shop

NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"
ROLE = {"RoleArn": "arn:aws:iam::main:role/any", "RoleSessionName": "work"}
ROOT, ANN, MAIN = (
    Credentials("root", "rootsecret"),
    Credentials("annkey", "annsecret"),
    Credentials("mainkey", "mainsecret"),
)


def policy(action: str | list[str], resource: str | list[str] = "*", effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Town:
    """A service with an account, a user of it, and the superuser."""

    def __init__(self) -> None:
        self.there: Shop = shop()
        sealer = Sealer(bytes(32))
        self.registry = Registry(MemoryDriver().documents, sealer)
        self.registry.put_account(Account(id="main"))
        self.registry.put_user(User(account="main", name="ann", policies={"all": policy("s3:*")}))
        self.registry.add_key(AccessKey(access_key="annkey", secret="annsecret", account="main", user="ann"))
        self.registry.add_key(AccessKey(access_key="mainkey", secret="mainsecret", account="main"))
        directory = Directory(self.registry, OnePair("root", "rootsecret"))
        service = self.there.service
        service.identities = directory
        service.authenticator = Authenticator(directory, service.clock.seconds)
        service.sessions = Sessions(sealer)
        service.registry = self.registry

    def change_key(self, **changes: object) -> None:
        self.registry.put_key(evolve(self.registry.key("annkey"), **changes))

    def add_key(self, name: str, user: str, account: str = "main", **more: Any) -> None:
        """Another key; its secret is ``secret``."""
        self.registry.add_key(AccessKey(access_key=name, secret="secret", account=account, user=user, **more))

    def post(self, body: bytes | str, who: Credentials | None = ANN, service: str = "sts", **how: Any) -> FakeRequest:
        """A form, signed by somebody or by nobody."""
        raw = body if isinstance(body, bytes) else body.encode()
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        if who is not None:
            request = AWSRequest(method="POST", url="http://s3.test/", data=raw, headers=headers)
            with clock_of_botocore(self.there.clock.seconds()):
                SigV4Auth(who, service, "us-east-1").add_auth(request)
            headers = dict(request.headers)
        return self.there.send("POST", "/", how.pop("sent", raw), headers=headers, **how)

    def act(self, action: str, who: Credentials | None = ANN, **parameters: str) -> FakeRequest:
        return self.post(urlencode({"Action": action, "Version": "2011-06-15", **parameters}), who)

    def iam(self, action: str, who: Credentials | None = MAIN, **parameters: str) -> FakeRequest:
        """An action of IAM; of names of parameters ``__`` means a dot."""
        given = {name.replace("__", "."): value for name, value in parameters.items()}
        return self.post(urlencode({"Action": action, "Version": "2010-05-08", **given}), who, "iam")

    def begin(self, who: Credentials = ANN, text: str | None = None, **parameters: str) -> Credentials:
        """A session."""
        given = parameters if text is None else {**parameters, "Policy": text}
        return credentials_of(self.act("AssumeRole", who, RoleSessionName="work", **given))

    def ask(self, who: Credentials | None, method: str, target: str, body: bytes = b"") -> FakeRequest:
        """A request to S3."""
        request = AWSRequest(method=method, url="http://s3.test" + target, data=body)
        request.context["payload_signing_enabled"] = True
        if who is not None:
            with clock_of_botocore(self.there.clock.seconds()):
                S3SigV4Auth(who, "s3", "us-east-1").add_auth(request)
        return self.there.ask(method, target, body, headers=dict(request.headers))


def document(request: FakeRequest) -> etree._Element:
    assert request.header("content-type") == "application/xml"
    return etree.fromstring(request.body)


def credentials_of(request: FakeRequest) -> Credentials:
    assert request.status == 200, request.body
    found = {child.tag.removeprefix(NAMESPACE): child.text for child in document(request).iter()}
    return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def refused(request: FakeRequest, service: str = "sts") -> tuple[int, str]:
    """Status and code of a refusal in the service's own form."""
    root, space = document(request), f"{{{NAMESPACES[service]}}}"
    assert [child.tag for child in root] == [f"{space}Error", f"{space}RequestId"]
    assert root.tag == f"{space}ErrorResponse" and root[1].text == request.header("x-amz-request-id")
    kind, code, message = root[0]
    assert (kind.tag, kind.text) == (f"{space}Type", "Sender" if request.status < 500 else "Receiver")
    assert code.tag == f"{space}Code" and message.tag == f"{space}Message" and message.text
    return request.status, str(code.text)


def code(request: FakeRequest) -> str:
    """What S3 answers: the code of a refusal, or the status."""
    return str(request.status) if request.status < 300 else str(etree.fromstring(request.body).findtext("Code"))
