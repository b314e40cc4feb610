"""XML out is always well-formed and says what it was told; XML in is never trusted."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.documents import markup

writable = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n\r&<>\"']")
)


@given(writable)
def test_what_xml_can_hold_comes_back_as_it_was(text: str) -> None:
    body = markup.document("Root", markup.text("Key", text))
    assert markup.read(body, "Root").need("Key") == text


@given(st.text(st.characters()))
def test_no_text_makes_a_document_malformed(text: str) -> None:
    read = etree.fromstring(markup.document("Root", markup.text("Key", text)))
    assert len(read) == 1


def test_what_xml_cannot_hold_becomes_a_replacement_character() -> None:
    assert markup.escape("a\x00b\x1f\ud800\uffff") == "a\ufffdb\ufffd\ufffd\ufffd"


def test_booleans_are_written_as_s3_does() -> None:
    assert markup.texts({"A": True, "B": False, "C": None, "D": 7}) == "<A>true</A><B>false</B><D>7</D>"


def test_times_are_whole_seconds_of_utc() -> None:
    assert markup.iso_time(1_795_230_000_987_654_321) == "2026-11-21T03:00:00.000Z"


@given(st.integers(-(10**9), 253_402_300_799))
def test_every_second_is_written_as_the_calendar_has_it(seconds: int) -> None:
    expected = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert markup.iso_time(seconds * 1_000_000_000 + 999_999_999) == expected


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"', ' xmlns="urn:other"'])
def test_any_namespace_is_accepted(namespace: str) -> None:
    assert markup.read(f"<Delete{namespace}><Quiet>true</Quiet></Delete>".encode(), "Delete").get("Quiet") == "true"


BILLION_LAUGHS = b'<!DOCTYPE D [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><Delete><Quiet>&c;</Quiet></Delete>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<Delete>",
        b"<Delete></Other>",
        b"<Other/>",
        b"<Delete>&unknown;</Delete>",
        b"<!DOCTYPE Delete><Delete/>",
        b'<!DOCTYPE Delete SYSTEM "file:///etc/passwd"><Delete/>',
        b'<!DOCTYPE Delete [<!ENTITY x SYSTEM "file:///etc/hostname">]><Delete>&x;</Delete>',
        BILLION_LAUGHS,
        b"<Delete>" * 5000 + b"</Delete>" * 5000,
        b"<Delete>\x00</Delete>",
        b'<?xml version="1.0" encoding="nonsense"?><Delete/>',
    ],
)
def test_what_is_not_plain_xml_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedXML):
        markup.read(body, "Delete")


@given(st.binary(max_size=60))
def test_no_bytes_make_the_reader_fail_otherwise(body: bytes) -> None:
    with pytest.raises(MalformedXML):
        markup.read(body, "CompleteMultipartUpload")


def test_an_element_given_twice_is_refused_where_one_is_meant() -> None:
    with pytest.raises(MalformedXML):
        markup.read(b"<D><Q>1</Q><Q>2</Q></D>", "D").get("Q")


def test_an_element_with_elements_inside_has_no_text() -> None:
    with pytest.raises(MalformedXML):
        markup.read(b"<D><Q>1<R/></Q></D>", "D").get("Q")


def test_an_element_that_is_missing_or_not_foreseen_is_refused() -> None:
    root = markup.read(b"<D><Q/></D>", "D")
    with pytest.raises(MalformedXML):
        root.need("R")
    with pytest.raises(MalformedXML):
        root.only(("R",))
    assert root.only(("Q",)) is root


def test_comments_are_no_content() -> None:
    assert markup.read(b"<D><!-- x --><Q>a<!-- y -->b</Q></D>", "D").get("Q") == "ab"
