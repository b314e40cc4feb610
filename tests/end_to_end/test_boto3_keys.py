"""Any key of 1 to 1024 bytes is an object of its own, through every operation."""

import re
from urllib.parse import unquote_plus

from tests.end_to_end.place import Place, refusal
from tests.end_to_end.raw import Wire, request

ODD_KEYS = (
    "a",
    "a/",
    "a/b",
    "a/b/",
    "a//b",
    "a//",
    "/",
    "//",
    "/leading",
    "//leading",
    ".",
    "..",
    "./dot",
    "../dot",
    "dir/.",
    "dir/..",
    "dir/../up",
    "dir/./same",
    "../../../etc/passwd",
    ".geckos3/catalog.sqlite",
    ".geckos3-tmp/x",
    ".geckos3-multipart/x",
    "x.metadata.json",
    "x",
    "slash%2Fslash",
    "per%cent",
    "%",
    "%25",
    "plus+plus",
    "+",
    " ",
    " spaces  inside ",
    "colon:and=equals",
    "question?mark",
    "hash#tag",
    "semi;colon&and",
    "back\\slash",
    "quote\"'<>&",
    "~tilde*star!",
    "ünï/çødé",
    "日本語/🦎",
    "e\u0301",
    "\u00e9",
    "Case",
    "case",
    "\x01\x02\x1f\x7f",
    "tab\tand\r\nline",
    "\ufffe\uffff",
    "CON",
    "trailing.",
    "s" * 255,
    "s" * 256,
    "é" * 512,
    "/".join(["n"] * 512) + "x",
)


def test_odd_keys_are_objects_of_their_own(place: Place):
    bucket, copies = place.new_bucket(), place.new_bucket()
    bodies = {key: f"the body of {key!r}".encode() for key in ODD_KEYS}
    for key, body in bodies.items():
        place.put(bucket, key, body, Metadata={"number": str(ODD_KEYS.index(key))})
    in_order = sorted(ODD_KEYS, key=str.encode)
    assert place.keys(bucket) == in_order
    assert place.keys(bucket, PaginationConfig={"PageSize": 7}) == in_order
    for key, body in bodies.items():
        answer = place.s3.get_object(Bucket=bucket, Key=key)
        assert (answer["Body"].read(), answer["Metadata"]) == (body, {"number": str(ODD_KEYS.index(key))})
        place.s3.copy_object(Bucket=copies, Key=key, CopySource={"Bucket": bucket, "Key": key})
    for key in ODD_KEYS[::2]:
        place.s3.delete_object(Bucket=bucket, Key=key)
    assert place.keys(bucket) == [key for key in in_order if key not in ODD_KEYS[::2]]
    assert place.keys(copies) == in_order
    for key in ODD_KEYS[1::2]:
        assert place.get(bucket, key) == bodies[key]
    for key, body in bodies.items():
        assert place.get(copies, key) == body
    deletable = [key for key in ODD_KEYS if key.isprintable()]
    place.s3.delete_objects(Bucket=copies, Delete={"Objects": [{"Key": key} for key in deletable]})
    assert place.keys(copies) == [key for key in in_order if key not in deletable]
    for key in ODD_KEYS:
        place.s3.delete_object(Bucket=copies, Key=key)
        place.s3.delete_object(Bucket=bucket, Key=key)
    for emptied in (bucket, copies):
        assert not list(place.daemon.data_dir.glob(f"{emptied}/*"))
        place.s3.delete_bucket(Bucket=emptied)


def test_odd_keys_are_told_in_both_encodings(plain: Place):
    """boto3 asks for ``encoding-type=url`` by itself and decodes; here is what other clients see."""
    bucket = plain.new_bucket()
    for key in ("a b+c/é", "x&y<z>"):
        plain.put(bucket, key)
    listed = {}
    for query in ("list-type=2", "encoding-type=url&list-type=2"):
        with Wire(plain.daemon) as wire:
            wire.send(request(plain.daemon, "GET", f"/{bucket}?{query}"))
            listed[query] = re.findall("<Key>(.*?)</Key>", wire.answer().body.decode())
    assert listed["list-type=2"] == ["a b+c/é", "x&amp;y&lt;z&gt;"]
    assert [unquote_plus(key) for key in listed["encoding-type=url&list-type=2"]] == ["a b+c/é", "x&y<z>"]
    assert listed["encoding-type=url&list-type=2"][0].isascii()


def test_the_longest_key_is_1024_bytes(scheme: Place):
    bucket = scheme.new_bucket()
    scheme.put(bucket, "k" * 1024, b"longest")
    assert scheme.get(bucket, "k" * 1024) == b"longest"
    assert refusal(scheme.put, bucket, "k" * 1025, b"longer") == ("KeyTooLongError", 400)
    assert refusal(scheme.put, bucket, "é" * 513, b"longer") == ("KeyTooLongError", 400)
    assert scheme.keys(bucket) == ["k" * 1024]
