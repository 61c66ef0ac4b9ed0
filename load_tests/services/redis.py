"""A real Redis in memory, on a port of its own."""

import socket
from functools import partial
from pathlib import Path

from load_tests.services.need import program
from load_tests.services.run import Address, DiedError, Run, free_ports

STARTS = 3
DATABASES = 64


def start(run: Run) -> str:
    """Start the run's Redis, or join it; return `host:port`."""
    return run.once("redis", lambda folder: _start(run, folder))["address"]


def _start(run: Run, folder: Path) -> Address:
    server = program("redis-server", "redis-server")
    for attempt in range(1, STARTS + 1):
        (port,) = free_ports(1)
        memory_only = ["--save", "", "--appendonly", "no", "--databases", str(DATABASES)]
        command = [server, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), *memory_only]
        try:
            run.spawn(folder, command, partial(_answers, port))
        except DiedError:
            # Between our look and its start another process may have taken the port.
            if attempt == STARTS:
                raise
        else:
            return {"address": f"127.0.0.1:{port}"}
    raise AssertionError


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
