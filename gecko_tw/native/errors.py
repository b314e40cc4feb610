"""What can go wrong for a client of the binary protocol; each text says what to do."""

from gecko_tw.native.frames import BAD_REQUEST, CONFLICT, FORBIDDEN, INTERNAL, NOT_FOUND


class NativeError(Exception):
    """Anything that goes wrong."""


class CannotConnect(NativeError):
    """There is nobody at the endpoint: look whether the daemon runs with ``--native-listen``, and at host, port and firewall."""


class NotNative(NativeError):
    """Something else answers there: look whether the port is that of ``--native-listen``, and whether it wants TLS."""


class OtherVersion(NativeError):
    """The server does not speak this version of the protocol: update the older of the two."""


class NotProven(NativeError):
    """The key pair is not good: look at the access key id and the secret, and whether the key has expired or was disabled."""


class Cut(NativeError):
    """The connection was lost before the answer: ask again if the request may be made twice; the daemon's log may tell why."""


class HalfFrame(Cut):
    """The connection was lost in the middle of an answer, which must not be used: ask again."""


class TimedOut(NativeError):
    """The server, or the network, moved nothing for too long: ask again, or give the client more patience."""


class BrokenFrame(NativeError):
    """The answer is none of this protocol: look what stands between client and server, and at their versions."""


class OversizedMeta(BrokenFrame):
    """The answer's metadata is longer than the protocol allows: ask for less, such as a smaller page."""


class WrongLength(NativeError):
    """The body is not as long as was announced: it was not stored; look at what produces it."""


class ClientClosed(NativeError):
    """The client was closed: make another one."""


class Refused(NativeError):
    """The server said no.

    :ivar code: S3's error code, e.g. ``NoSuchKey``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class NotFound(Refused):
    """There is no such bucket, object or upload."""


class Conflict(Refused):
    """The bucket exists already, or is not empty."""


class BadRequest(Refused):
    """The request is not good; with the code ``RateLimitExceeded``, not yet."""


class Forbidden(Refused):
    """The key pair may not do that: look at its scope and at the policies of user and bucket."""


class KeyEnded(Forbidden):
    """The key pair has ended since the connection was made: get another one."""


class Internal(Refused):
    """The server has a problem of its own: look at its log, and try again later."""


_KINDS: dict[int, type[Refused]] = {
    NOT_FOUND: NotFound,
    CONFLICT: Conflict,
    BAD_REQUEST: BadRequest,
    FORBIDDEN: Forbidden,
    INTERNAL: Internal,
}


def refusal(status: int, message: str, code: str) -> Refused:
    """The exception for an error that the server answered."""
    if status == FORBIDDEN and code == "InvalidAccessKeyId":
        return KeyEnded(code, message)
    return _KINDS.get(status, Internal)(code, message)
