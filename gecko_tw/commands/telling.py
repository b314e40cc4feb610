"""How commands answer: in words for people, or with ``--json`` in values for programs."""

import json
from typing import Any

import click

_JSON = "gecko_tw.json"


class Told(str):
    """What a command says.

    :ivar values: the same for programs, as JSON has it.
    """

    values: Any

    def __new__(cls, text: str, values: Any) -> "Told":
        told = super().__new__(cls, text)
        told.values = values
        return told


def _remember(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    ctx.meta[_JSON] = value


as_json = click.option(
    "--json", is_flag=True, expose_value=False, is_eager=True, callback=_remember, help="Print JSON."
)
"""Decorates a command that answers by :func:`tell`."""


def json_wanted() -> bool:
    """Whether the command that runs was asked for JSON."""
    return bool(click.get_current_context().meta.get(_JSON))


def tell(told: str) -> None:
    """Prints what a command says: a Told, or a sentence that is ``message`` in JSON."""
    if json_wanted():
        values = told.values if isinstance(told, Told) else {"message": told}
        click.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        click.echo(told)


class Group(click.Group):
    """Commands whose refusals are JSON on standard error as well when that is asked for."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException as problem:
            if not ctx.meta.get(_JSON):
                raise
            click.echo(json.dumps({"error": problem.format_message()}, ensure_ascii=False), err=True)
            ctx.exit(problem.exit_code)


def not_empty(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """A callback for options and arguments: an unset variable of a script must not mean the account's own, or no limit."""
    texts = value if isinstance(value, tuple) else (value,)
    if "" in texts and ctx.get_parameter_source(param.name or "") is not click.core.ParameterSource.DEFAULT:
        raise click.ClickException(f"{param.get_error_hint(ctx)}: '' is not allowed; leave it out, or give a text")
    return value
