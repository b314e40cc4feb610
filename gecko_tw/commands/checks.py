"""``geckos3 fsck`` and ``geckos3 healthcheck``: whether all is well, told by exit codes too."""

from http.client import HTTPException

import click

from gecko_tw.commands.options import STORE, Command, with_settings
from gecko_tw.commands.telling import Told, json_wanted, tell
from gecko_tw.settings import Settings

_PLACE = ("listen", "tls", "acme", "acme_domain", "tls_cert", "tls_key", "tls_client_ca")


@click.command(cls=Command)
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@click.option("--bucket", default="", metavar="NAME", help="Look at one bucket only.")
@click.option("--bytes", "verifying", is_flag=True, help="Read all bytes and compare them with their checksums.")
@with_settings(STORE, own=("repair", "bucket", "verifying"))
def fsck(settings: Settings, repair: bool, bucket: str, verifying: bool) -> int:
    """Compare files, records and catalog. Changes nothing without --repair; may run beside a daemon.

    Exit code 0: nothing is wrong; 1: something was, or is; 2: it cannot be looked at.
    """
    from gecko_tw.commands.fsck import fsck as look
    from gecko_tw.daemon.data_dir import CannotOpen, check_data_dir

    try:
        if settings.catalog == "files":
            check_data_dir(settings.data_dir)
        findings = look(settings, bucket, verifying, repair)
    except CannotOpen as problem:
        refusal = click.ClickException(str(problem))
        refusal.exit_code = 2
        raise refusal from problem
    tell(findings.told())
    return int(bool(findings.found))


@click.command(cls=Command)
@with_settings(_PLACE)
def healthcheck(settings: Settings) -> int:
    """Ask the daemon that listens where these settings say for its health; exit code 0 when it is well."""
    from gecko_tw.commands.health import health
    from gecko_tw.daemon.listening import listeners_of

    places = listeners_of(settings)
    # Whoever asks at another one must show a certificate, which this command has none of.
    asked = [one for one in places if not (one.tls and settings.tls_client_ca)]
    if not asked:
        raise click.ClickException(
            "--tls-client-ca: who asks must show a certificate; allowed is another place in --listen, such as unix:/run/geckos3.sock"
        )
    listener = asked[0]
    try:
        status = health(listener.text, listener.secure)
    except (OSError, HTTPException, ValueError) as problem:
        if json_wanted():
            tell(Told("", {"place": listener.text, "error": str(problem)}))
        else:
            click.echo(f"{listener.text}: {problem}", err=True)
        return 1
    tell(Told(f"{listener.text}: {status}", {"place": listener.text, "status": status}))
    return int(status != 200)
