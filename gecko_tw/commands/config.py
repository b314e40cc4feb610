"""``geckos3 config``: looks at a configuration file, and turns it into environment variables and back."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from gecko_tw.commands.telling import Told, as_json, tell
from gecko_tw.settings import SETTINGS, BadSetting, Setting
from gecko_tw.settings.interpolation import escaped, has_references, only_references, shell_word
from gecko_tw.settings.sources import Given, file_of, given_by, read_settings

MASK = "********"
_PLAIN = re.compile(r"[A-Za-z0-9./][A-Za-z0-9._/-]*|\$\{[A-Za-z0-9_]+\}")
_FILE = click.argument("file", type=click.Path(path_type=Path))
_SECRETS = click.option("--secrets", is_flag=True, help="show secrets as they are")


@click.group(name="config")
def config() -> None:
    """Look at the configuration: a file, the environment, what is in force."""


def _document(file: Path, environment: Mapping[str, str] | None = os.environ) -> Any:
    """The Document of a file. Ends the command when it is none."""
    from gecko_tw.settings.reading import read_document

    try:
        return read_document(file, environment)
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None


@config.command()
@_FILE
@as_json
def validate(file: Path) -> None:
    """Check a file, all that it declares included; exit code 1 and file:line when something is wrong.

    What it refers to must be declared in it, or be there already: in the data directory that it names.
    """
    from gecko_tw.bootstrap.declarations import read_declarations
    from gecko_tw.bootstrap.validating import check_declarations

    document = _document(file)
    try:
        declared = read_declarations(document)
        remark = check_declarations(declared, read_settings({}, os.environ, document.settings))
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None
    remarks = [*document.remarks, *filter(None, [remark])]
    for line in remarks:
        click.echo(line, err=True)
    counts = {"settings": len(document.settings), **declared.counts()}
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    tell(Told(f"{file} is valid: {told}", {"valid": True, **counts, "remarks": remarks}))


@config.command()
@click.option("--config", "file", type=click.Path(), help="the configuration file  [GECKOS3_CONFIG]")
@as_json
def show(file: str | None) -> None:
    """Print the settings in force and where each comes from; secrets are masked."""
    flags = {"config": file}
    try:
        path = file_of(flags, os.environ)
        written = {} if path is None else _document(path).settings
        read_settings(flags, os.environ, written)
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None
    lines, values = [], {}
    for one in SETTINGS:
        given = given_by(one, flags, os.environ, written) or Given("default", (one.default,))
        texts: Any = list(filter(None, given.texts)) if one.several else given.texts[-1]
        values[one.key] = {"value": MASK if one.secret else texts, "source": given.source}
        line = f"{one.key}: {MASK}" if one.secret else yaml_line(one, given.texts)
        # A file cannot name another one, and a masked secret is none.
        lines.append((f"# {line}" if one.secret or one.name == "config" else line, given.source))
    width = min(60, max(len(line) for line, _source in lines))
    tell(Told("\n".join(f"{line:<{width}}  # {source}" for line, source in lines), values))


@config.command("to-env")
@_FILE
@_SECRETS
@as_json
def to_env(file: Path, secrets: bool) -> None:
    """Print a file's settings as environment variables; references to other variables stay."""
    document = _document(file, None)
    found = {one: document.settings[one.name].texts for one in SETTINGS if one.name in document.settings}
    words = {one.environment[0]: _word(one, texts, secrets) for one, texts in found.items()}
    lines = [f"# {name}={MASK}" if word is None else f"{name}={word}" for name, word in words.items()]
    if document.sections:
        lines.append(f"# only a file can declare {', '.join(document.sections)}")
    tell(Told("\n".join(lines), words))


def _word(one: Setting, texts: tuple[str, ...], secrets: bool) -> str | None:
    """A setting as a word of a shell; None for a secret that is not to be shown."""
    if one.secret and not secrets and not all(map(only_references, texts)):
        return None
    if one.several and any(re.search(r"[,\s]", text) for text in texts):
        raise click.ClickException(
            f"{one.key}: has commas or white space, which separate values in {one.environment[0]}"
        )
    return shell_word(",".join(texts))


@config.command("from-env")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_SECRETS
@as_json
def from_env(file: Path | None, secrets: bool) -> None:
    """Print the settings in the environment, or in a FILE of variables such as .env, as a file.

    Secrets stay references to their variables, and so do references in FILE.
    """
    from gecko_tw.settings.variables import read_variables

    try:
        texts = _texts_of(os.environ) if file is None else read_variables(file)
        _check_texts(texts)
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None
    known = {name for one in SETTINGS for name in one.environment}
    for name in [] if file is None else [name for name in texts if name not in known]:
        click.echo(f"{file}: {name} is no setting and left out", err=True)
    found = list(_entries(texts, secrets))
    values = {one.key: list(written) if one.several else written[0] for one, written in found}
    tell(Told("\n".join(_yaml_line(*each) for each in found), values))


def environment_as_yaml(environment: Mapping[str, str], secrets: bool) -> Iterator[str]:
    """The lines of a file that says what the environment says."""
    return (_yaml_line(*each) for each in _entries(_texts_of(environment), secrets))


def _texts_of(environment: Mapping[str, str]) -> dict[str, str]:
    known = {name for one in SETTINGS for name in one.environment}
    return {name: escaped(text) for name, text in environment.items() if name in known}


def _check_texts(texts: Mapping[str, str]) -> None:
    """Refuses what is not allowed, as far as that can be told without the variables that are referred to. Raises BadSetting."""
    known = {name: text.replace("$$", "$") for name, text in texts.items() if not has_references(text)}
    if len(known) == len(texts):
        read_settings({}, known)
        return
    for one in SETTINGS:
        given = given_by(one, {}, known)
        if given is not None:
            given.value(one)


def _entries(texts: Mapping[str, str], secrets: bool) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """What variables say of settings. As in a configuration file a dollar is written twice."""
    for one in SETTINGS:
        given = given_by(one, {}, texts)
        if given is not None and one.name != "config":
            hidden = one.secret and not secrets and not all(map(only_references, given.texts))
            yield one, (f"${{{given.source}}}",) if hidden else given.texts


def yaml_line(one: Setting, texts: tuple[str, ...]) -> str:
    """A setting as a line of a file."""
    return _yaml_line(one, tuple(map(escaped, texts)))


def _yaml_line(one: Setting, texts: tuple[str, ...]) -> str:
    written = [_quoted(text) for text in texts]
    return f"{one.key}: [{', '.join(written)}]" if one.several else f"{one.key}: {written[0]}"


def _quoted(text: str) -> str:
    """A text as YAML, in quotes where it might be read as something else."""
    plain = _PLAIN.fullmatch(text) and text not in ("null", "Null", "NULL")
    return text if plain else json.dumps(text, ensure_ascii=False)
