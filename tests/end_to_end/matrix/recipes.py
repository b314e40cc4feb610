"""A small valid request for each operation, beside its method, target and selectors, and what is needed for it besides the row's action.

Source of ``also`` and ``about``: S3 User Guide, "Required permissions for Amazon S3 API operations".
"""

from collections.abc import Mapping

from attrs import field, frozen

KEY, SOURCE, FORM_BOUNDARY = "thing", "source", "matrix"
TOMORROW = "2099-01-01T00:00:00Z"


@frozen(kw_only=True)
class Recipe:
    """How to ask. In texts BUCKET is the bucket, UPLOAD the id of an upload under way, POLICY the bucket's policy.

    :ivar query: values of selectors, which else have none, and further parameters.
    :ivar answers: what may be answered beside success when it is allowed.
    :ivar action: what permits it where the row does not tell; ``also`` what is needed further, as ``also_version`` with a version.
    :ivar on_object: whether it is about an object although it addresses the bucket.
    :ivar elsewhere: ends the name of the bucket that is asked for: one without a policy, which is not there.
    :ivar uses_up: what an allowed request takes away: ``"object"``, ``"upload"``, ``"policy"``, or the ``"absence"`` of a bucket.
    :ivar filled: whether the bucket must have an object although it is not about one.
    :ivar locked: whether the bucket must have Object Lock.
    :ivar signed: whether nobody may ask for it without a signature, whatever policies say; ``owned`` nobody but the bucket's account.
    """

    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    body: str = ""
    answers: tuple[int, ...] = ()
    action: str = ""
    also: tuple[str, ...] = ()
    also_version: tuple[str, ...] = ()
    on_object: bool = False
    elsewhere: str = ""
    uses_up: str = ""
    filled: bool = False
    locked: bool = False
    signed: bool = False
    owned: bool = False


PLAIN, SIGNED = Recipe(), Recipe(signed=True)
UPLOAD = {"uploadId": "UPLOAD"}
PART = {**UPLOAD, "partNumber": "1"}
COPIED = {"x-amz-copy-source": f"/BUCKET/{SOURCE}"}
COPIED_VERSION = {"x-amz-copy-source": f"/BUCKET/{SOURCE}?versionId=null"}
OTHERS_MAY_NOT = (405,)
"""Policies are managed by the bucket's own account, whatever they say (S3 API Reference, PutBucketPolicy)."""

TAGS = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
RULE = (
    "<ID>r</ID><Filter><Prefix>none/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>9</Days></Expiration>"
)
ENCRYPTION = (
    "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
)

RECIPES: dict[str, Recipe] = {
    "ListBuckets": PLAIN,
    # Buckets themselves. One that is not empty is not removed.
    "CreateBucket": Recipe(signed=True, elsewhere="-new", uses_up="absence", answers=(409,)),
    "DeleteBucket": Recipe(filled=True, answers=(409,)),
    "HeadBucket": PLAIN,
    "GetBucketLocation": PLAIN,
    "ListObjects": PLAIN,
    "ListObjectsV2": Recipe(query={"list-type": "2"}),
    "ListObjectVersions": PLAIN,
    "ListMultipartUploads": PLAIN,
    # Their settings.
    "GetBucketAcl": PLAIN,
    "PutBucketAcl": Recipe(signed=True, headers={"x-amz-acl": "private"}),
    "GetBucketCors": Recipe(answers=(404,)),
    "PutBucketCors": Recipe(
        body="<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
        "</CORSConfiguration>"
    ),
    "DeleteBucketCors": PLAIN,
    "GetBucketEncryption": Recipe(answers=(404,)),
    "PutBucketEncryption": Recipe(
        body=f"<ServerSideEncryptionConfiguration><Rule>{ENCRYPTION}</Rule></ServerSideEncryptionConfiguration>"
    ),
    "DeleteBucketEncryption": PLAIN,
    "GetBucketLifecycleConfiguration": Recipe(answers=(404,)),
    "PutBucketLifecycleConfiguration": Recipe(
        body=f"<LifecycleConfiguration><Rule>{RULE}</Rule></LifecycleConfiguration>"
    ),
    "DeleteBucketLifecycle": PLAIN,
    "GetBucketLogging": Recipe(owned=True),
    "PutBucketLogging": Recipe(owned=True, body="<BucketLoggingStatus/>"),
    "GetBucketNotificationConfiguration": PLAIN,
    # A good answer never ends: who may ask is told that nothing is asked for.
    "ListenBucketNotification": Recipe(answers=(400,)),
    "PutBucketNotificationConfiguration": Recipe(body="<NotificationConfiguration/>"),
    "GetBucketOwnershipControls": Recipe(signed=True, answers=(404,)),
    "PutBucketOwnershipControls": Recipe(
        signed=True,
        body="<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
    ),
    "DeleteBucketOwnershipControls": SIGNED,
    "GetBucketPolicy": Recipe(answers=(404, *OTHERS_MAY_NOT)),
    "GetBucketPolicyStatus": Recipe(answers=(404,)),
    "PutBucketPolicy": Recipe(body="POLICY", answers=OTHERS_MAY_NOT),
    "DeleteBucketPolicy": Recipe(uses_up="policy", answers=OTHERS_MAY_NOT),
    "GetPublicAccessBlock": Recipe(answers=(404,)),
    "PutPublicAccessBlock": Recipe(
        body="<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
    ),
    "DeletePublicAccessBlock": PLAIN,
    "GetBucketTagging": Recipe(answers=(404,)),
    "PutBucketTagging": Recipe(body=TAGS),
    "DeleteBucketTagging": PLAIN,
    "GetBucketVersioning": PLAIN,
    "PutBucketVersioning": Recipe(body="<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"),
    "GetObjectLockConfiguration": Recipe(locked=True),
    "PutObjectLockConfiguration": Recipe(
        locked=True,
        body="<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
    ),
    "GetBucketWebsite": Recipe(answers=(404,)),
    "PutBucketWebsite": Recipe(
        body="<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>"
    ),
    "DeleteBucketWebsite": PLAIN,
    "GetBucketAbac": PLAIN,
    "GetBucketAccelerateConfiguration": PLAIN,
    "GetBucketReplication": Recipe(answers=(404,)),
    "GetBucketRequestPayment": PLAIN,
    "PutBucketRequestPayment": Recipe(
        body="<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"
    ),
    "GetBucketAnalyticsConfiguration": Recipe(query={"id": "a"}, answers=(404,)),
    "GetBucketIntelligentTieringConfiguration": Recipe(query={"id": "a"}, answers=(404,)),
    "GetBucketInventoryConfiguration": Recipe(query={"id": "a"}, answers=(404,)),
    "GetBucketMetricsConfiguration": Recipe(query={"id": "a"}, answers=(404,)),
    "ListBucketAnalyticsConfigurations": PLAIN,
    "ListBucketIntelligentTieringConfigurations": PLAIN,
    "ListBucketInventoryConfigurations": PLAIN,
    "ListBucketMetricsConfigurations": PLAIN,
    # Objects.
    "GetObject": PLAIN,
    "HeadObject": PLAIN,
    "GetObjectAttributes": Recipe(
        headers={"x-amz-object-attributes": "ETag"}, also=("s3:GetObject",), also_version=("s3:GetObjectVersion",)
    ),
    "PutObject": Recipe(body="new bytes"),
    "PostObject": Recipe(action="s3:PutObject", on_object=True, body="new bytes"),
    "CopyObject": Recipe(signed=True, headers=COPIED, also=("s3:GetObject",)),
    # A condition that does not hold keeps the source where it is.
    "RenameObject": Recipe(
        signed=True,
        headers={"x-amz-rename-source": f"/BUCKET/{SOURCE}", "x-amz-rename-source-if-match": "none"},
        also=("s3:GetObject", "s3:DeleteObject"),
        answers=(412,),
    ),
    "DeleteObject": Recipe(uses_up="object"),
    "DeleteObjects": Recipe(
        uses_up="object", on_object=True, body=f"<Delete><Object><Key>{KEY}</Key></Object></Delete>"
    ),
    "GetObjectAcl": PLAIN,
    "PutObjectAcl": Recipe(signed=True, headers={"x-amz-acl": "private"}),
    "GetObjectTagging": PLAIN,
    "PutObjectTagging": Recipe(body=TAGS),
    "DeleteObjectTagging": PLAIN,
    "GetObjectRetention": Recipe(locked=True, answers=(404,)),
    "PutObjectRetention": Recipe(
        locked=True,
        body=f"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{TOMORROW}</RetainUntilDate></Retention>",
    ),
    "GetObjectLegalHold": Recipe(locked=True, answers=(404,)),
    "PutObjectLegalHold": Recipe(locked=True, body="<LegalHold><Status>ON</Status></LegalHold>"),
    # Multipart uploads. None is ever completed: the part that is named is not the one that is there.
    "CreateMultipartUpload": SIGNED,
    "UploadPart": Recipe(query=PART, body="new part"),
    "UploadPartCopy": Recipe(signed=True, query=PART, headers=COPIED, also=("s3:GetObject",)),
    "ListParts": Recipe(query=UPLOAD),
    "CompleteMultipartUpload": Recipe(
        query=UPLOAD,
        body="<CompleteMultipartUpload><Part><PartNumber>9</PartNumber><ETag>none</ETag></Part></CompleteMultipartUpload>",
        answers=(400,),
    ),
    "AbortMultipartUpload": Recipe(query=UPLOAD, uses_up="upload", answers=(404,)),
}

OF_VERSIONS: dict[str, Recipe] = {
    "CopyObject": Recipe(signed=True, headers=COPIED_VERSION, also=("s3:GetObjectVersion",)),
    "UploadPartCopy": Recipe(signed=True, query=PART, headers=COPIED_VERSION, also=("s3:GetObjectVersion",)),
    "DeleteObjects": Recipe(
        action="s3:DeleteObjectVersion",
        uses_up="object",
        on_object=True,
        body=f"<Delete><Object><Key>{KEY}</Key><VersionId>null</VersionId></Object></Delete>",
    ),
}
"""The same of operations that name a version otherwise than by ``versionId`` in their own query."""
