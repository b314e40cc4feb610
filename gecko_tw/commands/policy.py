"""``geckos3 policy``: what policies decide."""

from pathlib import Path

import click

from gecko_tw.commands.asking import Ask, asking
from gecko_tw.commands.options import Command
from gecko_tw.commands.telling import Told


@click.group()
def policy() -> None:
    """Look at what policies decide."""


@policy.command(cls=Command, name="explain")
@click.argument("who", metavar="WHO")
@click.argument("action", metavar="ACTION")
@click.argument("resource", metavar="RESOURCE")
@click.argument("values", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "--policy", "policies", type=click.Path(path_type=Path), multiple=True, help="A policy that the user has, too."
)
@asking("who", "action", "resource", "values", "policies", names=("acl",))
def explain_command(
    ask: Ask, who: str, action: str, resource: str, values: tuple[str, ...], policies: tuple[Path, ...]
) -> Told:
    """Tell whether WHO (an access key, `anonymous`, ACCOUNT or ACCOUNT/USER) may do ACTION with RESOURCE, and why.

    KEY=VALUE are condition keys of the request, e.g. aws:SourceIp=192.0.2.1.
    """
    question = {"who": who, "action": action, "resource": resource}
    names = [file.name for file in policies]
    drafts = {file.name if names.count(file.name) == 1 else str(file): _read(file) for file in policies}
    told = ask("SimulatePolicy", body={**question, "conditions": dict(map(_pair, values)), "policies": drafts})
    *why, decided = told["why"]
    lines = [told["request"], "ALLOWED" if told["allowed"] else "DENIED", *why, f"statements: {decided}"]
    return Told("\n".join([*lines, *told["statements"], *told["acl"]]), told)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} is not a condition key with a value, e.g. aws:SourceIp=192.0.2.1")
    return name, value


def _read(file: Path) -> object:
    import json

    from gecko_tw.callers.access.policies import read_identity_policy
    from gecko_tw.store.refusals import Refusal

    try:
        text = file.read_text()
        read_identity_policy(text, file.name)
    except (OSError, Refusal, UnicodeDecodeError) as problem:
        raise ValueError(f"{file}: {problem}") from problem
    return json.loads(text)
