"""What a request names as the source of a copy: read in one way by the copy and by whatever decides whether it may be made."""

from attrs import frozen

from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.dispatch.keys import decode
from gecko_tw.resources.headers.versions import check_version_id
from gecko_tw.store.refusals import InvalidArgument

COPY_SOURCE = b"x-amz-copy-source"


@frozen
class Named:
    """The source of a copy or of a rename."""

    bucket: str
    key: bytes
    version_id: str | None

    @property
    def path(self) -> str:
        """``bucket/key``, as policies write it."""
        return f"{self.bucket}/{self.key.decode('utf-8', 'surrogateescape')}"


def read_source(value: str) -> Named:
    """The bucket, key and version of ``[/]bucket/key[?versionId=id]``, which is encoded as a query: ``+`` is a space.

    The path is decoded before it is split: some SDKs encode its slashes, too. What names the version is not encoded.

    :raises InvalidArgument: it has no bucket or no key, or is badly encoded.
    :raises NotImplemented_: it is the ARN of an access point.
    """
    path, _, version = value.partition("?versionId=")
    decoded = decode(path.replace("+", " ").encode("latin-1")) or b""
    if decoded.startswith(b"arn:"):
        raise NotImplemented_(Header=COPY_SOURCE.decode())
    bucket, _, key = decoded.removeprefix(b"/").partition(b"/")
    if not bucket or not key:
        raise InvalidArgument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName=COPY_SOURCE.decode(),
            ArgumentValue=value,
        )
    return Named(bucket.decode("utf-8", "replace"), key, check_version_id(version) if version else None)
