"""The aws-chunked forms: what decodes, and that nothing else does."""

import base64
import hashlib
import io
import zlib
from itertools import pairwise

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.refusals import InvalidChunkSizeError, MalformedTrailerError, SignatureDoesNotMatch
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.aws_chunked import LONGEST_LINE, AwsChunkedDecoder
from gecko_tw.callers.signatures.v4 import ChunkSigner, signing_key
from gecko_tw.store.refusals import IncompleteBody, InvalidRequest, Refusal
from gecko_tw.wire.head import head_of

DATE, SCOPE, SEED = "20260101T120000Z", "20260101/eu-central-1/s3/aws4_request", "5eed" * 16
KEY = signing_key("secret", "20260101", "eu-central-1")
TRAILER, CHECKSUM = "x-amz-checksum-crc32", "AAAAAA=="


def signer() -> ChunkSigner:
    return ChunkSigner(KEY, DATE, SCOPE, SEED)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def framed(chunks: list[bytes], signed: bool, trailer: bool, line_end: str = "\r\n") -> bytes:
    """A body as a client sends it."""
    signatures = signer()
    parts = []
    for chunk in (*chunks, b""):
        extension = f";chunk-signature={signatures.chunk(sha256(chunk))}" if signed else ""
        parts.append(f"{len(chunk):x}{extension}\r\n".encode() + (chunk + b"\r\n" if chunk else b""))
    if trailer:
        parts.append(f"{TRAILER}:{CHECKSUM}{line_end}".encode())
        if signed:
            signature = signatures.trailer(sha256(f"{TRAILER}:{CHECKSUM}\n".encode()))
            parts.append(f"x-amz-trailer-signature:{signature}{line_end}".encode())
    return b"".join([*parts, b"\r\n"])


def decoder(length: int | None, signed: bool, trailer: bool) -> AwsChunkedDecoder:
    return AwsChunkedDecoder(length, signer() if signed else None, TRAILER if trailer else None)


def decoded(decoder: AwsChunkedDecoder, *pieces: bytes) -> bytes:
    payload = b"".join(bytes(view) for piece in pieces for view in decoder.feed(piece))
    decoder.finish()
    return payload


def cut(body: bytes, places: list[int]) -> list[bytes]:
    return [body[start:stop] for start, stop in pairwise([0, *sorted(places), len(body)])]


FORMS = [(True, False), (True, True), (False, True), (False, False)]
forms = pytest.mark.parametrize(("signed", "trailer"), FORMS)
CONTENT = bytes(range(256)) * 100
CHUNKS = st.lists(st.integers(8192, 9000), max_size=2).flatmap(
    lambda sizes: st.integers(0, 300).map(lambda last: [CONTENT[:size] for size in [*sizes, last] if size])
)


@given(st.sampled_from(FORMS), CHUNKS, st.data())
def test_any_cut_of_a_body_decodes_to_the_same(
    form: tuple[bool, bool], chunks: list[bytes], data: st.DataObject
) -> None:
    body, whole = framed(chunks, *form), b"".join(chunks)
    places = data.draw(st.lists(st.integers(0, len(body)), max_size=8))
    for length in (len(whole), None):
        one = decoder(length, *form)
        assert decoded(one, *cut(body, places)) == whole
        assert one.trailers == ({TRAILER: CHECKSUM} if form[1] else {})
        assert one.size == len(whole)


@forms
def test_a_body_may_come_byte_by_byte(signed: bool, trailer: bool) -> None:
    body = framed([CONTENT[:8200], b"end"], signed, trailer)
    pieces = [body[at : at + 1] for at in range(len(body))]
    assert decoded(decoder(8203, signed, trailer), *pieces) == CONTENT[:8200] + b"end"


@given(st.sampled_from(FORMS[:2]), st.data())
def test_any_changed_byte_of_a_signed_body_is_refused(form: tuple[bool, bool], data: st.DataObject) -> None:
    chunks = [CONTENT[:8192], b"the end"]
    body, whole = framed(chunks, *form), b"".join(chunks)
    near_an_edge = [at for at in range(len(body)) if not 300 < at < 8100]
    at = data.draw(st.sampled_from(near_an_edge) | st.integers(0, len(body) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != body[at]))
    changed = body[:at] + bytes([other]) + body[at + 1 :]
    one = decoder(None, *form)
    try:
        payload = decoded(one, changed)
    except Refusal:
        return
    # What says the same in other letters may pass: capitals in a trailer's name, white space around it.
    assert payload == whole
    assert one.trailers == ({TRAILER: CHECKSUM} if form[1] else {})
    assert form[1] and at > len(body) - 150


@forms
@pytest.mark.parametrize("length", [None, 8199])
def test_a_body_cut_short_anywhere_is_refused(signed: bool, trailer: bool, length: int | None) -> None:
    body = framed([CONTENT[:8192], b"the end"], signed, trailer)
    for stop in [*range(200), *range(8150, len(body))]:
        one = decoder(length, signed, trailer)
        one.feed(body[:stop])
        with pytest.raises(IncompleteBody):
            one.finish()


@forms
def test_nothing_may_follow_the_end(signed: bool, trailer: bool) -> None:
    body = framed([b"data"], signed, trailer)
    for pieces in ([body + b"\r"], [body, b"x"]):
        with pytest.raises(IncompleteBody):
            decoded(decoder(4, signed, trailer), *pieces)
    assert decoded(decoder(4, signed, trailer), body, b"") == b"data"


@forms
def test_an_empty_object_may_be_framed(signed: bool, trailer: bool) -> None:
    assert decoded(decoder(0, signed, trailer), framed([], signed, trailer)) == b""


@forms
def test_every_chunk_but_the_last_has_eight_kibibytes(signed: bool, trailer: bool) -> None:
    body = framed([CONTENT[:8192], CONTENT[:8191], b"x"], signed, trailer)
    with pytest.raises(InvalidChunkSizeError) as caught:
        decoded(decoder(None, signed, trailer), body)
    assert caught.value.details == {"Chunk": "3", "BadChunkSize": "8191"}


@forms
@pytest.mark.parametrize("announced", [0, 3, 5, 1 << 40])
def test_another_length_than_announced_is_refused(signed: bool, trailer: bool, announced: int) -> None:
    with pytest.raises(IncompleteBody) as caught:
        decoded(decoder(announced, signed, trailer), framed([b"four"], signed, trailer))
    assert caught.value.details == {"NumberBytesExpected": str(announced), "NumberBytesProvided": "4"}


def test_a_chunk_longer_than_the_rest_is_refused_before_its_bytes() -> None:
    with pytest.raises(IncompleteBody):
        decoder(10, False, True).feed(b"b\r\n")


@pytest.mark.parametrize(
    "body",
    [
        b"\r\n",
        b"x\r\n",
        b"+4\r\ndata\r\n0\r\n\r\n",
        b"0x4\r\ndata\r\n0\r\n\r\n",
        b" 4\r\ndata\r\n0\r\n\r\n",
        b"1_0\r\n",
        b"-1\r\n",
        b"4\ndata\r\n0\r\n\r\n",
        b"4;name=value\r\ndata\r\n0\r\n\r\n",
        b"4;\r\ndata\r\n0\r\n\r\n",
        b"4\r\ndatax\r\n0\r\n\r\n",
        b"4\r\ndata0\r\n\r\n",
        b"4\r\ndata\n0\r\n\r\n",
        b"00000000000000004\r\ndata\r\n0\r\n\r\n",
        b"1" * (LONGEST_LINE + 1),
        b"plain bytes without any framing\n",
    ],
)
def test_broken_framing_is_refused(body: bytes) -> None:
    with pytest.raises(IncompleteBody, match="The request body terminated unexpectedly"):
        decoded(decoder(None, False, False), body)


@pytest.mark.parametrize("head", [b"4\r\n", b"4;chunk-signature\r\n", b"4;signature=" + b"a" * 64 + b"\r\n"])
def test_a_signed_form_needs_a_signature_at_every_chunk(head: bytes) -> None:
    with pytest.raises(IncompleteBody):
        decoded(decoder(4, True, False), head + b"data\r\n0\r\n\r\n")


def test_a_wrong_chunk_signature_is_told_with_its_chunk() -> None:
    body = framed([CONTENT[:8192], b"end"], True, False)
    with pytest.raises(SignatureDoesNotMatch) as caught:
        decoded(decoder(None, True, False), body.replace(b"end\r\n", b"END\r\n"))
    assert caught.value.details["Chunk"] == "2"


def test_after_a_refusal_everything_is_refused() -> None:
    body = framed([b"data"], True, False)
    one = decoder(4, True, False)
    with pytest.raises(SignatureDoesNotMatch):
        one.feed(body.replace(b"data", b"dada"))
    with pytest.raises(IncompleteBody):
        one.feed(body)
    with pytest.raises(IncompleteBody):
        one.finish()
    late = decoder(4, True, False)
    late.feed(body)
    with pytest.raises(IncompleteBody):
        late.feed(b"more")
    with pytest.raises(IncompleteBody):
        late.finish()


def test_signatures_are_passed_over_when_nobody_can_verify_them() -> None:
    for trailer in (False, True):
        body = framed([CONTENT[:9000], b"end"], True, trailer)
        assert decoded(decoder(9003, False, trailer), body) == CONTENT[:9000] + b"end"


@given(st.binary(max_size=30_000), st.integers(8192, 9000))
def test_what_botocore_frames_decodes(content: bytes, chunk_size: int) -> None:
    raw = AwsChunkedWrapper(io.BytesIO(content), Crc32Checksum, TRAILER, chunk_size)
    one = decoder(len(content), False, True)
    assert decoded(one, raw.read()) == content
    assert one.trailers == {TRAILER: base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()}


# ---- trailers


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("line_end", ["\n\r\n", " \r\n"])
def test_trailers_may_end_oddly(signed: bool, line_end: str) -> None:
    one = decoder(4, signed, True)
    body = framed([b"data"], signed, True, line_end)
    assert decoded(one, *[body[at : at + 1] for at in range(len(body))]) == b"data"
    assert one.trailers == {TRAILER: CHECKSUM}


def test_names_of_trailers_are_compared_without_case() -> None:
    one = AwsChunkedDecoder(0, None, " X-Amz-Checksum-CRC32 ")
    decoded(one, b"0\r\nX-AMZ-Checksum-Crc32 : AAAAAA==\r\n\r\n")
    assert one.trailers == {TRAILER: CHECKSUM}


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"x-amz-checksum-crc32:\r\n",
        b":AAAAAA==\r\n",
        b"x-amz-checksum-crc32=AAAAAA==\r\n",
        b"x-amz-checksum-crc32c:AAAAAA==\r\n",
        b"x-amz-checksum-crc32:AAAAAA==\r\nx-amz-checksum-crc32:AAAAAA==\r\n",
        b"x-amz-checksum-crc32:AAAAAA==\r\nx-amz-meta-a:b\r\n",
        b"x-amz-trailer-signature:aa\r\nx-amz-checksum-crc32:AAAAAA==\r\n",
        b"x-amz-checksum-crc32:" + b"A" * LONGEST_LINE + b"\r\n",
        b"\n",
    ],
)
def test_a_malformed_unknown_or_missing_trailer_is_refused(lines: bytes) -> None:
    with pytest.raises(MalformedTrailerError):
        decoded(decoder(4, False, True), b"4\r\ndata\r\n0\r\n" + lines + b"\r\n")


def test_a_trailer_that_was_not_announced_is_refused() -> None:
    with pytest.raises(MalformedTrailerError):
        decoded(decoder(4, False, False), framed([b"data"], False, True))


def test_a_signed_trailer_needs_its_signature() -> None:
    body = framed([b"data"], True, True)
    start = body.index(b"x-amz-trailer-signature")
    with pytest.raises(MalformedTrailerError):
        decoded(decoder(4, True, True), body[:start] + b"\r\n")
    with pytest.raises(SignatureDoesNotMatch):
        decoded(decoder(4, True, True), body.replace(b":AAAAAA==", b":AAAAAQ=="))


@pytest.mark.parametrize("name", ["x-amz-meta-a", "x-amz-checksum-crc16", "x-amz-checksum-crc32,x-amz-checksum-sha1"])
def test_a_trailer_that_s3_does_not_have_is_refused_when_announced(name: str) -> None:
    with pytest.raises(InvalidRequest, match="The value specified in the x-amz-trailer header is not supported"):
        AwsChunkedDecoder(0, None, name)


# ---- AWS's own examples


EXAMPLE_HEADERS = {
    b"content-encoding": b"aws-chunked",
    b"host": b"s3.amazonaws.com",
    b"x-amz-date": b"20130524T000000Z",
    b"x-amz-decoded-content-length": b"66560",
    b"x-amz-storage-class": b"REDUCED_REDUNDANCY",
}


def example_signer(signature: str, headers: dict[bytes, bytes]) -> ChunkSigner | None:
    headers = {**EXAMPLE_HEADERS, **headers}
    signed = b";".join(sorted(headers)).decode()
    credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={signed},Signature={signature}"
    head = head_of("PUT", b"/examplebucket/chunkObject.txt", {**headers, b"authorization": authorization.encode()})
    pair = OnePair("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    return Authenticator(pair, lambda: 1_369_353_600.0).authenticate(head).chunks


def example_body(signatures: list[str], end: bytes) -> bytes:
    chunks = [b"a" * 65536, b"a" * 1024, b""]
    heads = [
        f"{len(chunk):x};chunk-signature={each}\r\n".encode() for chunk, each in zip(chunks, signatures, strict=True)
    ]
    return heads[0] + chunks[0] + b"\r\n" + heads[1] + chunks[1] + b"\r\n" + heads[2] + end


def test_the_published_signed_chunks_verify() -> None:
    chunks = example_signer(
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        {b"content-length": b"66824", b"x-amz-content-sha256": b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
    )
    signatures = [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]
    body = example_body(signatures, b"\r\n")
    assert len(body) == 66824
    assert decoded(AwsChunkedDecoder(66560, chunks), body) == b"a" * 66560


@pytest.mark.parametrize("line_end", [b"\n\r\n", b"\r\n"])
def test_the_published_signed_trailer_verifies(line_end: bytes) -> None:
    chunks = example_signer(
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        {
            b"x-amz-content-sha256": b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            b"x-amz-trailer": b"x-amz-checksum-crc32c",
        },
    )
    signatures = [
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ]
    end = b"x-amz-checksum-crc32c:sOO8/Q==" + line_end
    end += b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
    one = AwsChunkedDecoder(66560, chunks, "x-amz-checksum-crc32c")
    assert decoded(one, example_body(signatures, end)) == b"a" * 66560
    assert one.trailers == {"x-amz-checksum-crc32c": "sOO8/Q=="}
