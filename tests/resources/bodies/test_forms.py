"""Forms, however they are cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.answers.refusals import MalformedPOSTRequest, MaxPostPreDataLengthExceededError
from gecko_tw.resources.bodies.forms import MAX_BEFORE_FILE, Fields, FormDecoder, boundary_of
from gecko_tw.store.refusals import InvalidArgument, Refusal

BOUNDARY = b"----WebKitFormBoundaryX"


def form(fields: dict[str, str], file: bytes, filename: str = "cat.jpg", after: bytes = b"--\r\n") -> bytes:
    parts = [
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (BOUNDARY, name.encode(), value.encode())
        for name, value in fields.items()
    ]
    head = f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: image/jpeg\r\n\r\n'
    return b"".join(parts) + b"--%b\r\n%b%b\r\n--%b%b" % (BOUNDARY, head.encode(), file, BOUNDARY, after)


def decode(body: bytes, *cuts: int) -> tuple[Fields, bytes]:
    """The form in the pieces that the cuts make."""
    begun: list[Fields] = []
    decoder = FormDecoder(BOUNDARY, begun.append)
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    found = b""
    for start, end in zip(places, places[1:], strict=False):
        found += b"".join(decoder.feed(body[start:end]))
    decoder.finish()
    return begun[0], found


names = st.sampled_from(["key", "policy", "x-amz-meta-ä", "acl", "success_action_status"])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
files = st.binary(max_size=200) | st.sampled_from([b"\r\n", b"\r\n--", b"\r\n--" + BOUNDARY[:-1], b"--" + BOUNDARY])


@given(fields=st.dictionaries(names, texts, max_size=5), file=files, cuts=st.lists(st.integers(0, 10_000), max_size=8))
def test_a_form_says_the_same_however_it_is_cut(fields: dict[str, str], file: bytes, cuts: list[int]) -> None:
    found, content = decode(form(fields, file), *cuts)
    assert found == Fields(fields, "cat.jpg", "image/jpeg")
    assert content == file


def test_a_form_that_comes_byte_by_byte_is_understood() -> None:
    body = form({"key": "a"}, b"x\r\n--y")
    assert decode(body, *range(len(body)))[1] == b"x\r\n--y"


@given(st.binary(max_size=300), st.lists(st.integers(0, 1000), max_size=5))
def test_nothing_but_refusals_comes_of_nonsense(body: bytes, cuts: list[int]) -> None:
    with pytest.raises(Refusal):
        decode(body, *cuts)


@given(st.integers(0, 400))
def test_a_form_cut_short_is_refused(at: int) -> None:
    body = form({"key": "a"}, b"hello", after=b"")
    with pytest.raises(Refusal):
        decode(body[: at % len(body)])


@pytest.mark.parametrize(
    ("filename", "kept"),
    [("C:\\pictures\\cat.jpg", "cat.jpg"), ("a/b/cat.jpg", "cat.jpg"), ("", ""), ('\\"quoted\\".jpg', '"quoted".jpg')],
)
def test_only_the_last_part_of_a_path_is_the_filename(filename: str, kept: str) -> None:
    assert decode(form({}, b"", filename))[0].filename.replace("\\", "") == kept


def test_names_of_fields_have_no_case() -> None:
    assert decode(form({"KEY": "a"}, b""))[0].values == {"key": "a"}


def test_what_stands_before_the_first_boundary_and_after_the_file_is_ignored() -> None:
    body = b"preamble\r\n" + form(
        {"key": "a"}, b"hello", after=b"\r\nContent-Disposition: form-data; name=submit\r\n\r\nGo"
    )
    assert decode(body) == (Fields({"key": "a"}, "cat.jpg", "image/jpeg"), b"hello")


def test_endless_fields_are_refused() -> None:
    decoder = FormDecoder(BOUNDARY, lambda fields: None)
    with pytest.raises(MaxPostPreDataLengthExceededError):
        decoder.feed(form({"key": "a" * MAX_BEFORE_FILE}, b"hello"))
    decoder = FormDecoder(BOUNDARY, lambda fields: None)
    with pytest.raises(MaxPostPreDataLengthExceededError):
        for _ in range(MAX_BEFORE_FILE + 1):
            decoder.feed(b"x")


def test_an_endless_rest_is_refused() -> None:
    decoder = FormDecoder(BOUNDARY, lambda fields: None)
    decoder.feed(form({"key": "a"}, b"hello"))
    with pytest.raises(MalformedPOSTRequest):
        for _ in range(30):
            decoder.feed(b"x" * 1000)


def test_a_field_given_twice_is_refused() -> None:
    with pytest.raises(MalformedPOSTRequest):
        decode(form({"key": "a", "KEY": "b"}, b""))


def test_a_form_without_a_file_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        decode(b"--%b\r\nContent-Disposition: form-data; name=key\r\n\r\na\r\n--%b--\r\n" % (BOUNDARY, BOUNDARY))


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=X", b"X"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b"),
        ("multipart/form-data", None),
        ("text/plain; boundary=X", None),
        ("", None),
    ],
)
def test_the_boundary_is_in_the_content_type(content_type: str, boundary: bytes | None) -> None:
    assert boundary_of(content_type) == boundary
