"""Cross-origin requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.documents.cors import METHODS, fits, match, read_rules, write_rules
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import InvalidRequest, SlowDown
from tests.resources.asking import FakeRequest, Shop, shop
from tests.resources.reading import read

RULES = b"""<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <CORSRule>
    <ID>one</ID><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>
    <AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader><ExposeHeader>ETag</ExposeHeader>
    <MaxAgeSeconds>60</MaxAgeSeconds>
  </CORSRule>
  <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule>
</CORSConfiguration>"""
PAGE = "https://www.example.com"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


@pytest.fixture(params=["permissive", "bucket"])
def there(request: pytest.FixtureRequest) -> Shop:
    there = shop(cors=request.param)
    for bucket in ("plain", "ruled"):
        there.ask("PUT", f"/{bucket}")
        there.ask("PUT", f"/{bucket}/cat.jpg", b"meow")
    assert there.ask("PUT", "/ruled?cors", RULES).status == 200
    return there


def preflight(
    there: Shop, target: str, origin: str | None = PAGE, method: str | None = "GET", headers: str = ""
) -> FakeRequest:
    asked = {"access-control-request-headers": headers} if headers else {}
    if origin is not None:
        asked["origin"] = origin
    if method is not None:
        asked["access-control-request-method"] = method
    return there.ask("OPTIONS", target, headers=asked)


def permissive(there: Shop) -> bool:
    return there.service.cors == "permissive"


def test_a_configuration_comes_back_as_it_was_given(there: Shop) -> None:
    assert read("GetBucketCors", there.ask("GET", "/ruled?cors"))["CORSRules"] == [
        {
            "ID": "one",
            "AllowedOrigins": ["https://*.example.com"],
            "AllowedMethods": ["GET", "PUT"],
            "AllowedHeaders": ["x-amz-*", "Content-Type"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 60,
        },
        {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]},
    ]


def test_a_configuration_that_was_never_set_or_is_removed_is_told_as_such(there: Shop) -> None:
    assert read("GetBucketCors", there.ask("GET", "/plain?cors"))["Error"]["Code"] == "NoSuchCORSConfiguration"
    assert there.ask("DELETE", "/plain?cors").status == 204
    assert there.ask("DELETE", "/ruled?cors").status == 204
    assert there.ask("GET", "/ruled?cors").status == 404
    assert there.ask("DELETE", "/none?cors").status == 404
    assert there.service.buckets.get("ruled").settings == {}


def test_a_page_of_an_allowed_origin_may_read(there: Shop) -> None:
    reply = there.ask("GET", "/ruled/cat.jpg", headers={"origin": PAGE})
    assert reply.header("access-control-allow-origin") == PAGE
    assert reply.header("access-control-allow-methods") == "GET, PUT"
    assert reply.header("access-control-allow-credentials") == "true"
    assert reply.header("access-control-expose-headers") == "ETag"
    assert reply.header("access-control-max-age") == "60"
    assert reply.header("vary") == VARY


def test_a_rule_for_everybody_is_answered_with_a_star(there: Shop) -> None:
    reply = there.ask("HEAD", "/ruled/cat.jpg", headers={"origin": "https://other.test"})
    assert reply.header("access-control-allow-origin") == "*"
    assert reply.header("access-control-allow-credentials") is None


@pytest.mark.parametrize(("method", "asked", "allowed"), [("DELETE", "PUT", PAGE), ("GET", "DELETE", None)])
def test_the_method_that_is_asked_for_decides_in_any_request(
    there: Shop, method: str, asked: str, allowed: str | None
) -> None:
    reply = there.ask(method, "/ruled/cat.jpg", headers={"origin": PAGE, "access-control-request-method": asked})
    assert reply.status < 300
    assert reply.header("access-control-allow-origin") == allowed


def test_an_error_may_be_read_by_the_page_too(there: Shop) -> None:
    reply = there.ask("GET", "/ruled/none", headers={"origin": PAGE})
    assert (reply.status, reply.header("access-control-allow-origin")) == (404, PAGE)


def test_nobody_need_be_known_to_ask_first() -> None:
    there = shop(auth=True, cors="bucket")
    there.service.buckets.create(BucketRecord(name="ruled", created=0))
    reply = there.ask("GET", "/ruled/cat.jpg", headers={"origin": PAGE})
    assert (reply.status, reply.header("access-control-allow-origin")) == (403, None)
    assert preflight(there, "/ruled/cat.jpg").status == 403
    there.service.cors = "permissive"
    assert preflight(there, "/ruled/cat.jpg").status == 200


def test_a_page_of_another_origin_learns_nothing_of_a_bucket_with_rules(there: Shop) -> None:
    reply = there.ask("GET", "/ruled/cat.jpg", headers={"origin": "https://evil.test"})
    assert reply.body == b"meow"
    assert reply.header("access-control-allow-origin") is None
    assert reply.header("vary") == VARY


def test_an_answer_to_no_page_is_not_cached_for_one(there: Shop) -> None:
    reply = there.ask("GET", "/ruled/cat.jpg")
    assert reply.header("access-control-allow-origin") is None
    assert reply.header("vary") == VARY


def test_a_preflight_is_answered_by_the_first_rule_that_allows_it(there: Shop) -> None:
    reply = preflight(there, "/ruled/cat.jpg?partNumber=1&uploadId=x", method="PUT", headers="X-Amz-Date, content-type")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.header("access-control-allow-origin") == PAGE
    assert reply.header("access-control-allow-headers") == "x-amz-date, content-type"
    assert reply.header("vary") == VARY
    assert reply.header("x-amz-request-id")


@pytest.mark.parametrize(
    ("origin", "method", "headers", "status"),
    [
        ("https://evil.test", "GET", "", 403),
        (PAGE, "DELETE", "", 403),
        (PAGE, "GET", "authorization", 403),
        (None, "GET", "", 400),
        (PAGE, None, "", 400),
        (PAGE, "PATCH", "", 400),
        ("https://any.test", "HEAD", "", 200),
        ("https://any.test", "HEAD", "x-any", 403),
    ],
)
def test_any_other_preflight_is_refused(there: Shop, origin: str, method: str, headers: str, status: int) -> None:
    reply = preflight(there, "/ruled/cat.jpg", origin, method, headers)
    assert reply.status == status
    assert status != 403 or b"<Code>AccessForbidden</Code>" in reply.body


def test_a_bucket_without_rules_follows_the_setting(there: Shop) -> None:
    reply = there.ask("GET", "/plain/cat.jpg", headers={"origin": PAGE})
    asked = preflight(there, "/plain/cat.jpg")
    if permissive(there):
        assert reply.header("access-control-allow-origin") == PAGE
        assert reply.header("vary") == "Origin"
        assert asked.status == 200
    else:
        assert reply.header("access-control-allow-origin") is None
        assert asked.status == 403


EVIL = {"origin": "https://evil.test"}


def test_every_page_may_read_all_of_every_answer_until_a_bucket_has_rules() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    for target in ("/", "/photos", "/photos/none", "/none", "/photos?policy", "/%zz"):
        reply = there.ask("GET", target, headers=EVIL)
        assert reply.header("access-control-allow-origin") == "https://evil.test"
        assert reply.header("access-control-allow-methods") == "GET, PUT, POST, DELETE, HEAD, OPTIONS"
        assert reply.header("access-control-expose-headers") == "*"
        assert reply.header("access-control-max-age") == "3600"
        assert "x-amz-meta-*" in (reply.header("access-control-allow-headers") or "")
        assert reply.header("vary") == "Origin"
    there.ask("PUT", "/photos?cors", RULES)
    assert there.ask("GET", "/photos", headers=EVIL).header("access-control-allow-origin") is None
    there.ask("DELETE", "/photos?cors")
    assert there.ask("GET", "/photos", headers=EVIL).header("access-control-allow-origin") == EVIL["origin"]


@pytest.mark.parametrize("headers", [{}, {"origin": ""}])
def test_who_is_no_page_is_told_only_that_pages_are_told_more(headers: dict[str, str]) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    for method, target in (("GET", "/"), ("GET", "/photos/none"), ("HEAD", "/photos"), ("OPTIONS", "/photos")):
        reply = there.ask(method, target, headers=headers)
        assert [name for name, _ in reply.headers if name.lower().startswith(b"access-control")] == []
        assert reply.header("vary") == "Origin"


def test_rules_set_by_another_process_count_at_once_for_pages_and_soon_for_others() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    assert there.ask("GET", "/photos").header("vary") == "Origin"
    there.service.buckets.change("photos", lambda record: record.with_setting("cors", read_rules(RULES)))
    assert there.ask("GET", "/photos", headers=EVIL).header("access-control-allow-origin") is None
    assert there.ask("GET", "/photos").header("vary") == VARY


def test_an_origin_that_is_nothing_is_nobodys(there: Shop) -> None:
    rules = configuration("<AllowedMethod>GET</AllowedMethod><AllowedOrigin></AllowedOrigin>")
    assert there.ask("PUT", "/ruled?cors", rules).status == 200
    told = read("GetBucketCors", there.ask("GET", "/ruled?cors"))["CORSRules"]
    assert told == [{"AllowedMethods": ["GET"], "AllowedOrigins": [""]}]
    for origin in (None, "", PAGE):
        reply = there.ask("GET", "/ruled/cat.jpg", headers={"origin": origin} if origin is not None else {})
        assert (reply.header("access-control-allow-origin"), reply.header("vary")) == (None, VARY)


def test_rules_that_cannot_be_read_allow_nothing_and_do_not_spoil_the_answer() -> None:
    there = shop()
    there.ask("PUT", "/photos")

    class Busy:
        def get(self, name: str, look: bool = True) -> None:
            raise SlowDown

    there.service.buckets = Busy()  # type: ignore[assignment]
    for headers in ({}, {"origin": PAGE}):
        reply = there.ask("HEAD", "/photos", headers=headers)
        assert reply.status == 503
        assert reply.header("access-control-allow-origin") is None


@pytest.mark.parametrize("target", ["/", "/none", "/photos/cat.jpg", "/photos?uploads"])
def test_a_permissive_preflight_allows_the_headers_that_are_asked_for(target: str) -> None:
    reply = preflight(shop(), target, headers="amz-sdk-request")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.header("access-control-allow-headers").endswith("x-amz-meta-*, amz-sdk-request")
    nobody = preflight(shop(), target, None, None)
    assert (nobody.status, nobody.body, nobody.header("access-control-allow-origin")) == (200, b"", None)
    for name in ("X-Amz-Signature", "Signature"):
        signed = preflight(shop(), f"/photos/cat.jpg?{name}=0", None, None)
        assert signed.status == 400
        assert b"<Code>BadRequest</Code>" in signed.body


def configuration(*rules: str) -> bytes:
    return (
        f"<CORSConfiguration>{''.join(f'<CORSRule>{rule}</CORSRule>' for rule in rules)}</CORSConfiguration>".encode()
    )


LEAST = "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (configuration(), MalformedXML),
        (configuration("<AllowedMethod>GET</AllowedMethod>"), MalformedXML),
        (configuration("<AllowedOrigin>*</AllowedOrigin>"), MalformedXML),
        (configuration(LEAST + "<Other/>"), MalformedXML),
        (configuration(LEAST + "<MaxAgeSeconds>-1</MaxAgeSeconds>"), MalformedXML),
        (configuration(LEAST + "<ExposeHeader>a&#10;b</ExposeHeader>"), MalformedXML),
        (configuration(LEAST + "<AllowedHeader></AllowedHeader>"), MalformedXML),
        (configuration(*[LEAST] * 101), InvalidRequest),
        (configuration(LEAST + "<AllowedMethod>PATCH</AllowedMethod>"), InvalidRequest),
        (configuration(LEAST + "<AllowedOrigin>*.*</AllowedOrigin>"), InvalidRequest),
        (configuration(LEAST + "<AllowedHeader>*-*</AllowedHeader>"), InvalidRequest),
        (configuration(LEAST + "<ExposeHeader>x-*</ExposeHeader>"), InvalidRequest),
        (configuration(LEAST + f"<ID>{'x' * 256}</ID>"), InvalidRequest),
    ],
)
def test_a_configuration_that_s3_would_not_take_is_refused(body: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        read_rules(body)
    assert len(read_rules(configuration(*[LEAST] * 100))) == 100


words = st.text("abc.-", min_size=1, max_size=6)
patterns = words | st.tuples(st.text("abc.", max_size=4), st.text("abc.", max_size=4)).map("*".join)
RULE = st.fixed_dictionaries(
    {
        "AllowedMethods": st.lists(st.sampled_from(METHODS), min_size=1, max_size=3),
        "AllowedOrigins": st.lists(patterns, min_size=1, max_size=3),
    },
    optional={
        "ID": words,
        "AllowedHeaders": st.lists(patterns, min_size=1, max_size=3),
        "ExposeHeaders": st.lists(words, min_size=1, max_size=2),
        "MaxAgeSeconds": st.integers(0, 999_999_999),
    },
)


@given(st.lists(RULE, min_size=1, max_size=5))
def test_rules_are_read_as_they_are_written(rules: list[dict[str, object]]) -> None:
    assert read_rules(write_rules(rules)) == rules


@given(pattern=patterns, value=st.text("abc.", max_size=8))
def test_a_star_stands_for_anything(pattern: str, value: str) -> None:
    before, star, after = pattern.partition("*")
    stands_for = [value[at:end] for at in range(len(value) + 1) for end in range(at, len(value) + 1)]
    expected = pattern == value if not star else any(before + middle + after == value for middle in stands_for)
    assert fits(pattern, value) is expected


@given(
    rules=st.lists(RULE, max_size=4), origin=words, method=st.sampled_from(METHODS), asked=st.lists(words, max_size=2)
)
def test_the_first_rule_that_allows_all_of_it_counts(
    rules: list[dict[str, list[str]]], origin: str, method: str, asked: list[str]
) -> None:
    allowing = [
        rule
        for rule in rules
        if method in rule["AllowedMethods"]
        and any(fits(one, origin) for one in rule["AllowedOrigins"])
        and all(any(fits(one, name) for one in rule.get("AllowedHeaders", [])) for name in asked)
    ]
    assert match(rules, origin, method, [name.upper() for name in asked]) == (allowing[0] if allowing else None)
