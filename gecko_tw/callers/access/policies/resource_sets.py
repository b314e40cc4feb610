"""The ``Resource`` and ``NotResource`` of a statement.

Sources: IAM User Guide, "IAM JSON policy elements: Resource"; S3 User Guide, "Policy resources for Amazon S3".
"""

from attrs import frozen

from gecko_tw.callers.access.policies.action_sets import meaning
from gecko_tw.callers.access.policies.actions import ACTIONS, BUCKET, OBJECT
from gecko_tw.callers.access.policies.arns import ArnPattern, arn_pattern, split_arn, split_template
from gecko_tw.callers.access.policies.context import ANONYMOUS, RequestContext
from gecko_tw.callers.access.policies.grammar import Dialect, texts
from gecko_tw.callers.access.policies.refusals import malformed
from gecko_tw.callers.access.policies.templates import Patterns, patterns_of, read_template
from gecko_tw.callers.access.policies.wildcards import can_begin, matcher
from gecko_tw.store.records import Json

_INVALID = "Policy has invalid resource"
_NOBODY = RequestContext(principal=ANONYMOUS, action="", resource="", now=0)


@frozen(eq=False)
class ResourceSet:
    """The resources that a statement is about.

    :ivar written: the element's values.
    :ivar negated: it is a NotResource: about all others.
    :ivar paths: what its patterns say of buckets and objects, without ``arn:aws:s3:::``.
    :ivar arns: the patterns whole, for resources that are neither.
    :ivar keys: the condition keys of its variables.
    """

    written: tuple[str, ...]
    negated: bool
    paths: Patterns
    arns: tuple[ArnPattern, ...]
    keys: frozenset[str]

    def covers(self, context: RequestContext) -> bool:
        """Whether the statement is about the request's resource."""
        if context.path is not None:
            return self.paths.match(context.path, context) != self.negated
        parts = split_arn(context.resource)
        fits = any(arn.parts is None or (parts is not None and arn.match(parts, context)) for arn in self.arns)
        return fits != self.negated


def read_resources(value: Json, place: str, dialect: Dialect, negated: bool = False) -> ResourceSet:
    """Reads the element.

    :raises MalformedPolicy: a value is no ARN, or one that has nothing to do with the policy's bucket.
    """
    written = texts(value, place, _INVALID)
    arns = [_arn(text, place, dialect) for text in written]
    paths = patterns_of(arn.tail for arn in arns if arn.concerns_s3(_NOBODY))
    keys = frozenset().union(*(arn.tail.keys for arn in arns))
    return ResourceSet(written, negated, paths, tuple(arns), keys)


def _arn(text: str, place: str, dialect: Dialect) -> ArnPattern:
    template = read_template(text, place, dialect.variables)
    arn = arn_pattern(template)
    if arn is None or not arn.tail.tokens:
        raise malformed(_INVALID, place, text)
    parts = split_template(template)
    if parts is not None:
        if any(part.keys for part in parts[:-1]):
            raise malformed("Variables can only stand behind the fifth colon of a resource", place, text)
        if parts[0].tokens != ("arn",):
            raise malformed(_INVALID, place, text)
    if dialect.bucket is not None and not _kinds(arn, dialect.bucket):
        raise malformed(f"{_INVALID}, outside the bucket", place, text)
    return arn


def check_kinds(actions: tuple[str, ...], resources: ResourceSet, place: str, bucket: str) -> None:
    """Refuses a statement of a bucket policy that names an action which none of its resources can have.

    :param actions: the values of its Action.
    """
    kinds = frozenset().union(*(_kinds(arn, bucket) for arn in resources.arns))
    for action in actions:
        if not kinds & {ACTIONS[name] for name in meaning(action)}:
            raise malformed("Action does not apply to any resource(s) in statement", place, action)


def _kinds(arn: ArnPattern, bucket: str) -> set[str]:
    """What a pattern can be about: the bucket, objects in it, both, or nothing of it."""
    if not arn.concerns_s3(_NOBODY):
        return set()
    loose = arn.tail.loosened()
    kinds = {BUCKET} if matcher(loose)(bucket) else set()
    return kinds | {OBJECT} if can_begin(loose, bucket + "/") else kinds
