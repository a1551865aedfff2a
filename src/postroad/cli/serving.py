"""``postroad serve`` and ``postroad key``: the service over HTTP, and who may call it."""

from __future__ import annotations

import ipaddress
import json
import os
import sys
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from postroad.cli.options import BaseMapFile, MapNotice
from postroad.cli.shell import Shell
from postroad.core.clock import parse_instant
from postroad.core.errors import InputError, UsageError
from postroad.guard.grants import Grant
from postroad.guard.keys import KeyRing
from postroad.service.desk import access_path

__all__ = ["key", "serve"]

SWITCH_S = 0.0005
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the service: its ledger and what guards it.")]


class Do(StrEnum):
    """What to do with keys."""

    make = "make"
    list = "list"
    withdraw = "withdraw"


def serve(
    shell: Shell,
    folder: Folder,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8350,
    feed: Annotated[
        str | None, typer.Option("--feed", help="Feed that names facilities and products (china, a folder, a zip).")
    ] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="IANA name in which a new ledger shows time.")] = "UTC",
    cipher: Annotated[str, typer.Option("--cipher", help="Of a new vault: aes-256-gcm or sm4-gcm.")] = "aes-256-gcm",
    master: Annotated[
        Path | None, typer.Option("--master", help="File of the vault's master key, on another disk than its copies.")
    ] = None,
    base_map: BaseMapFile = None,
    map_notice: MapNotice = "",
    certificate: Annotated[Path | None, typer.Option("--certificate", help="Of TLS, PEM.")] = None,
    private_key: Annotated[Path | None, typer.Option("--private-key", help="Of TLS, PEM.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No line for each request.")] = False,
) -> None:
    """Serve a ledger over HTTP: events in, items out, for those who show a key.

    /docs describes every call. Beyond this machine it needs --certificate and --private-key. Make the first key with
    'postroad key make DIR --role administrator'.
    """
    uvicorn = _server()
    if not _is_loopback(host) and certificate is None:
        raise UsageError("PR-H121", value=host)
    if (certificate is None) != (private_key is None):
        raise UsageError("PR-H122")
    settings = {"folder": str(folder.absolute()), "feed": feed, "timezone": timezone, "cipher": cipher}
    settings |= {"master": str(master) if master else None, "map_notice": map_notice}
    os.environ["POSTROAD_SERVE"] = json.dumps(settings | {"base_map": str(base_map) if base_map else None})
    # The desk is opened here first, so that a refusal is told as every other.
    application = import_module("postroad.server.app")
    app = application.serve()
    scheme = "http" if certificate is None else "https"
    shell.say(shell.pick(f"Serving {folder} at {scheme}://{host}:{port}", f"服务 {folder}：{scheme}://{host}:{port}"))
    # Look-ups share the interpreter with appends: a shorter turn keeps them from waiting for one another.
    sys.setswitchinterval(SWITCH_S)
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=_log_settings(is_quiet=quiet),
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
        server_header=False,
    )


def key(
    shell: Shell,
    do: Annotated[Do, typer.Argument(help="make, list or withdraw.")],
    folder: Folder,
    role: Annotated[
        str | None, typer.Option("--role", help="operator, franchisee, regulator, shipper, addressee, administrator.")
    ] = None,
    operator: Annotated[list[str] | None, typer.Option("--operator", help="operator_id whose items are seen.")] = None,
    facility: Annotated[list[str] | None, typer.Option("--facility", help="facility_id of a franchisee.")] = None,
    party: Annotated[list[str] | None, typer.Option("--party", help="party_id of a shipper or addressee.")] = None,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="Only these of the role's scopes.")] = None,
    label: Annotated[str, typer.Option("--label", help="For people: whose key it is.")] = "",
    expires: Annotated[str | None, typer.Option("--expires", help="Instant from which it is void, ISO 8601.")] = None,
    key_id: Annotated[str | None, typer.Option("--key-id", help="Of the key to withdraw.")] = None,
) -> None:
    """Make, list or withdraw the keys of a service. A key is shown once, when it is made."""
    ring = KeyRing(access_path(folder))
    try:
        if do is Do.list:
            _list_keys(shell, ring)
        elif do is Do.withdraw:
            ring.withdraw(_asked(key_id, "--key-id"))
            shell.say(shell.pick(f"Withdrawn: {key_id}", f"已撤销：{key_id}"))
        else:
            grant = Grant(
                role=_asked(role, "--role"),
                scopes=frozenset(scope) if scope else None,
                operator_ids=frozenset(operator or ()),
                facility_ids=frozenset(facility or ()),
                party_ids=frozenset(party or ()),
                label=label,
                expires_at=_instant(expires),
            )
            made = ring.make(grant)
            if shell.json:
                shell.write_json({"key": made, "key_id": made.split("_")[1]})
            else:
                shell.write(made)
                shell.say(shell.pick("Keep it: it is not shown again.", "请妥善保存：不会再次显示。"))
    finally:
        ring.close()


def _list_keys(shell: Shell, ring: KeyRing) -> None:
    """Show every key that was made."""
    listed = ring.listed()
    if shell.json:
        shell.write_json({"keys": listed})
        return
    for row in listed:
        state = shell.pick("withdrawn", "已撤销") if row["withdrawn_at"] else shell.pick("in force", "有效")
        shell.write(f"{row['key_id']}  {row['role']:13}  {state}  {row['made_at'][:19]}  {row['label']}".rstrip())


def _asked(value: str | None, option: str) -> str:
    """The value of an option that is needed here."""
    if value is None:
        raise UsageError("PR-X001", text=f"Missing option '{option}'.")
    return value


def _instant(text: str | None) -> datetime | None:
    """An instant, or none."""
    return None if text is None else parse_instant(text, "UTC")


def _is_loopback(host: str) -> bool:
    """Whether an address is of this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _server() -> ModuleType:
    """The library that serves; InputError PR-H120 when the extra is not installed."""
    try:
        import_module("fastapi")
        return import_module("uvicorn")
    except ModuleNotFoundError as error:
        raise InputError("PR-H120") from error


def _log_settings(*, is_quiet: bool) -> dict[str, object]:
    """Lines of JSON for requests and plain ones for the rest, to standard error."""
    level = "WARNING" if is_quiet else "INFO"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "loggers": {
            "postroad": {"handlers": ["stderr"], "level": level, "propagate": False},
            "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        },
    }
