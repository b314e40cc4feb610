"""No secret is in anything that a daemon or a command writes, however requests and settings go wrong."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from gecko_tw.callers.accounts.registry import KEY
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.settings import Settings
from tests.end_to_end.daemon import ROOT, Daemon, boto
from tests.patience import PATIENCE, eventually

ROOT_SECRET, SEED_SECRET, KEY_SECRET = "root+secret/hidden", "seed-secret-hidden", "key-secret-hidden"
ENCRYPTION, OTHER_ENCRYPTION = "encryption-key-hidden-1234567890", "b-hidden-encryption-key-97654321"
HOOK, HOOK_TOKEN = "hookpass-hidden", "hooktoken-hidden"
TOKEN, WRONG = "session-token-hidden", "wrong-secret-hidden"
CUSTOMER = "customer-key-hidden-123456789012"
OTHER_CUSTOMER = CUSTOMER[::-1]
SECRETS = (
    *(ROOT_SECRET, SEED_SECRET, KEY_SECRET, ENCRYPTION, OTHER_ENCRYPTION, HOOK, HOOK_TOKEN),
    *(TOKEN, WRONG, CUSTOMER, OTHER_CUSTOMER),
)
WEBHOOK = f"hook=http://user:{HOOK}@127.0.0.1:1/events?token={HOOK_TOKEN}"

SETTINGS = {
    "GECKOS3_SECRET_KEY": ROOT_SECRET,
    "GECKOS3_ENCRYPTION_KEY": ENCRYPTION,
    "GECKOS3_SEED_ACCOUNT": "shop",
    "GECKOS3_SEED_KEY_ID": "shopkey",
    "GECKOS3_SEED_SECRET": SEED_SECRET,
    "GECKOS3_WEBHOOK": WEBHOOK,
}

DECLARED = f"""
accounts: [declared]
keys:
- {{access-key: declaredkey, secret: {KEY_SECRET}, account: declared}}
"""

BAD_FILES = (
    f"keys: [{{access-key: {KEY_SECRET}}}]",
    f"secret-key: {{{KEY_SECRET}: x}}",
    f"secret-key: [{KEY_SECRET}, {KEY_SECRET}]",
    f"encryption-key: {KEY_SECRET}",
    f"webhook: 'hook=ftp://{KEY_SECRET}'",
    f"accounts: [a]\nkeys: [{{access-key: k, secret: {KEY_SECRET}, account: b}}]\nnonsense: x",
    f"keys:\n- secret: {KEY_SECRET}\n  secret: {KEY_SECRET}",
    f"secret-key: '{KEY_SECRET}",
    f'seed-secret: "{KEY_SECRET}\\n"',
)

BAD_STARTS: tuple[dict[str, str], ...] = (
    {"GECKOS3_ENCRYPTION_KEY": f"{OTHER_ENCRYPTION}, and more"},
    {"GECKOS3_ENCRYPTION_KEY": OTHER_ENCRYPTION},
    {"GECKOS3_SECRET_KEY": f"{ROOT_SECRET}\n"},
    {"GECKOS3_SEED_SECRET": f"{SEED_SECRET}\x07"},
    {"GECKOS3_SEED_KEY_ID": ""},
    {"GECKOS3_WEBHOOK": WEBHOOK.replace("http", "ftp")},
)

COMMANDS = (
    "key list",
    "account list",
    "config show",
    "key revoke nobody",
    f"key add --id shopkey --secret {KEY_SECRET}",
    f"key add --id geckoadmin --secret {KEY_SECRET}",
    f"key add --account nobody --secret {KEY_SECRET}",
    f"key add --expires tomorrow --secret {KEY_SECRET}",
    "rekey",
)


def command(data_dir: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code of ``geckos3 …``, and all that it writes."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GECKOS3_", "MINIO_"))}
    given = {**SETTINGS, "GECKOS3_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [sys.executable, "-m", "gecko_tw.commands", *arguments],
        env=inherited | given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout + done.stderr


class Asker:
    """Asks in every way that carries a secret, and keeps what it is answered."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._http = urllib3.PoolManager(retries=False)
        self.answers: list[str] = []
        self.session: dict[str, str] = {}

    def client(self, secret: str = ROOT_SECRET, version: str = "s3v4", **more: Any) -> Any:
        config = Config(signature_version=version, retries={"total_max_attempts": 1})
        client = self._daemon.client(aws_secret_access_key=secret, config=config, **more)
        client.meta.events.register(
            "before-parse.s3.*", lambda response_dict, **_: self.answers.append(repr(response_dict))
        )
        return client

    def get(self, url: str, **headers: str) -> None:
        answer = self._http.request("GET", url, headers=headers)
        self.answers.append(f"{answer.status} {answer.headers} {answer.data.decode('utf-8', 'replace')}")

    def post(self, url: str, fields: dict[str, str]) -> None:
        answer = self._http.request("POST", url, fields={**fields, "file": "x"})
        self.answers.append(f"{answer.status} {answer.headers} {answer.data.decode('utf-8', 'replace')}")

    def prove(self) -> None:
        """Proves who asks, so that the failures so far are forgotten and the next are answered at once."""
        self.get(self._daemon.url + "/", Authorization=f"Bearer shopkey:{SEED_SECRET}")

    def ask(self) -> None:
        """Everything: good requests, and all kinds of bad ones."""
        good = self.client()
        good.create_bucket(Bucket="photos")
        sink = {"QueueArn": "arn:minio:sqs::hook:webhook", "Events": ["s3:ObjectCreated:*"]}
        good.put_bucket_notification_configuration(
            Bucket="photos", NotificationConfiguration={"QueueConfigurations": [sink]}
        )
        good.put_object(Bucket="photos", Key="k", Body=b"x")
        sealed = {"Bucket": "photos", "Key": "sealed", "SSECustomerAlgorithm": "AES256"}
        good.put_object(**sealed, SSECustomerKey=CUSTOMER)
        good.get_object(**sealed, SSECustomerKey=CUSTOMER)
        with suppress(ClientError):
            good.get_object(**sealed, SSECustomerKey=OTHER_CUSTOMER)
        for client in (self.client(WRONG), self.client(aws_session_token=TOKEN)):
            for call, given in (
                (client.list_buckets, {}),
                (client.put_object, {**sealed, "SSECustomerKey": CUSTOMER}),
            ):
                with suppress(ClientError):
                    call(**given)
        self.prove()
        self._sessions()
        self.prove()
        self._bearers()
        self.prove()

    def _sessions(self) -> None:
        """Begins a session, and asks with it and with parts of it. What begins it is the only answer that may tell its secrets."""
        begin = self._sts().assume_role
        self.session = session = begin(RoleArn="arn:aws:iam:::role/any", RoleSessionName="work")["Credentials"]
        pair = {"aws_access_key_id": session["AccessKeyId"], "secret": session["SecretAccessKey"]}
        for client in (
            self.client(**pair, aws_session_token=session["SessionToken"]),
            self.client(**pair),
            self.client(aws_session_token=session["SessionToken"]),
            self.client(**pair, aws_session_token=session["SessionToken"] + "A"),
            self.client(**{**pair, "secret": WRONG}, aws_session_token=session["SessionToken"]),
        ):
            with suppress(ClientError):
                client.get_object(Bucket="photos", Key="k")
            self.get(client.generate_presigned_url("get_object", {"Bucket": "photos", "Key": "none"}))
            form = client.generate_presigned_post("photos", "form")
            self.post(form["url"], {**form["fields"], "key": "another"})
            self.prove()
        for secret in (session["SecretAccessKey"], WRONG):
            there = self._sts(session["AccessKeyId"], secret, session["SessionToken"])
            there.meta.events.register(
                "before-parse.sts.*", lambda response_dict, **_: self.answers.append(repr(response_dict))
            )
            for call, given in (
                (there.get_caller_identity, {}),
                (there.get_session_token, {}),
                (there.assume_role, {"RoleArn": "arn:aws:iam:::role/any", "RoleSessionName": "a b"}),
            ):
                with suppress(ClientError):
                    call(**given)
        self.prove()
        bearer = f"Bearer {session['AccessKeyId']}:{session['SecretAccessKey']}"
        for token in (session["SessionToken"], session["SessionToken"][:-9], "x"):
            self.get(self._daemon.url + "/photos/none", Authorization=bearer, **{"x-amz-security-token": token})

    def _sts(self, access_key: str = Daemon.access_key, secret: str = ROOT_SECRET, token: str | None = None) -> Any:
        return boto().client(
            "sts",
            endpoint_url=self._daemon.url,
            region_name=Daemon.region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def _bearers(self) -> None:
        url = self._daemon.url
        for pair in (f"shopkey:{SEED_SECRET}", f"shopkey:{WRONG}", f"nobody:{WRONG}", WRONG, f":{WRONG}", f"{WRONG}:"):
            self.get(url + "/photos/k", Authorization=f"Bearer {pair}")
        for scheme in ("Basic", "Digest", "AWS5", ""):
            self.get(url + "/photos/k", Authorization=f"{scheme} {WRONG}".strip())
        self.get(url + "/photos/k?X-Amz-Algorithm=AWS4-HMAC-SHA256", Authorization=f"Bearer shopkey:{SEED_SECRET}")
        self.get(url + "/photos/k", **{"Authorization": f"Bearer declaredkey:{KEY_SECRET}", "x-amz-date": "never"})

    def use_urls(self) -> list[str]:
        """Signs URLs and uses them, as they are and changed; returns their signatures."""
        signatures = []
        clients = [self.client(version=version) for version in ("s3v4", "s3")]
        clients += [self.client(version=version, aws_session_token=TOKEN) for version in ("s3v4", "s3")]
        for client in clients:
            url = client.generate_presigned_url("get_object", {"Bucket": "photos", "Key": "k"})
            self.get(url)
            self.get(url + "&" + quote("X-Amz-Server-Side-Encryption-Customer-Key") + "=" + quote(_base64(CUSTOMER)))
            self.get(url.replace("/k?", "/other?"))
            self.get(url, Authorization=f"Bearer shopkey:{SEED_SECRET}")
            self.prove()
            signatures += [
                value
                for name, _, value in (pair.partition("=") for pair in urlsplit(url).query.split("&"))
                if name in ("X-Amz-Signature", "Signature")
            ]
        return signatures


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def forms(secret: str) -> tuple[str, ...]:
    """The ways in which a secret may be written."""
    raw = secret.encode()
    return secret, quote(secret, safe=""), _base64(secret), quote(_base64(secret), safe=""), raw.hex(), raw.hex(" ")


def break_a_key(data_dir: Path) -> None:
    """Makes a kept secret one that does not open, so that the daemon fails in a way that nobody has foreseen."""
    data = DataDir(Settings(data_dir=data_dir, encryption_key=ENCRYPTION))
    data.open()
    data.driver.documents.change(KEY, "declaredkey", lambda found: {**found, "secret": "AAAA" + found["secret"][4:]})
    data.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Everything that was written, by who wrote it."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "declared.yaml").write_text(DECLARED)
    options = ("--workers=2", "--log-level=debug", f"--config={folder / 'declared.yaml'}")
    with Daemon(folder, *options, env=SETTINGS) as daemon:
        asker = Asker(daemon)
        asker.ask()
        signatures = asker.use_urls()
        commands = "\n".join(command(daemon.data_dir, *line.split())[1] for line in COMMANDS)
        break_a_key(daemon.data_dir)
        asker.get(daemon.url + "/photos/k", Authorization=f"Bearer declaredkey:{KEY_SECRET}")
        eventually(lambda: "an event was not taken" in daemon.log)
        daemon.kill()  # a traceback is in the log, as it must be
    yield {
        "log": daemon.log,
        "requests": "\n".join(daemon.request_lines),
        "answers": "\n".join(asker.answers),
        "commands": commands,
        "signatures": "\n".join(signatures),
        "session": f"{asker.session['SecretAccessKey']}\n{asker.session['SessionToken']}",
    }


def test_what_was_asked_is_in_what_was_written(written: dict[str, str]) -> None:
    """Else the next test would find nothing because there is nothing."""
    assert "WrongKey" in written["log"] and "Traceback" in written["log"]
    assert "failed to prove who asks" in written["log"] and "shopkey" in written["log"]
    assert "X-Amz-Signature=***" in written["requests"] and "Signature=***" in written["requests"]
    assert "x-amz-security-token=***" in written["requests"].lower()
    for code in ("SignatureDoesNotMatch", "InvalidAccessKeyId", "AccessDenied", "InvalidToken", "InternalError"):
        assert code in written["answers"], code
    assert "customer-key:***" in written["answers"]
    assert "InvalidClientTokenId" not in written["answers"] and "GetCallerIdentityResult" in written["answers"]
    assert "of geckoadmin (arn:aws:iam::000000000000:root) begins" in written["log"]
    assert "declaredkey" in written["commands"] and "already" in written["commands"]
    assert len(written["signatures"].splitlines()) == 4


@pytest.mark.parametrize("place", ["log", "requests", "answers", "commands"])
def test_no_secret_is_in_what_was_written(written: dict[str, str], place: str) -> None:
    secrets = (*SECRETS, *written["session"].splitlines())
    found = [(secret, form) for secret in secrets for form in forms(secret) if form in written[place]]
    assert not found


@pytest.mark.parametrize("place", ["log", "requests"])
def test_no_url_can_be_used_again_by_who_reads_the_log(written: dict[str, str], place: str) -> None:
    assert not [signature for signature in written["signatures"].splitlines() if signature in written[place]]


@pytest.mark.parametrize("text", BAD_FILES)
def test_no_secret_of_a_bad_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    code, told = command(tmp_path / "data", "config", "validate", str(tmp_path / "bad.yaml"))
    assert code == 1 and "bad.yaml" in told and "Traceback" not in told, told
    assert KEY_SECRET not in told


@pytest.mark.parametrize("environment", BAD_STARTS, ids=lambda given: ",".join(given))
def test_no_secret_of_a_start_that_is_refused_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    data = DataDir(Settings(data_dir=tmp_path / "data", encryption_key=ENCRYPTION))
    data.open()
    data.close()
    code, told = command(tmp_path / "data", "serve", "--listen=127.0.0.1:0", "--workers=1", **environment)
    assert code == 1 and "Traceback" not in told, told
    assert not [secret for secret in SECRETS if secret in told]
    (line,) = [line for line in told.splitlines() if "not" in line and "default one" not in line]
    assert "GECKOS3_" in line or "--seed" in line
