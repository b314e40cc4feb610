"""What a configuration file says about buckets."""

import json

import pytest

from gecko_tw.resources.documents import cors, lifecycle
from gecko_tw.settings import BadSetting
from tests.bootstrap.writing import declarations

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::b-1/${aws:username}/*",
        }
    ],
}


def settings(folder, text, **environment):
    (one,) = declarations(folder, f"buckets:\n  b-1: {text}", **environment).buckets
    return one.settings


def refused(folder, text):
    with pytest.raises(BadSetting) as found:
        declarations(folder, text)
    return str(found.value).replace(str(folder / "geckos3.yaml"), "FILE")


def test_buckets_may_be_a_list_of_names(tmp_path):
    names = [one.name for one in declarations(tmp_path, "buckets: [photos, '${B}']", B="videos").buckets]
    assert names == ["photos", "videos"]


def test_a_bucket_may_have_nothing_but_a_name(tmp_path):
    assert settings(tmp_path, "") == {}
    (one,) = declarations(tmp_path, "buckets: {b-1: {owner: 012345678901, region: eu}}").buckets
    assert (one.owner, one.region) == ("012345678901", "eu")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("{versioning: enabled}", {"versioning": "Enabled"}),
        ("{versioning: Suspended}", {"versioning": "Suspended"}),
        ("{tags: {team: red, cost: 12}}", {"tagging": {"team": "red", "cost": "12"}}),
        ("{tags: {}}", {"tagging": None}),
        ("{object-lock: {enabled: true}}", {"object-lock": {}, "versioning": "Enabled"}),
        (
            "{versioning: enabled, object-lock: {enabled: true, default: {mode: compliance, years: 2}}}",
            {"object-lock": {"mode": "COMPLIANCE", "years": 2}, "versioning": "Enabled"},
        ),
        (
            "{encryption: {Rules: [{ApplyServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}}",
            {"encryption": {"algorithm": "AES256"}},
        ),
        ("{quota: {bytes: 10 GiB, objects: 5}}", {"quota": {"bytes": 10 * 1024**3, "objects": 5}}),
        ("{ownership: bucketownerenforced}", {"ownership": "BucketOwnerEnforced"}),
        (
            "{public-access-block: {BlockPublicAcls: true, BlockPublicPolicy: 'true'}}",
            {
                "public-access-block": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": False,
                    "RestrictPublicBuckets": False,
                }
            },
        ),
        ("{website: {IndexDocument: {Suffix: index.html}}}", {"website": {"IndexDocument": {"Suffix": "index.html"}}}),
    ],
)
def test_a_setting_is_what_its_request_would_store(tmp_path, text, stored):
    assert settings(tmp_path, text) == stored


def test_cors_rules_are_those_that_boto3_knows(tmp_path):
    rules = [
        {"ID": "a", "AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET", "PUT"], "MaxAgeSeconds": 5}
    ]
    document = cors.write_rules(rules)
    for text in (json.dumps({"cors": rules}), json.dumps({"cors": {"CORSRules": rules}})):
        assert settings(tmp_path, text) == {"cors": cors.read_rules(document)}


def test_lifecycle_rules_are_those_that_boto3_knows(tmp_path):
    rules = [
        {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "log/"}, "Expiration": {"Days": 3}},
        {
            "ID": "b",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "x", "Tags": [{"Key": "k", "Value": "v"}]}},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 2, "NewerNoncurrentVersions": 3},
        },
        {"ID": "c", "Status": "Disabled", "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
    ]
    found = settings(tmp_path, json.dumps({"lifecycle": rules}))
    assert found == {"lifecycle": lifecycle.read_lifecycle(lifecycle.write_lifecycle(found["lifecycle"]))}
    assert [rule["ID"] for rule in found["lifecycle"]] == ["a", "b", "c"]


@pytest.mark.parametrize("value", [POLICY, json.dumps(POLICY)], ids=["yaml", "json"])
def test_a_policy_is_yaml_or_json(tmp_path, value):
    assert json.loads(settings(tmp_path, json.dumps({"policy": value}))["policy"]) == POLICY


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("buckets: {Photos: {}}", "FILE:1: buckets.Photos: InvalidBucketName: "),
        (
            "buckets:\n  b-1:\n    versionin: enabled",
            "FILE:3: buckets.b-1: unknown key 'versionin'; did you mean versioning? ",
        ),
        ("buckets:\n  b-1:\n    versioning: on", "FILE:3: buckets.b-1.versioning: must be one of Enabled, Suspended"),
        ("buckets: {b-1: {region: a b}}", "FILE:1: buckets.b-1.region: must be a name such as us-east-1"),
        ("buckets: {b-1: {tags: [a]}}", "FILE:1: buckets.b-1.tags: must be a mapping"),
        ("buckets: {b-1: {tags: {'aws:x': y}}}", "FILE:1: buckets.b-1.tags: InvalidTag: "),
        ("buckets: {b-1: {object-lock: {enabled: false}}}", "FILE:1: buckets.b-1.object-lock: must have enabled: true"),
        (
            "buckets: {b-1: {object-lock: {enabled: true, default: {mode: governance}}}}",
            "FILE:1: buckets.b-1.object-lock.default: must have a mode, and either days or years",
        ),
        (
            "buckets: {b-1: {versioning: suspended, object-lock: {enabled: true}}}",
            "FILE:1: buckets.b-1.versioning: must be enabled in a bucket with object-lock",
        ),
        (
            "buckets:\n  b-1:\n    cors:\n    - AllowedOrigins: ['*']\n      AllowedMethod: [GET]",
            "FILE:5: buckets.b-1.cors[0]: unknown key 'AllowedMethod'; did you mean AllowedMethods? allowed are ",
        ),
        (
            "buckets:\n  b-1:\n    cors:\n    - AllowedOrigins: ['*']\n      AllowedMethods: [PATCH]",
            "FILE:3: buckets.b-1.cors: InvalidRequest: Found unsupported HTTP method in CORS config",
        ),
        ("buckets: {b-1: {cors: 5}}", "FILE:1: buckets.b-1.cors: must be a mapping"),
        ("buckets: {b-1: {lifecycle: [{Status: [a]}]}}", "FILE:1: buckets.b-1.lifecycle[0].Status: must be a text"),
        ("buckets: {b-1: {policy: {Version: 2012-10-17}}}", "FILE:1: buckets.b-1.policy: MalformedPolicy: "),
        ("buckets: {b-1: {policy: '{'}}", "FILE:1: buckets.b-1.policy: MalformedPolicy: "),
        ("buckets: {b-1: {quota: {bytes: many}}}", "FILE:1: buckets.b-1.quota: bytes: allowed is "),
        ("buckets: {b-1: {quota: {size: 1}}}", "FILE:1: buckets.b-1.quota: a quota has the keys bytes and objects"),
        ("buckets: {b-1: {acl: open}}", "FILE:1: buckets.b-1.acl: InvalidArgument: "),
        (
            "buckets: {b-1: {acl: public-read, ownership: BucketOwnerEnforced}}",
            "FILE:1: buckets.b-1.acl: must be private where ownership is BucketOwnerEnforced",
        ),
        (
            "buckets: {b-1: {acl: public-read, public-access-block: {BlockPublicAcls: true}}}",
            "FILE:1: buckets.b-1.acl: is public, which public-access-block forbids",
        ),
        (
            "buckets: {b-1: {public-access-block: {BlockPublicPolicy: true}, policy: {Version: 2012-10-17, Statement:"
            " {Effect: Allow, Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::b-1/*'}}}}",
            "FILE:1: buckets.b-1.policy: is public, which public-access-block forbids",
        ),
        ("buckets: 5", "FILE:1: buckets: must be a mapping"),
    ],
)
def test_what_a_request_would_refuse_is_refused_with_its_place(tmp_path, text, told):
    assert refused(tmp_path, text).startswith(told)


@pytest.mark.parametrize(
    "text",
    [
        "{policy: {Version: '${SECRET}', Statement: []}}",
        "{policy: '${SECRET}'}",
        "{cors: [{AllowedMethods: ['${SECRET}'], AllowedOrigins: ['*']}]}",
        "{lifecycle: [{Status: '${SECRET}', Filter: {}, Expiration: {Days: '${SECRET}'}}]}",
        "{tags: {'aws:': '${SECRET}'}}",
        "{acl: '${SECRET}'}",
        "{quota: {bytes: '${SECRET}'}}",
        "{versioning: '${SECRET}'}",
    ],
)
def test_no_refusal_tells_what_a_variable_holds(tmp_path, text):
    text = f"buckets: {{b-1: {text}}}"
    with pytest.raises(BadSetting) as found:
        declarations(tmp_path, text, SECRET="hush-hush")
    assert "hush" not in str(found.value)
