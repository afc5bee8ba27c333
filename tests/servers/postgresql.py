"""A real PostgreSQL for tests: initialised in a temporary folder, on a free loopback port, fresh databases at will."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from tests.servers.dovecot import free_port
from tests.servers.fixtures import missing

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/opt/postgresql*/bin", "/opt/homebrew/bin")


def find_postgresql() -> Path | None:
    """Return the folder of the newest installed server's programs, or None."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    found = [
        place for pattern in _FOLDERS for place in Path("/").glob(pattern.lstrip("/")) if (place / "initdb").exists()
    ]
    return max(found, default=None, key=lambda place: [int(part) for part in place.parts if part.isdigit()])


@dataclass
class PostgreSql:
    """A running server; its superuser is ``postgres``, trusted on loopback."""

    port: int
    folder: Path
    programs: Path

    def new_database(self, encoding: str = "UTF8") -> str:
        """Create an empty database and return its URL."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def run(self, command: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the superuser, outside a transaction."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True
        ) as connection:
            done = connection.execute(command.encode())
            return done.fetchall() if done.description else []

    def kill_connections(self, url: str) -> int:
        """Cut every connection to a database, as an administrator or a failover would; return how many."""
        name = url.rpartition("/")[2]
        cut = self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        return len(cut)


@contextlib.contextmanager
def running_postgresql() -> Iterator[PostgreSql]:
    """Start a server and stop it at the end. Raises LookupError when none is installed."""
    programs = find_postgresql()
    if programs is None:
        raise LookupError("postgresql")
    folder = Path(tempfile.mkdtemp(prefix="inboxbot-postgresql-"))
    as_user = None
    try:
        if os.geteuid() == 0:  # the server refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            as_user = "postgres"
        port = free_port()
        data = folder / "data"
        _run(
            [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
            as_user,
            folder,
        )
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=50 -c shared_buffers=32MB"
        control: list[str | Path] = [programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w"]
        _run([*control, "-t", "60", "-o", options, "start"], as_user, folder)
        try:
            yield PostgreSql(port, folder, programs)
        finally:
            _run([*control, "-m", "immediate", "stop"], as_user, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: Sequence[str | Path], as_user: str | None, folder: Path) -> None:
    # Output goes to a file: the server keeps what it inherits open, and a pipe would never end.
    with (folder / "output").open("w+", encoding="utf-8") as output:
        done = subprocess.run(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
            cwd=folder,
            user=as_user,
            group=as_user,
        )
    if done.returncode:
        log = folder / "log"
        more = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise RuntimeError(f"{command[0]} failed: {(folder / 'output').read_text(errors='replace')}{more}")


def shared_postgresql() -> PostgreSql:
    """Return this process's server, started at the first call."""
    if find_postgresql() is None:
        missing("postgresql")
    return _started()


@functools.cache
def _started() -> PostgreSql:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_postgresql())
