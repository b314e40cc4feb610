"""What goes wrong for a client, each with an exception of its own that says what to do.

What happens to a connection is an HTTPClientError of botocore's as well, so that its retries know it; what a server answers is a
ClientError of botocore's as well. Answers are of whatever type botocore's parsers make: Any.
"""

from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PaginationError,
    PartialCredentialsError,
    UnseekableStreamError,
)
from botocore.parsers import ResponseParserError
from OpenSSL.SSL import Error as TLSError
from twisted.internet import error
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError
from twisted.web.client import RequestGenerationFailed, RequestTransmissionFailed, ResponseFailed


class S3Error(Exception):
    """The base of everything that this package raises by itself."""


class WrongEndpoint(S3Error):
    """Whatever answers there does not speak S3: the URL, the port or http instead of https may be wrong."""


class Unreachable(S3Error, HTTPClientError):  # type: ignore[misc]  # botocore has no types
    """The server could not be asked, or its answer did not arrive. Such requests are tried again before this is raised.

    :param endpoint: scheme, host and port that were asked.
    :param reason: what the network said.
    """

    fmt = "{endpoint} could not be asked: {reason}"

    def __init__(self, endpoint: str, reason: object) -> None:
        super().__init__(endpoint=endpoint, reason=reason)  # type: ignore[call-arg]  # of botocore
        self.endpoint = endpoint


class UnknownHost(Unreachable, WrongEndpoint):
    """The name of the host has no address."""

    fmt = "The host of {endpoint} has no address ({reason}). Look at the spelling of the URL, and at what resolves names here."


class ConnectionRefused(Unreachable):
    """Nobody listens there."""

    fmt = "{endpoint} refuses connections ({reason}). Is the server running, and is this its port?"


class ConnectionCut(Unreachable):
    """The connection ended before the answer did. Whether the request took effect is not known."""

    fmt = (
        "The connection to {endpoint} was cut before the answer was complete ({reason}). What was asked may have been done: look, or "
        "ask again, and see whether the server was stopped or a proxy gave up."
    )


class TimedOut(Unreachable):
    """The server took too long to accept a connection, or to send something of its answer."""

    fmt = "{endpoint} did not answer in time ({reason}). Ask again later, or allow more with connect_timeout or read_timeout."


class NotTrusted(Unreachable):
    """TLS could not be agreed on."""

    fmt = (
        "No secure connection to {endpoint} ({reason}). A certificate of an authority of your own is trusted with "
        'verify="/path/to/authority.pem" or AWS_CA_BUNDLE; a server that speaks http needs an http:// URL.'
    )


class NoCredentials(S3Error, NoCredentialsError):  # type: ignore[misc]  # botocore has no types
    """There is no key to sign with."""

    fmt = (
        "There is no key to sign with. Give access_key and secret_key, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile "
        "of ~/.aws/credentials, or ask anonymously with anonymous=True."
    )


class BodyUsed(S3Error):
    """A producer's bytes can be sent once only."""


class ChecksumMismatch(S3Error):
    """What arrived is not what was stored: some byte was changed on its way or on the disk. Ask again."""


class UploadInterrupted(S3Error):
    """A multipart upload stopped. The parts that arrived are kept by the server, and cost room there.

    :ivar upload_id: goes on with ``multipart_upload(…, resume=upload_id)``; AbortMultipartUpload removes what is there.
    """

    def __init__(self, upload_id: str, reason: BaseException) -> None:
        super().__init__(
            f"{reason} The upload stopped. Go on with resume={upload_id!r}, or remove its parts with abort_multipart_upload."
        )
        self.upload_id = upload_id


class Refusal(S3Error, ClientError):  # type: ignore[misc]  # botocore has no types
    """The server answered with an error.

    :ivar code: S3's error code, e.g. ``"NoSuchKey"``; the status number as text where the answer had no body.
    :ivar status: the HTTP status number.
    :ivar response: the whole error as botocore's parser read it.
    """

    advice = ""

    def __init__(self, response: dict[str, Any], operation: str) -> None:
        super().__init__(response, operation)
        self.code: str = str(response.get("Error", {}).get("Code", ""))
        self.status: int = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)

    def __str__(self) -> str:
        return f"{super().__str__()} {self.advice}".rstrip()


class WrongSecret(Refusal):
    """The signature does not fit."""

    advice = (
        "The secret is not the one of this access key, or something between changed the request: check the secret for missing or added "
        "characters, and whether a proxy rewrites the host or the path."
    )


class UnknownKey(Refusal):
    """The server does not know the access key."""

    advice = "The server does not know this access key: is it one of this server, and is it still there?"


class ExpiredKey(Refusal):
    """The access key or the session token is over."""

    advice = "Get new credentials: those of a session end with it, and a key may have been made for a time."


class WrongClock(Refusal):
    """The clocks differ too much."""

    advice = "Set the clock of this machine: a signature is good for a quarter of an hour."


class Denied(Refusal):
    """The caller may not do this."""

    advice = "These credentials may not do this: look at the policies of the user and of the bucket."


class NotFound(Refusal):
    """There is no such thing."""


class NoSuchBucket(NotFound):
    """There is no such bucket."""


class NoSuchKey(NotFound):
    """There is no such object."""


class NoSuchUpload(NotFound):
    """There is no such multipart upload: it was completed or aborted."""


class ConditionFailed(Refusal):
    """The object is not in the state that the request named, e.g. with IfMatch."""


_BY_CODE: dict[str, type[Refusal]] = {
    "SignatureDoesNotMatch": WrongSecret,
    "InvalidAccessKeyId": UnknownKey,
    "InvalidToken": UnknownKey,
    "ExpiredToken": ExpiredKey,
    "ExpiredTokenException": ExpiredKey,
    "RequestTimeTooSkewed": WrongClock,
    "AccessDenied": Denied,
    "403": Denied,
    "404": NotFound,
    "NoSuchBucket": NoSuchBucket,
    "NoSuchKey": NoSuchKey,
    "NoSuchVersion": NoSuchKey,
    "NoSuchUpload": NoSuchUpload,
    "PreconditionFailed": ConditionFailed,
    "412": ConditionFailed,
}


def refusal(found: ClientError) -> S3Error:
    """The exception of ours for an error that a server answered."""
    response, operation = found.response, found.operation_name
    metadata, told = response.get("ResponseMetadata", {}), response.get("Error", {})
    headers = metadata.get("HTTPHeaders", {})
    if "html" in headers.get("content-type", "") and not any(name.startswith("x-amz-") for name in headers):
        return WrongEndpoint(
            f"{operation} was answered with status {metadata.get('HTTPStatusCode')} and a page for people, not with S3's XML. "
            "Look at the URL: a console, a proxy or another server may listen there."
        )
    code = told.get("Code", "")
    kind = _BY_CODE.get(code, Refusal)
    if code == "InvalidAccessKeyId" and "expired" in told.get("Message", ""):
        kind = ExpiredKey
    return kind(response, operation)


def translated(found: Exception, endpoint: str) -> Exception:
    """The exception of ours for one of botocore's; other ones as they are.

    :param endpoint: scheme, host and port, for the message.
    """
    if isinstance(found, S3Error):
        return found
    if isinstance(found, ClientError):
        return refusal(found)
    if isinstance(found, NoCredentialsError):
        return NoCredentials()
    if isinstance(found, PartialCredentialsError):
        return NoCredentials()
    if isinstance(found, ResponseParserError | PaginationError):
        return WrongEndpoint(f"{endpoint} answered with something that S3 does not write. Look at the URL. ({found})")
    if isinstance(found, UnseekableStreamError):
        return BodyUsed(
            f"{endpoint} asks for the body once more, and a producer's bytes are gone once they were sent. Send a file, or ask again "
            "with a new producer; if the bucket is in another region, name that."
        )
    return found


def unreachable(failure: Failure, endpoint: str) -> BotoCoreError | WrongEndpoint:
    """The exception of ours for a failure of Twisted's HTTP client."""
    why = [one.value for one in reasons(failure)]
    for kind, ours in _BY_FAILURE:
        for found in why:
            if isinstance(found, kind):
                return ours(endpoint, _told(found))
    if any(isinstance(found, ParseError) for found in why):
        return WrongEndpoint(f"{endpoint} does not answer in HTTP. Look at the port, and whether it speaks https.")
    return ConnectionCut(endpoint, "; ".join(map(_told, why)))


def reasons(failure: Failure) -> list[Failure]:
    """The failures that a failure of Twisted's HTTP client was made of; or it alone."""
    value = failure.value
    if isinstance(value, RequestGenerationFailed | RequestTransmissionFailed | ResponseFailed):
        return [inner for one in value.reasons for inner in reasons(one)]
    return [failure]


def _told(found: BaseException | None) -> str:
    return " ".join(str(found).split()).rstrip(".") or type(found).__name__


_BY_FAILURE: tuple[tuple[type[BaseException], type[Unreachable]], ...] = (
    (error.DNSLookupError, UnknownHost),
    (error.ConnectionRefusedError, ConnectionRefused),
    (error.TimeoutError, TimedOut),
    (TLSError, NotTrusted),
)
