"""How much, and how long, the wire bears from a peer: every bound in one value."""

from attrs import frozen


@frozen(kw_only=True)
class Limits:
    """Bounds of one listening site. Names end in their unit.

    :ivar head_bytes: request line and headers together, the empty line included.
    :ivar header_count: header lines of one request.
    :ivar head_seconds: from the first byte of a head (or from the connection's start) to its end.
    :ivar idle_seconds: without a byte between two requests.
    :ivar stalled_body_seconds: without a byte of a body that somebody is waiting for.
    :ivar body_seconds: for a whole body.
    :ivar stalled_answer_seconds: without the peer taking anything of an answer.
    :ivar slowest_answer_bytes_per_second: a large answer already handed over keeps its connection at least this patiently.
    :ivar drain_bytes: of an unwanted body are read and dropped so that the connection can go on.
    :ivar drain_seconds: for the same.
    :ivar linger_bytes: are read and dropped after the last answer, so that the peer can read it.
    :ivar linger_seconds: for the same.
    :ivar close_seconds: between the orderly close of a connection that was silent for too long and its abort.
    :ivar connections_per_address: that one address may have at a time; 0 for any number.
    :ivar ahead_bytes: of further requests are read while one is being answered.
    :ivar memory_body_bytes: of a body that is buffered for an ordinary resource stay in memory; the rest goes to a temporary file.
    :ivar buffered_body_bytes: the largest body that is buffered at all.
    :ivar small_answer_bytes: an answer's bytes up to here go out together with its head.
    """

    head_bytes: int = 16 * 1024
    header_count: int = 100
    head_seconds: float = 10
    idle_seconds: float = 120
    stalled_body_seconds: float = 60
    body_seconds: float = 6 * 3600
    stalled_answer_seconds: float = 120
    slowest_answer_bytes_per_second: int = 16 * 1024
    drain_bytes: int = 1024 * 1024
    drain_seconds: float = 5
    linger_bytes: int = 16 * 1024 * 1024
    linger_seconds: float = 5
    close_seconds: float = 15
    connections_per_address: int = 0
    ahead_bytes: int = 16 * 1024
    memory_body_bytes: int = 1024 * 1024
    buffered_body_bytes: int = 64 * 1024 * 1024
    small_answer_bytes: int = 64 * 1024
