"""Operations as cases: a row, with a version or without, its recipe, and buckets of its own with one kind of policy each."""

import json
from collections.abc import Iterator

from attrs import evolve, frozen

from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.dispatch.operations import BUCKET, OBJECT, S3, SERVICE, Operation
from tests.end_to_end.matrix.recipes import KEY, OF_VERSIONS, RECIPES, Recipe

NONE, ALLOW, DENY, SOME = "none", "allow", "deny", "some"
"""Bucket policies: none, everybody is allowed what is needed, everybody is denied it, everybody is allowed all but the last of it."""


@frozen
class Case:
    """One operation.

    :ivar actions: everything that is needed for it.
    """

    row: Operation
    recipe: Recipe
    actions: tuple[str, ...]
    versioned: bool = False

    @property
    def name(self) -> str:
        return self.row.name.lower() + ("-version" if self.versioned else "")

    @property
    def policies(self) -> tuple[str, ...]:
        """The kinds of policies to ask it under: only what concerns a bucket that is there has any."""
        if self.row.target == SERVICE or self.recipe.elsewhere:
            return (NONE,)
        return (NONE, ALLOW, DENY, SOME) if len(self.actions) > 1 else (NONE, ALLOW, DENY)

    @property
    def buckets(self) -> list[str]:
        return [self.bucket(policy) for policy in self.policies]

    def bucket(self, policy: str) -> str:
        """The bucket that has the policy."""
        return f"{self.name}-{policy}"

    def asked(self, policy: str) -> tuple[str, str | None]:
        """The bucket and the key that a request is about, as policies see it."""
        if self.row.target == SERVICE:
            return "", None
        on_object = self.row.target == OBJECT or self.recipe.on_object
        return self.bucket(policy) + self.recipe.elsewhere, KEY if on_object else None


def rows() -> list[Operation]:
    """Every row that somebody must be permitted to use. Policies are about S3: nobody is refused another service because of them."""
    return [
        row
        for (method, target), several in built_in().rows.items()
        for row in several
        if method != "OPTIONS" and target in (SERVICE, BUCKET, OBJECT) and row.service == S3
    ]


def cases() -> list[Case]:
    """Every row that has a recipe, twice where a version needs another action."""
    return [case for row in rows() if row.name in RECIPES for case in _cases_of(row, RECIPES[row.name])]


def _cases_of(row: Operation, recipe: Recipe) -> Iterator[Case]:
    yield Case(row, recipe, (recipe.action or str(row.needs), *recipe.also))
    if row.needs_version is not None:
        versioned = evolve(recipe, query={**recipe.query, "versionId": "null"})
        yield Case(row, versioned, (row.needs_version, *recipe.also_version), versioned=True)
    if row.name in OF_VERSIONS:
        recipe = OF_VERSIONS[row.name]
        yield Case(row, recipe, (recipe.action or str(row.needs), *recipe.also), versioned=True)


def policy_text(case: Case, policy: str) -> str | None:
    """The policy of a case's bucket, or None."""
    bucket = case.bucket(policy)
    statement = {
        "Effect": "Deny" if policy == DENY else "Allow",
        "Principal": "*",
        "Action": list(case.actions[:-1] if policy == SOME else case.actions),
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    return None if policy == NONE else json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def harmless_policy(case: Case, policy: str) -> str:
    """The policy that a request may put: the one that is there, or one that is about nothing."""
    there = policy_text(case, policy)
    if there is not None:
        return there
    nothing = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    resource = f"arn:aws:s3:::{case.bucket(policy)}/nothing"
    return json.dumps({"Version": "2012-10-17", "Statement": [{**nothing, "Resource": resource}]})
