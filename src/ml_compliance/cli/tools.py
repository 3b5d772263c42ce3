"""The group `tools`."""

from __future__ import annotations

import click

from ml_compliance.cli._shared import json_option

_LOCK = click.option("--lock", "lock_file", type=click.Path(), help="A lock file  [default: the one that is shipped]")

_MIRROR = click.option(
    "--mirror", default="", metavar="URL|FOLDER", help="Where the files are, instead of their publishers."
)


@click.group()
def tools() -> None:
    """External programs, from a lock file of their digests."""


@tools.command()
@click.argument("name")
@_LOCK
@_MIRROR
@json_option
def install(name: str, lock_file: str | None, mirror: str, as_json: bool) -> None:
    """Install a program for this user, unless the lock's version is here: verified by sha256, or built from source."""
    from pathlib import Path

    from ml_compliance import tools as room
    from ml_compliance.terminal import print_json

    asset = room.pinned(name, room.read_lock(Path(lock_file) if lock_file else None))
    path = room.present(asset) or room.install(asset, mirror)
    if as_json:
        verified = room.verified(asset, path)
        print_json({"tool": name, "version": asset.version, "path": str(path), "sha256": room.sha256(path),
                    "verified": verified, "origin": asset.origin if verified else ""})  # fmt: skip
    else:
        click.echo(str(path))


@tools.command(name="list")
@_LOCK
@json_option
def list_(lock_file: str | None, as_json: bool) -> None:
    """Show which programs the lock has, whether they are pinned, and where they are."""
    from pathlib import Path

    from ml_compliance import tools as room
    from ml_compliance.terminal import print_json

    document = room.read_lock(Path(lock_file) if lock_file else None)
    found = [
        {"tool": name, "version": entry["version"], "path": room.find(name),
         "pinned": sorted(key for key, asset in entry["assets"].items() if asset["sha256"]),
         "source": entry.get("go", {}).get("sum", "")}
        for name, entry in sorted(document.items())
    ]  # fmt: skip
    if as_json:
        print_json({"tools": found})
        return
    for item in found:
        pins = ", ".join(item["pinned"]) or "no platform"
        source = ", source pinned" if item["source"] else ""
        click.echo(f"{item['tool']} {item['version']}: pinned for {pins}{source}; {item['path'] or 'not installed'}")


@tools.command()
@click.argument("name")
@_LOCK
@click.option("--out", type=click.Path(), default="tools.lock.json", show_default=True, help="The lock to write.")
@_MIRROR
def lock(name: str, lock_file: str | None, out: str, mirror: str) -> None:
    """Download a program for every platform and write a lock with their sha256, to be reviewed and kept."""
    from pathlib import Path

    from ml_compliance import tools as room
    from ml_compliance.documents import canonical
    from ml_compliance.files import write

    write(Path(out), canonical(room.lock(room.read_lock(Path(lock_file) if lock_file else None), name, mirror)))
    click.echo(out)
