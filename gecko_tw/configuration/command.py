"""``geckos3 config``: looks at a configuration file, and turns it into environment variables and back."""

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from gecko_tw.settings import SETTINGS, BadSetting, Given, Setting, file_of, given_by, read_settings

MASK = "********"
_PLAIN = re.compile(r"[A-Za-z0-9./][A-Za-z0-9._/-]*")
_FILE = click.argument("file", type=click.Path(path_type=Path))
_SECRETS = click.option("--secrets", is_flag=True, help="show secrets as they are")


@click.group(name="config")
def config() -> None:
    """Look at the configuration: a file, the environment, what is in force."""


def _document(file: Path) -> Any:
    """The Document of a file. Ends the command when it is none."""
    from gecko_tw.configuration.reading import read_document

    try:
        return read_document(file, os.environ)
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None


@config.command()
@_FILE
def validate(file: Path) -> None:
    """Check a file, all that it declares included; exit code 1 and file:line when something is wrong."""
    from gecko_tw.configuration.declarations import read_declarations

    document = _document(file)
    try:
        declared = read_declarations(document)
        read_settings({}, os.environ, document.settings)
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None
    for remark in document.remarks:
        click.echo(remark, err=True)
    told = {"settings": len(document.settings), **declared.counts()}
    click.echo(f"{file} is valid: {', '.join(f'{count} {what}' for what, count in told.items() if count)}")


@config.command()
@click.option("--config", "file", type=click.Path(), help="the configuration file  [GECKOS3_CONFIG]")
def show(file: str | None) -> None:
    """Print the settings in force and where each comes from; secrets are masked."""
    flags = {"config": file}
    try:
        path = file_of(flags, os.environ)
        written = {} if path is None else _document(path).settings
        read_settings(flags, os.environ, written)
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None
    lines = []
    for one in SETTINGS:
        given = given_by(one, flags, os.environ, written) or Given("default", (one.default,))
        line = f"{one.key}: {MASK}" if one.secret else yaml_line(one, given.texts)
        # A file cannot name another one, and a masked secret is none.
        lines.append((f"# {line}" if one.secret or one.name == "config" else line, given.source))
    width = min(60, max(len(line) for line, _source in lines))
    for line, source in lines:
        click.echo(f"{line:<{width}}  # {source}")


@config.command("to-env")
@_FILE
@_SECRETS
def to_env(file: Path, secrets: bool) -> None:
    """Print a file's settings as environment variables."""
    document = _document(file)
    for one in SETTINGS:
        if one.name in document.settings:
            click.echo(_variable(one, document.settings[one.name].texts, secrets))
    if document.sections:
        click.echo(f"# only a file can declare {', '.join(document.sections)}")


def _variable(one: Setting, texts: tuple[str, ...], secrets: bool) -> str:
    if one.secret and not secrets:
        return f"# {one.environment[0]}={MASK}"
    if one.several and any(re.search(r"[,\s]", text) for text in texts):
        raise click.ClickException(
            f"{one.key}: has commas or white space, which separate values in {one.environment[0]}"
        )
    return f"{one.environment[0]}={shlex.quote(','.join(texts))}"


@config.command("from-env")
@_SECRETS
def from_env(secrets: bool) -> None:
    """Print the settings in the environment as a file; secrets stay references to their variables."""
    try:
        read_settings({}, os.environ)
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None
    for line in environment_as_yaml(os.environ, secrets):
        click.echo(line)


def environment_as_yaml(environment: Mapping[str, str], secrets: bool) -> Iterator[str]:
    """The lines of a file that says what the environment says."""
    for one in SETTINGS:
        given = given_by(one, {}, environment)
        if given is not None and one.name != "config":
            hidden = one.secret and not secrets
            yield f"{one.key}: ${{{given.source}}}" if hidden else yaml_line(one, given.texts)


def yaml_line(one: Setting, texts: tuple[str, ...]) -> str:
    """A setting as a line of a file."""
    written = [_quoted(text.replace("$", "$$")) for text in texts]
    return f"{one.key}: [{', '.join(written)}]" if one.several else f"{one.key}: {written[0]}"


def _quoted(text: str) -> str:
    """A text as YAML, in quotes where it might be read as something else."""
    plain = _PLAIN.fullmatch(text) and text not in ("null", "Null", "NULL")
    return text if plain else json.dumps(text, ensure_ascii=False)
