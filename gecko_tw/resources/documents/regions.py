"""The regions that a new bucket can be in. Pure. Source: S3 API Reference, CreateBucketConfiguration, LocationConstraint."""

from gecko_tw.resources.call import Call

LOCATIONS = frozenset(
    (
        "EU af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1"
        " ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1"
        " cn-north-1 cn-northwest-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3"
        " il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2"
    ).split()
)
"""What AWS has. ``us-east-1`` is none of them: a bucket is there when nothing else is said."""

_DEFAULT = "us-east-1"


def is_location(call: Call, region: str) -> bool:
    """Whether a bucket can be in a region: one of AWS's, our own, or the one for which the request is signed.

    A deployment that accepts signatures for any region has whatever region its clients say.
    """
    if region in LOCATIONS:
        return True
    if region == _DEFAULT or not region.isascii() or not region.isprintable() or len(region) > 64:
        return False
    signed = call.headers.get(b"authorization", b"")
    return region == call.service.region or b"/%b/s3/aws4_request," % region.encode() in signed
