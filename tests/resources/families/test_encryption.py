"""Server-side encryption as a client asks for it and hears of it."""

import hashlib
from base64 import b64encode

import pytest
from attrs import evolve

from tests.resources.asking import FakeRequest, Shop, shop

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
SSE = "x-amz-server-side-encryption"
S3 = {SSE: "AES256"}
KMS = {SSE: "aws:kms", f"{SSE}-aws-kms-key-id": "mine"}


def customers(key: bytes = KEY, start: str = SSE) -> dict[str, str]:
    return {
        f"{start}-customer-algorithm": "AES256",
        f"{start}-customer-key": b64encode(key).decode(),
        f"{start}-customer-key-MD5": b64encode(hashlib.md5(key).digest()).decode(),
    }


CUSTOMERS = customers()
SOURCES = customers(KEY, "x-amz-copy-source-server-side-encryption")
WAYS = {"SSE-S3": (S3, {}), "SSE-KMS": (KMS, {}), "SSE-C": (CUSTOMERS, CUSTOMERS)}


@pytest.fixture
def there() -> Shop:
    there = shop(min_part_size=1)
    assert there.ask("PUT", "/photos").status == 200
    return there


def code(reply: FakeRequest) -> str:
    return reply.body.decode().partition("<Code>")[2].partition("<")[0]


def assert_tells(reply: FakeRequest, headers: dict[str, str]) -> None:
    """The answer says how the object is encrypted, and never the key."""
    for name, value in headers.items():
        if not name.endswith("customer-key"):
            assert reply.header(name) == value
    assert reply.header(f"{SSE}-customer-key") is None


@pytest.mark.parametrize("asked", [{}, {"Range": "bytes=1-2"}])
def test_a_damaged_object_is_refused_before_its_answer_begins(there: Shop, asked: dict[str, str]) -> None:
    assert there.ask("PUT", "/photos/cat", b"meow", headers=S3).status == 200
    assert there.ask("GET", "/photos/cat", headers=asked).status in (200, 206)
    held = there.service.objects.blobs._bytes
    held.update({blob: data[:40] + bytes([data[40] ^ 1]) + data[41:] for blob, data in held.items()})
    reply = there.ask("GET", "/photos/cat", headers=asked)
    assert (reply.status, code(reply)) == (500, "ObjectDamaged")
    assert there.ask("HEAD", "/photos/cat").status == 200


@pytest.mark.parametrize("way", WAYS)
def test_an_encrypted_object_is_stored_told_of_and_read(there: Shop, way: str) -> None:
    headers, opening = WAYS[way]
    assert_tells(there.ask("PUT", "/photos/cat", b"meow", headers=headers), headers)
    read = there.ask("GET", "/photos/cat", headers=opening)
    assert (read.status, read.body) == (200, b"meow")
    assert_tells(read, headers)
    head = there.ask("HEAD", "/photos/cat", headers=opening)
    assert (head.status, head.header("Content-Length")) == (200, "4")
    assert_tells(head, headers)
    piece = there.ask("GET", "/photos/cat", headers={**opening, "Range": "bytes=1-2"})
    assert (piece.status, piece.body) == (206, b"eo")
    assert (read.header("ETag") == f'"{hashlib.md5(b"meow").hexdigest()}"') is (way == "SSE-S3")
    assert b"<Size>4</Size>" in there.ask("GET", "/photos?list-type=2").body


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_object_can_be_encrypted(there: Shop, way: str) -> None:
    headers, opening = WAYS[way]
    assert there.ask("PUT", "/photos/cat", headers=headers).status == 200
    assert there.ask("GET", "/photos/cat", headers=opening).status == 200


@pytest.mark.parametrize("way", WAYS)
def test_the_parts_of_an_encrypted_upload_become_one_encrypted_object(there: Shop, way: str) -> None:
    headers, opening = WAYS[way]
    begun = there.ask("POST", "/photos/cat?uploads", headers=headers)
    assert_tells(begun, headers)
    upload_id = begun.body.decode().partition("<UploadId>")[2].partition("<")[0]
    listed = ""
    for number, data in ((1, b"me"), (2, b"ow")):
        part = there.ask("PUT", f"/photos/cat?partNumber={number}&uploadId={upload_id}", data, headers=opening)
        assert_tells(part, headers)
        listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{part.header('ETag')}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    assert there.ask("POST", f"/photos/cat?uploadId={upload_id}", document, headers=opening).status == 200
    assert there.ask("GET", "/photos/cat", headers=opening).body == b"meow"
    second = there.ask("GET", "/photos/cat?partNumber=2", headers=opening)
    assert (second.status, second.body) == (206, b"ow")


def test_parts_must_come_with_the_key_of_their_upload(there: Shop) -> None:
    def begin(headers: dict[str, str]) -> str:
        reply = there.ask("POST", "/photos/cat?uploads", headers=headers)
        return "/photos/cat?partNumber=1&uploadId=" + reply.body.decode().partition("<UploadId>")[2].partition("<")[0]

    customers_part, plain_part, s3_part = begin(CUSTOMERS), begin({}), begin(S3)
    for part, headers in [
        (customers_part, {}),
        (customers_part, customers(OTHER)),
        (plain_part, CUSTOMERS),
        (plain_part, S3),
        (s3_part, CUSTOMERS),
        (s3_part, KMS),
    ]:
        assert code(there.ask("PUT", part, b"x", headers=headers)) == "InvalidRequest"
    assert there.ask("PUT", s3_part, b"x", headers=S3).status == 200


@pytest.mark.parametrize("checksum", [{}, {"x-amz-checksum-algorithm": "CRC64NVME"}])
def test_completing_needs_the_key_of_what_is_encrypted_with_it(there: Shop, checksum: dict[str, str]) -> None:
    def upload(headers: dict[str, str]) -> tuple[str, bytes]:
        begun = there.ask("POST", "/photos/cat?uploads", headers={**headers, **checksum}).body.decode()
        target = "/photos/cat?uploadId=" + begun.partition("<UploadId>")[2].partition("<")[0]
        etag = there.ask("PUT", target + "&partNumber=1", b"x", headers=headers).header("etag")
        part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
        return target, f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()

    for begin, headers in [(CUSTOMERS, {}), (CUSTOMERS, customers(OTHER)), ({}, CUSTOMERS), (S3, CUSTOMERS)]:
        assert code(there.ask("POST", *upload(begin), headers=headers)) == "InvalidRequest"
    for headers in ({}, S3, CUSTOMERS):
        begun = upload(headers)
        assert there.ask("POST", *begun, headers=CUSTOMERS if headers is CUSTOMERS else {}).status == 200


def test_an_object_without_a_checksum_is_completed_without_its_key() -> None:
    there = shop()
    there.service.objects = evolve(there.service.objects, hashing=False)
    there.service.uploads = evolve(there.service.uploads, objects=there.service.objects)
    there.ask("PUT", "/photos")
    begun = there.ask("POST", "/photos/cat?uploads", headers=CUSTOMERS).body.decode()
    target = "/photos/cat?uploadId=" + begun.partition("<UploadId>")[2].partition("<")[0]
    etag = there.ask("PUT", target + "&partNumber=1", b"x", headers=CUSTOMERS).header("etag")
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
    assert there.ask("POST", target, document).status == 200


@pytest.mark.parametrize("target", ["plain", *WAYS])
@pytest.mark.parametrize("source", ["plain", *WAYS])
def test_copies_are_encrypted_as_they_are_asked_for(there: Shop, source: str, target: str) -> None:
    put, _ = WAYS.get(source, ({}, {}))
    asked, opening = WAYS.get(target, ({}, {}))
    there.ask("PUT", "/photos/cat", b"meow", headers=put)
    opens = SOURCES if source == "SSE-C" else {}
    copied = there.ask("PUT", "/photos/copy", headers={"x-amz-copy-source": "/photos/cat", **asked, **opens})
    assert copied.status == 200
    assert_tells(copied, asked)
    read = there.ask("GET", "/photos/copy", headers=opening)
    assert read.body == b"meow"
    assert_tells(read, asked)
    if target == "plain":
        assert read.header(SSE) is None


def test_a_copy_onto_itself_may_change_how_it_is_encrypted(there: Shop) -> None:
    there.ask("PUT", "/photos/cat", b"meow")
    onto = {"x-amz-copy-source": "/photos/cat"}
    assert code(there.ask("PUT", "/photos/cat", headers=onto)) == "InvalidRequest"
    assert there.ask("PUT", "/photos/cat", headers={**onto, **S3}).status == 200
    assert there.ask("GET", "/photos/cat").header(SSE) == "AES256"


def test_a_copy_onto_itself_encrypts_what_its_bucket_would_encrypt_by_now(there: Shop) -> None:
    there.ask("PUT", "/photos/cat", b"meow", headers={"x-amz-meta-name": "Tom"})
    onto = {"x-amz-copy-source": "/photos/cat"}
    blocking = configuration("<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>")
    assert there.ask("PUT", "/photos?encryption", blocking).status == 200
    assert code(there.ask("PUT", "/photos/cat", headers=onto)) == "InvalidRequest"
    assert there.ask("PUT", "/photos?encryption", configuration(default("AES256"))).status == 200
    assert_tells(there.ask("PUT", "/photos/cat", headers=onto), S3)
    read = there.ask("GET", "/photos/cat")
    assert (read.body, read.header(SSE), read.header("x-amz-meta-name")) == (b"meow", "AES256", "Tom")


def test_a_copy_onto_itself_takes_off_a_customers_key(there: Shop) -> None:
    there.ask("PUT", "/photos/cat", b"meow", headers=CUSTOMERS)
    onto = {"x-amz-copy-source": "/photos/cat"}
    assert code(there.ask("PUT", "/photos/cat", headers=onto)) == "InvalidRequest"
    assert there.ask("PUT", "/photos/cat", headers={**onto, **SOURCES}).status == 200
    assert there.ask("GET", "/photos/cat").body == b"meow"
    assert code(there.ask("PUT", "/photos/cat", headers={**onto, **SOURCES})) == "InvalidRequest"


def test_a_part_copied_from_a_customers_object_needs_its_key(there: Shop) -> None:
    there.ask("PUT", "/photos/cat", b"meow", headers=CUSTOMERS)
    begun = there.ask("POST", "/photos/copy?uploads", headers=S3).body.decode()
    part = "/photos/copy?partNumber=1&uploadId=" + begun.partition("<UploadId>")[2].partition("<")[0]
    asked = {"x-amz-copy-source": "/photos/cat", "x-amz-copy-source-range": "bytes=1-2"}
    assert there.ask("PUT", part, headers={**asked, **SOURCES}).status == 200
    assert code(there.ask("PUT", part, headers=asked)) == "InvalidRequest"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({SSE: "aes:kms"}, "InvalidArgument"),
        ({SSE: ""}, "InvalidArgument"),
        ({SSE: "aws:kms:dsse"}, "NotImplemented"),
        ({SSE: "AES256", f"{SSE}-aws-kms-key-id": "mine"}, "InvalidArgument"),
        ({f"{SSE}-aws-kms-key-id": "mine"}, "InvalidArgument"),
        ({f"{SSE}-context": "e30="}, "InvalidArgument"),
        ({SSE: "aws:kms", f"{SSE}-aws-kms-key-id": "nobody's"}, "KMS.NotFoundException"),
        ({**CUSTOMERS, **S3}, "InvalidArgument"),
        ({**CUSTOMERS, **KMS}, "InvalidArgument"),
        ({**CUSTOMERS, f"{SSE}-customer-algorithm": None}, "InvalidArgument"),
        ({**CUSTOMERS, f"{SSE}-customer-algorithm": "AES192"}, "InvalidEncryptionAlgorithmError"),
        ({**CUSTOMERS, f"{SSE}-customer-key": None}, "InvalidArgument"),
        ({**CUSTOMERS, f"{SSE}-customer-key": "c2hvcnQ="}, "InvalidArgument"),
        ({**CUSTOMERS, f"{SSE}-customer-key": "no base64"}, "InvalidArgument"),
        ({**CUSTOMERS, f"{SSE}-customer-key-MD5": None}, "InvalidArgument"),
        ({**CUSTOMERS, f"{SSE}-customer-key-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "InvalidArgument"),
    ],
)
def test_what_cannot_be_encrypted_as_asked_is_refused_and_not_stored(
    there: Shop, headers: dict[str, str], expected: str
) -> None:
    reply = there.ask("PUT", "/photos/cat", b"meow", headers=headers)
    assert code(reply) == expected
    assert reply.status == (501 if expected == "NotImplemented" else 400)
    assert there.ask("GET", "/photos/cat").status == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("stored", "asked", "status"),
    [
        (CUSTOMERS, {}, 400),
        (CUSTOMERS, customers(OTHER), 403),
        (CUSTOMERS, customers(b"short"), 403),
        (CUSTOMERS, customers(OTHER + OTHER), 403),
        (CUSTOMERS, {**CUSTOMERS, f"{SSE}-customer-key-MD5": None}, 400),
        (CUSTOMERS, {**CUSTOMERS, **S3}, 400),
        ({}, CUSTOMERS, 400),
        (S3, CUSTOMERS, 400),
        (S3, S3, 400),
        (KMS, KMS, 400),
    ],
)
def test_reading_needs_the_key_it_was_written_with_and_nothing_else(
    there: Shop, method: str, stored: dict[str, str], asked: dict[str, str], status: int
) -> None:
    there.ask("PUT", "/photos/cat", b"meow", headers=stored)
    reply = there.ask(method, "/photos/cat", headers=asked)
    assert reply.status == status
    assert b"meow" not in reply.body


def test_the_context_of_a_key_is_told_to_who_writes(there: Shop) -> None:
    asked = {**KMS, f"{SSE}-context": "eyJhIjoiYiJ9", f"{SSE}-bucket-key-enabled": "true"}
    assert_tells(there.ask("PUT", "/photos/cat", b"meow", headers=asked), asked)
    read = there.ask("GET", "/photos/cat")
    assert read.body == b"meow"
    assert read.header(f"{SSE}-context") is None
    assert read.header(f"{SSE}-bucket-key-enabled") == "true"


def configuration(rule: str) -> bytes:
    return f"<ServerSideEncryptionConfiguration><Rule>{rule}</Rule></ServerSideEncryptionConfiguration>".encode()


def default(algorithm: str, more: str = "") -> str:
    inside = f"<SSEAlgorithm>{algorithm}</SSEAlgorithm>{more}"
    return f"<ApplyServerSideEncryptionByDefault>{inside}</ApplyServerSideEncryptionByDefault>"


def test_a_bucket_encrypts_by_default_what_names_no_encryption_itself(there: Shop) -> None:
    assert code(there.ask("GET", "/photos?encryption")) == "ServerSideEncryptionConfigurationNotFoundError"
    by_key = configuration(default("aws:kms", "<KMSMasterKeyID>mine</KMSMasterKeyID>"))
    assert there.ask("PUT", "/photos?encryption", by_key).status == 200
    told = there.ask("GET", "/photos?encryption").body
    assert b"<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>mine</KMSMasterKeyID>" in told
    assert_tells(there.ask("PUT", "/photos/cat", b"meow"), KMS)
    assert_tells(there.ask("PUT", "/photos/own", b"meow", headers=S3), S3)
    assert_tells(there.ask("PUT", "/photos/copy", headers={"x-amz-copy-source": "/photos/own"}), KMS)
    assert_tells(there.ask("POST", "/photos/parts?uploads"), KMS)
    assert there.ask("DELETE", "/photos?encryption").status == 204
    assert there.ask("DELETE", "/photos?encryption").status == 204
    assert there.ask("PUT", "/photos/plain", b"meow").header(SSE) is None
    assert there.ask("GET", "/photos/cat").body == b"meow"


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        (default("AES256"), 200),
        (default("AES256") + "<BucketKeyEnabled>true</BucketKeyEnabled>", 200),
        (default("AES256", "<KMSMasterKeyID>mine</KMSMasterKeyID>"), 400),
        (default("aws:kms:dsse"), 501),
        (default("rot13"), 400),
        (default("AES256") * 2, 400),
        ("", 400),
        ("<BucketKeyEnabled>perhaps</BucketKeyEnabled>", 400),
        ("<Other/>", 400),
    ],
)
def test_only_a_default_that_can_be_kept_is_accepted(there: Shop, rule: str, status: int) -> None:
    assert there.ask("PUT", "/photos?encryption", configuration(rule)).status == status


def test_a_bucket_may_block_customers_keys(there: Shop) -> None:
    blocked = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
    there.ask("PUT", "/photos?encryption", configuration(default("AES256") + blocked))
    assert there.ask("PUT", "/photos/cat", b"meow", headers=CUSTOMERS).status == 403
    assert blocked.encode() in there.ask("GET", "/photos?encryption").body


def test_a_form_may_ask_for_encryption(there: Shop) -> None:
    fields = {"key": "cat", SSE: "AES256"}
    body = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    body += '--x\r\nContent-Disposition: form-data; name="file"; filename="c"\r\n\r\nmeow\r\n--x--\r\n'
    sent = there.ask("POST", "/photos", body.encode(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (sent.status, sent.header(SSE)) == (204, "AES256")
    read = there.ask("GET", "/photos/cat")
    assert (read.body, read.header(SSE)) == (b"meow", "AES256")
