"""Every condition key that a policy can name: S3's own, those of a request to any service, and the families of tags.

A key that this server never has a value for (``aws:SourceVpc``) is known all the same: it is absent from every request, and
conditions on it turn out as they do on S3. Sources: Service Authorization Reference, "Actions, resources, and condition keys for
Amazon S3"; IAM User Guide, "AWS global condition context keys".
"""

from attrs import frozen

_SINGLE = """
aws:AssumedRoot aws:CalledViaFirst aws:CalledViaLast aws:ChatbotSourceArn aws:CurrentTime aws:Ec2InstanceSourcePrivateIPv4
aws:Ec2InstanceSourceVpc aws:EpochTime aws:FederatedProvider aws:MultiFactorAuthAge aws:MultiFactorAuthPresent
aws:PrincipalAccount aws:PrincipalArn aws:PrincipalIsAWSService aws:PrincipalOrgID aws:PrincipalServiceName
aws:PrincipalType aws:Referer aws:RequestedRegion aws:ResourceAccount aws:ResourceOrgID aws:SecureTransport
aws:SourceAccount aws:SourceArn aws:SourceIdentity aws:SourceIp aws:SourceOrgID aws:SourceOwner aws:SourceVpc
aws:SourceVpcArn aws:SourceVpce aws:TokenIssueTime aws:UserAgent aws:userid aws:username aws:ViaAWSService
aws:VpceAccount aws:VpceOrgID aws:VpcSourceIp
s3:AccessGrantScope s3:AccessGrantsInstanceArn s3:AccessGrantsLocationScope s3:AccessPointNetworkOrigin
s3:DataAccessPointAccount s3:DataAccessPointArn s3:ExistingJobOperation s3:ExistingJobPriority s3:JobSuspendedCause
s3:LocationConstraint s3:ObjectCreationOperation s3:RequestJobOperation s3:RequestJobPriority s3:ResourceAccount
s3:TlsVersion s3:VersionId s3:annotation-prefix s3:authType s3:delimiter s3:deliverySourceArn s3:destinationRegion
s3:if-match s3:if-none-match s3:isReplicationPauseRequest s3:logType s3:max-annotation-results s3:max-keys
s3:object-lock-event-hold s3:object-lock-event-hold-duration-days s3:object-lock-legal-hold s3:object-lock-mode
s3:object-lock-remaining-retention-days s3:object-lock-retain-until-date s3:prefix s3:resourceArnBeingAuthorized
s3:signatureAge s3:signatureversion s3:x-amz-acl s3:x-amz-bucket-namespace s3:x-amz-content-sha256
s3:x-amz-copy-source s3:x-amz-grant-full-control s3:x-amz-grant-read s3:x-amz-grant-read-acp s3:x-amz-grant-write
s3:x-amz-grant-write-acp s3:x-amz-metadata-directive s3:x-amz-object-annotation-directive s3:x-amz-object-if-match
s3:x-amz-object-ownership s3:x-amz-server-side-encryption s3:x-amz-server-side-encryption-aws-kms-key-id
s3:x-amz-server-side-encryption-bucket-key-enabled s3:x-amz-server-side-encryption-context
s3:x-amz-server-side-encryption-customer-algorithm s3:x-amz-storage-class s3:x-amz-tagging-directive
s3:x-amz-website-redirect-location
sts:ExternalId sts:RoleSessionName
"""

_SEVERAL = """
aws:CalledVia aws:PrincipalOrgPaths aws:PrincipalServiceNamesList aws:ResourceOrgPaths aws:SourceOrgPaths aws:TagKeys
aws:VpceOrgPaths s3:InventoryAccessibleOptionalFields s3:RequestObjectTagKeys
"""

_FAMILIES = """
aws:PrincipalTag aws:RequestTag aws:ResourceTag s3:AccessPointTag s3:BucketTag s3:ExistingObjectTag s3:RequestObjectTag
"""


@frozen
class ConditionKey:
    """A key of the request context.

    :ivar name: as its documentation spells it; of a tag ``s3:ExistingObjectTag/`` and then the tag's key as the policy has it.
    :ivar several: whether a request can have more than one value for it.
    """

    name: str
    several: bool = False


_KEYS = {
    name.lower(): ConditionKey(name, several)
    for names, several in ((_SINGLE, False), (_SEVERAL, True))
    for name in names.split()
}

_TAGS = {name.lower(): name for name in _FAMILIES.split()}

KEY_NAMES = tuple(key.name for key in _KEYS.values())
TAG_FAMILIES = tuple(_TAGS.values())


def claim_key(text: str) -> ConditionKey | None:
    """The key that the trust policy of a role names for a claim of an identity provider: ``issuer:claim``; None when it is none."""
    issuer, colon, claim = text.rpartition(":")
    if not (issuer and claim and "." in issuer) and not issuer.startswith("localhost"):
        return None
    return ConditionKey(text.lower(), several=True) if colon and text.isprintable() and " " not in text else None


def condition_key(text: str) -> ConditionKey | None:
    """The key that a policy names, in any case; None when there is none of that name."""
    key = _KEYS.get(text.lower())
    if key is not None:
        return key
    family, slash, tag = text.partition("/")
    known = _TAGS.get(family.lower())
    return ConditionKey(f"{known}/{tag}") if known and slash and tag else None
