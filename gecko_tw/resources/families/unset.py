"""What S3 answers about settings that are AWS's own business: nobody has ever set them, and clients read them all the same.

Consoles, Terraform's AWS provider and ``mc`` read a bucket's acceleration, request payment, replication and the lists of its
reports before they do anything else, and stop at an answer that they do not expect.
"""

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import (
    MalformedXML,
    NoSuchConfiguration,
    NotImplemented_,
    ReplicationConfigurationNotFoundError,
)
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, PUT, Document, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import text


async def _nothing(call: Call, root: str, content: str = "") -> Answer:
    """A document that says: as it is when never set. Raises NoSuchBucket."""
    await call.service.read(call.service.buckets.get, call.bucket)
    return xml(markup.document(root, content))


@operation("GetBucketAccelerateConfiguration", GET, BUCKET, "accelerate", needs="s3:GetAccelerateConfiguration")
async def get_bucket_accelerate_configuration(call: Call) -> Answer:
    """Never set: an empty document. Source: S3 API Reference, GetBucketAccelerateConfiguration."""
    return await _nothing(call, "AccelerateConfiguration")


@operation("GetBucketAbac", GET, BUCKET, "abac", needs="s3:GetBucketAbac")
async def get_bucket_abac(call: Call) -> Answer:
    """Disabled, as in every new bucket. Source: S3 API Reference, GetBucketAbac."""
    return await _nothing(call, "AbacStatus", text("Status", "Disabled"))


@operation("GetBucketRequestPayment", GET, BUCKET, "requestPayment", needs="s3:GetBucketRequestPayment")
async def get_bucket_request_payment(call: Call) -> Answer:
    """The owner pays. Source: S3 API Reference, GetBucketRequestPayment."""
    return await _nothing(call, "RequestPaymentConfiguration", text("Payer", "BucketOwner"))


@operation(
    "PutBucketRequestPayment",
    PUT,
    BUCKET,
    "requestPayment",
    needs="s3:PutBucketRequestPayment",
    body=Document(64 * 1024),
)
async def put_bucket_request_payment(call: Call, document: bytes) -> Answer:
    """Accepts that the owner pays, which is so anyway. Source: S3 API Reference, PutBucketRequestPayment.

    :raises NotImplemented_: the requester shall pay: there is nobody to send a bill.
    :raises MalformedXML, NoSuchBucket: as S3 does.
    """
    payer = markup.read(document, "RequestPaymentConfiguration").only(("Payer",)).need("Payer")
    if payer not in ("BucketOwner", "Requester"):
        raise MalformedXML
    await call.service.read(call.service.buckets.get, call.bucket)
    if payer == "Requester":
        raise NotImplemented_(Payer=payer)
    return Answer(200)


@operation("GetBucketReplication", GET, BUCKET, "replication", needs="s3:GetReplicationConfiguration")
async def get_bucket_replication(call: Call) -> Answer:
    """There is none. Source: S3 API Reference, GetBucketReplication.

    :raises ReplicationConfigurationNotFoundError: always.
    """
    await call.service.read(call.service.buckets.get, call.bucket)
    raise ReplicationConfigurationNotFoundError(BucketName=call.bucket)


async def _no_report(call: Call) -> Answer:
    """Raises NoSuchConfiguration, or NoSuchBucket."""
    await call.service.read(call.service.buckets.get, call.bucket)
    raise NoSuchConfiguration


async def _no_reports(call: Call, root: str) -> Answer:
    """An empty list."""
    return await _nothing(call, root, text("IsTruncated", False))


@operation("GetBucketAnalyticsConfiguration", GET, BUCKET, "analytics", "id", needs="s3:GetAnalyticsConfiguration")
async def get_bucket_analytics_configuration(call: Call) -> Answer:
    """There is none of that id. Source: S3 API Reference, GetBucketAnalyticsConfiguration."""
    return await _no_report(call)


@operation("ListBucketAnalyticsConfigurations", GET, BUCKET, "analytics", needs="s3:GetAnalyticsConfiguration")
async def list_bucket_analytics_configurations(call: Call) -> Answer:
    """There are none. Source: S3 API Reference, ListBucketAnalyticsConfigurations."""
    return await _no_reports(call, "ListBucketAnalyticsConfigurationResult")


@operation(
    "GetBucketIntelligentTieringConfiguration",
    GET,
    BUCKET,
    "intelligent-tiering",
    "id",
    needs="s3:GetIntelligentTieringConfiguration",
)
async def get_bucket_intelligent_tiering_configuration(call: Call) -> Answer:
    """There is none of that id. Source: S3 API Reference, GetBucketIntelligentTieringConfiguration."""
    return await _no_report(call)


@operation(
    "ListBucketIntelligentTieringConfigurations",
    GET,
    BUCKET,
    "intelligent-tiering",
    needs="s3:GetIntelligentTieringConfiguration",
)
async def list_bucket_intelligent_tiering_configurations(call: Call) -> Answer:
    """There are none. Source: S3 API Reference, ListBucketIntelligentTieringConfigurations."""
    return await _no_reports(call, "ListBucketIntelligentTieringConfigurationsOutput")


@operation("GetBucketInventoryConfiguration", GET, BUCKET, "inventory", "id", needs="s3:GetInventoryConfiguration")
async def get_bucket_inventory_configuration(call: Call) -> Answer:
    """There is none of that id. Source: S3 API Reference, GetBucketInventoryConfiguration."""
    return await _no_report(call)


@operation("ListBucketInventoryConfigurations", GET, BUCKET, "inventory", needs="s3:GetInventoryConfiguration")
async def list_bucket_inventory_configurations(call: Call) -> Answer:
    """There are none. Source: S3 API Reference, ListBucketInventoryConfigurations."""
    return await _no_reports(call, "ListInventoryConfigurationsResult")


@operation("GetBucketMetricsConfiguration", GET, BUCKET, "metrics", "id", needs="s3:GetMetricsConfiguration")
async def get_bucket_metrics_configuration(call: Call) -> Answer:
    """There is none of that id. Source: S3 API Reference, GetBucketMetricsConfiguration."""
    return await _no_report(call)


@operation("ListBucketMetricsConfigurations", GET, BUCKET, "metrics", needs="s3:GetMetricsConfiguration")
async def list_bucket_metrics_configurations(call: Call) -> Answer:
    """There are none. Source: S3 API Reference, ListBucketMetricsConfigurations."""
    return await _no_reports(call, "ListMetricsConfigurationsResult")
