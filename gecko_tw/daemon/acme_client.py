"""A certificate from a certificate authority that speaks ACME (RFC 8555), by certbot's library; every function blocks."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import josepy
import requests
from acme import challenges, client, crypto_util, errors, messages
from attrs import frozen
from cryptography import x509

from gecko_tw import __version__
from gecko_tw.daemon.acme_renewal import AcmeFailed, Show
from gecko_tw.daemon.signing import new_key, pem_of, self_signed, write_file
from gecko_tw.daemon.tls import Pair

TIMEOUT = timedelta(seconds=90)
"""How long the authority may take to look, and then to sign."""
ANSWER_SECONDS = 20
PROOF_EXTENSION = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
"""id-pe-acmeIdentifier (RFC 8737, 3)."""


@challenges.Challenge.register
class TlsProof(challenges.KeyAuthorizationChallenge):  # type: ignore[misc]
    """tls-alpn-01, which the library has no more."""

    typ = "tls-alpn-01"

    def validation(self, account_key: josepy.JWK, **_: object) -> str:
        """The key authorization, whose digest the proof has."""
        return str(self.key_authorization(account_key))


@challenges.ChallengeResponse.register
class TlsProofResponse(challenges.KeyAuthorizationChallengeResponse):  # type: ignore[misc]
    typ = "tls-alpn-01"


TlsProof.response_cls = TlsProofResponse


class _Network(client.ClientNetwork):
    """Asks nothing more once somebody wants to stop."""

    def __init__(self, key: josepy.JWK, leaving: threading.Event) -> None:
        super().__init__(key, alg=josepy.ES256, user_agent=f"geckos3/{__version__}", timeout=ANSWER_SECONDS)
        self._leaving = leaving

    def _send_request(self, *args: Any, **more: Any) -> requests.Response:
        if self._leaving.is_set():
            raise AcmeFailed("the server stops")
        return super()._send_request(*args, **more)


@frozen
class Authority:
    """A certificate authority, and who asks it.

    :ivar account: the file with our account's key, which is made when it is missing.
    :ivar over_http: whether it finds answers at port 80; else it looks for proofs at port 443.
    :ivar leaving: set to have whatever is under way fail soon.
    """

    directory: str
    email: str
    account: Path
    over_http: bool
    leaving: threading.Event

    def issue(self, names: tuple[str, ...], show: Show) -> tuple[str, bytes]:
        """A certificate for these names with those of its issuers, and its new key, as PEM. Raises AcmeFailed."""
        key = pem_of(new_key())
        with _told_in_one_line():
            asking = self._client()
            order = asking.new_order(crypto_util.make_csr(key, list(names)))
            try:
                self._prove(asking, order, show)
                order = asking.poll_authorizations(order, datetime.now() + TIMEOUT)
                order = asking.finalize_order(order, datetime.now() + TIMEOUT)
            finally:
                show({}, {})
        return order.fullchain_pem, key

    def _client(self) -> client.ClientV2:
        known = json.loads(self.account.read_text()) if self.account.exists() else {}
        key = josepy.JWK.from_json(known["key"]) if known else josepy.JWKEC(key=new_key())
        network = _Network(key, self.leaving)
        asking = client.ClientV2(client.ClientV2.get_directory(self.directory, network), network)
        if not known:
            # Kept before it is used: an account whose key is lost is of no use to anybody.
            write_file(self.account, json.dumps({"key": key.to_json()}).encode(), 0o600)
        told = messages.NewRegistration.from_data(email=self.email, terms_of_service_agreed=True)
        try:
            asking.new_account(told)
        except errors.ConflictError as known_there:
            asking.query_registration(messages.RegistrationResource(body=told, uri=known_there.location))
        return asking

    def _prove(self, asking: client.ClientV2, order: messages.OrderResource, show: Show) -> None:
        wanted = challenges.HTTP01 if self.over_http else TlsProof
        answers, proofs, chosen = dict[str, str](), dict[str, Pair](), []
        for authorization in order.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue
            name = authorization.body.identifier.value
            found = [one for one in authorization.body.challenges if isinstance(one.chall, wanted)]
            if not found:
                raise AcmeFailed(f"the authority offers no {wanted.typ} for {name}")
            response, told = found[0].response_and_validation(asking.net.key)
            if self.over_http:
                answers[found[0].chall.encode("token")] = told
            else:
                proofs[name] = _proof(name, told)
            chosen.append((found[0], response))
        show(answers, proofs)
        for challenge, response in chosen:
            asking.answer_challenge(challenge, response)


def _proof(name: str, told: str) -> Pair:
    """The certificate that tells the authority that we are who asked (RFC 8737, 3)."""
    digest = b"\x04\x20" + hashlib.sha256(told.encode()).digest()
    extension = x509.UnrecognizedExtension(PROOF_EXTENSION, digest)
    certificate, key = self_signed((name,), extension)
    return Pair(f"proof for {name}", f"proof for {name}", certificate.decode(), key.decode())


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    try:
        yield
    except errors.ValidationError as failed:
        told = [
            f"{one.body.identifier.value}: {challenge.error.detail}"
            for one in failed.failed_authzrs
            for challenge in one.body.challenges
            if challenge.error is not None
        ]
        raise AcmeFailed(_line("; ".join(told))) from failed
    except (
        errors.Error,
        messages.Error,
        josepy.Error,
        requests.RequestException,
        OSError,
        ValueError,
        KeyError,
    ) as wrong:
        raise AcmeFailed(_line(f"{type(wrong).__name__}: {wrong}")) from wrong


def _line(text: str) -> str:
    return " ".join(text.split())
