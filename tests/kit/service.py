"""A service for tests: a desk, an application that serves it, keys of every role."""

from __future__ import annotations

import signal
import socket
import subprocess
from contextlib import contextmanager

import httpx2
from fastapi.testclient import TestClient

from kit.cli import command_line
from kit.ledger import NOW
from postroad.guard.grants import Grant
from postroad.guard.party import Party
from postroad.server.app import Settings, make_app
from postroad.service.desk import Desk

SHIPPER = Party(name="测试甲", phone="13812345678", address="某市某区某路1号2单元303室")
ADDRESSEE = Party(name="测试乙", phone="13900001111", address="某县某镇某村")


@contextmanager
def serving(folder, **settings):
    """A client of an application over a new desk; the desk's clock stands at NOW."""
    desk = Desk(folder, now=lambda: NOW, **settings.pop("desk", {}))
    with TestClient(make_app(desk, Settings(folder=folder, **settings)), raise_server_exceptions=False) as client:
        yield client, desk


def keyed(desk, role, **grant):
    """Headers that show a new key of a role."""
    return {"Authorization": f"Bearer {desk.keys.make(Grant(role=role, **grant), now=NOW)}"}


@contextmanager
def running(folder, *options):
    """A server of its own process, and the address at which it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = command_line("serve", str(folder), "--port", str(port), "--lang", "en", *options)
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert "Serving" in process.stderr.readline()
            transport = httpx2.HTTPTransport(retries=20)
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=30) as client:
                yield client, process
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
