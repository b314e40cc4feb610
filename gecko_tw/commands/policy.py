"""``geckos3 policy``: what policies decide."""

from pathlib import Path
from typing import Any

import click

from gecko_tw.commands.options import STORE, Command, with_settings
from gecko_tw.commands.over_data import with_data
from gecko_tw.settings import Settings


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
@with_settings(
    (*STORE, "access_key", "secret_key", "region", "acl"), own=("who", "action", "resource", "values", "policies")
)
def explain_command(settings: Settings, **question: Any) -> int:
    """Tell whether WHO (an access key, `anonymous`, ACCOUNT or ACCOUNT/USER) may do ACTION with RESOURCE, and why.

    KEY=VALUE are condition keys of the request, e.g. aws:SourceIp=192.0.2.1.
    """
    from gecko_tw.commands.explaining import Question, explained
    from gecko_tw.daemon import deployment

    try:
        asked = Question(**question)
        return with_data(settings, lambda data: explained(*deployment.known_in(data, settings), asked, settings))
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem
