"""Encoded words of RFC 2047."""

from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.headers.encoded_words import decoded


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("=?UTF-8?B?YWJj?=", "abc"),
        ("=?UTF-8?Q?actually-ascii?=", "actually-ascii"),
        ("=?utf-8?q?=C3=84M=C3=84Z_S3?=", "ÄMÄZ S3"),
        ("=?iso-8859-1?Q?caf=E9?=", "café"),
        ("=?UTF-8*de?B?w6Q=?=", "ä"),
        ("=?UTF-8?B?AAEC?=", "\x00\x01\x02"),
        ("a =?UTF-8?B?w6Q=?= b", "a ä b"),
        ("=?UTF-8?B?w6Q=?= =?UTF-8?Q?=C3=B6?= \t =?UTF-8?B?w7w=?=", "äöü"),
        ("=?UTF-8?B??=", ""),
    ],
)
def test_encoded_words_are_read(sent: str, kept: str) -> None:
    assert decoded(sent) == kept


@pytest.mark.parametrize(
    "text",
    [
        "=?",
        "a=?b",
        "=?UTF-8?X?YWJj?=",
        "=?UTF-8?B?=GGG?=",
        "=?UTF-8?B?w6?=",
        "=?UTF-8?B?/////w==?=",
        "=?none?B?YWJj?=",
        "=?rot13?Q?nop?=",
        "=?undefined?Q?abc?=",
        "=?unicode_escape?B?XHVkODAw?=",
        "=?UTF-8?Q?é?=",
    ],
)
def test_what_cannot_be_read_stays_as_it_came(text: str) -> None:
    assert decoded(text) in (text, "é")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_what_mail_writers_encode_is_read(text: str) -> None:
    assert decoded(Header(text, "utf-8", maxlinelen=0).encode()) == text


@given(st.text(max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    decoded("=?" + text + "?=")
