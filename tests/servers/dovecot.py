"""A real Dovecot for tests: own folder, own ports on loopback, own users. Runs as root and without."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
PASSWORD = "hemligt å lösen"
# Written down before the start: Dovecot looks at the file at most once a second.
_SPARE_USERS = 1_000
_BINARIES = ("/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/opt/homebrew/sbin/dovecot")


def find_dovecot() -> str | None:
    """Return the path of the installed dovecot, or None."""
    return shutil.which("dovecot") or next((path for path in _BINARIES if Path(path).exists()), None)


def version(binary: str) -> tuple[int, int]:
    """Return the major and minor version of a dovecot."""
    text = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = text.split()[0].split(".")[:2]
    return int(major), int(minor)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configuration(major_minor: tuple[int, int], folder: Path, port: int, tls_port: int, *, root: bool) -> str:
    """Return the configuration for this version, filled in."""
    new = major_minor >= (2, 4)
    template = (HERE / ("dovecot_24.conf" if new else "dovecot_23.conf")).read_text(encoding="utf-8")
    user, group = ("nobody", _group_of("nobody")) if root else (getpass.getuser(), _group_of(getpass.getuser()))
    owner = (
        [f"mail_uid = {user}", f"mail_gid = {group}"]
        if root
        else [f"default_internal_user = {user}", f"default_internal_group = {group}", f"default_login_user = {user}"]
    )
    home = f"{folder}/mail/%{{user | username}}" if new else f"{folder}/mail/%n"
    old_userdb = f"uid={user} gid={group} home={home}" if root else f"home={home}"
    userdb = f"    home = {home}" if new else old_userdb
    values = {
        "@DIR@": str(folder),
        "@PORT@": str(port),
        "@TLS_PORT@": str(tls_port),
        "@OWNER@": "\n".join(owner),
        "@CHROOT@": "" if root else "  chroot =",
        "@USERDB@": userdb,
    }
    for mark, value in values.items():
        template = template.replace(mark, value)
    return template


def _group_of(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def make_certificate(folder: Path, name: str = "localhost") -> Path:
    """Write a self-made certificate for ``name`` and 127.0.0.1 (cert.pem, key.pem); return the certificate's path."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName=DNS:{name},IP:127.0.0.1",
            "-keyout",
            str(folder / "key.pem"),
            "-out",
            str(folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem"


@dataclass
class Dovecot:
    """A running Dovecot. Every user named in ``users`` has `PASSWORD`."""

    folder: Path
    port: int
    tls_port: int
    certificate: Path
    users: tuple[str, ...]
    process: subprocess.Popen[bytes]
    binary: str
    _fresh: int = field(default=0)

    @property
    def password(self) -> str:
        return PASSWORD

    def new_user(self) -> str:
        """Return the address of a user whose mailbox nobody has used."""
        self._fresh += 1
        if self._fresh > _SPARE_USERS:
            raise RuntimeError("more fresh mailboxes were asked for than this server has")
        return f"user{self._fresh}@example.se"

    def imap(self, user: str, folder: str = "INBOX") -> imaplib.IMAP4:
        """Return a plain connection of its own, signed in, with a folder open for writing."""
        connection = imaplib.IMAP4("127.0.0.1", self.port)
        connection.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())
        connection.select(folder)
        return connection

    def append(
        self, user: str, messages: Sequence[bytes], *, folder: str = "INBOX", at: dt.datetime | None = None
    ) -> None:
        """Put messages into a folder as another mail program would."""
        connection = self.imap(user)
        try:
            for message in messages:
                moment = imaplib.Time2Internaldate(at) if at else imaplib.Time2Internaldate(time.time())
                typ, data = connection.append(folder, "", moment, message)
                if typ != "OK":
                    raise AssertionError(f"append failed: {data!r}")
        finally:
            connection.logout()

    def deliver(self, user: str, message: bytes, *, sender: str = "avsandare@example.com") -> None:
        """Deliver a message by LMTP, as the mail system would; Dovecot adds Return-Path and Received."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(str(self.folder / "run" / "lmtp"))
            talk = wire.makefile("rwb")
            for line, want in (
                (None, b"220"),
                ("LHLO test", b"250"),
                (f"MAIL FROM:<{sender}>", b"250"),
                (f"RCPT TO:<{user}>", b"250"),
                ("DATA", b"354"),
            ):
                if line is not None:
                    talk.write(line.encode() + b"\r\n")
                    talk.flush()
                answer = talk.readline()
                while answer[3:4] == b"-":
                    answer = talk.readline()
                if not answer.startswith(want):
                    raise AssertionError(f"LMTP: {line!r} got {answer!r}")
            lines = message.replace(b"\r\n", b"\n").split(b"\n")
            talk.write(b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b"\r\n.\r\n")
            talk.flush()
            if not (answer := talk.readline()).startswith(b"250"):
                raise AssertionError(f"LMTP: delivery got {answer!r}")

    def doveadm(self, *arguments: str) -> str:
        """Run doveadm against this server."""
        program = shutil.which("doveadm") or str(Path(self.binary).parent.parent / "bin" / "doveadm")
        done = subprocess.run(
            [program, "-c", str(self.folder / "dovecot.conf"), *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise AssertionError(f"doveadm {arguments}: {done.stderr}")
        return done.stdout

    def state(self, user: str, folder: str = "INBOX") -> tuple[int, list[bytes]]:
        """Return the count of messages and every message's flags, for before and after."""
        connection = self.imap(user, folder)
        try:
            _, data = connection.uid("FETCH", "1:*", "(FLAGS)")
            lines = sorted(
                line.replace(b"\\Recent", b"").replace(b"( ", b"(").replace(b" )", b")")
                for line in data
                if isinstance(line, bytes)
            )
            return len(lines), lines
        finally:
            connection.logout()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        if self.process.stderr:
            self.process.stderr.close()


@contextlib.contextmanager
def running_dovecot(
    users: Sequence[str] = ("kontakt@example.se",), root_folder: Path | None = None, keep: Path | None = None
) -> Iterator[Dovecot]:
    """Start a Dovecot, wait until it answers, and stop it at the end. Raises LookupError when none is installed.

    ``keep`` is a folder of its own that stays with all its mail, for a run that goes on another time.
    """
    binary = find_dovecot()
    if binary is None:
        raise LookupError("dovecot")
    root = os.geteuid() == 0
    folder = keep or Path(tempfile.mkdtemp(prefix="inboxbot-dovecot-", dir=root_folder))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)  # the mail's owner must get through
    try:
        _end_former(folder)
        (folder / "mail").mkdir(exist_ok=True)
        (folder / "run").mkdir(exist_ok=True)
        if root:
            shutil.chown(folder / "mail", "nobody", _group_of("nobody"))
        certificate = make_certificate(folder)
        port, tls_port = free_port(), free_port()
        text = configuration(version(binary), folder, port, tls_port, root=root)
        (folder / "dovecot.conf").write_text(text, encoding="utf-8")
        names = [*users, *(f"user{number}@example.se" for number in range(1, _SPARE_USERS + 1))]
        (folder / "users").write_text("".join(f"{name}:{{PLAIN}}{PASSWORD}\n" for name in names), encoding="utf-8")
        (folder / "users").chmod(0o644)
        process = subprocess.Popen(
            [binary, "-c", str(folder / "dovecot.conf"), "-F"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        server = Dovecot(folder, port, tls_port, certificate, tuple(users), process, binary)
        try:
            _wait_for(server)
            yield server
        finally:
            server.stop()
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _end_former(folder: Path) -> None:
    """End the server that worked in this folder when the program that started it was killed."""
    file = folder / "run" / "master.pid"
    if file.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(file.read_text(encoding="ascii")), signal.SIGTERM)
        deadline = time.monotonic() + 10
        while file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        file.unlink(missing_ok=True)


def _wait_for(server: Dovecot) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            error = server.process.stderr.read().decode() if server.process.stderr else ""
            raise RuntimeError(f"dovecot did not start: {error}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1) as wire:
            if wire.recv(10).startswith(b"* OK"):
                return
        time.sleep(0.05)
    raise RuntimeError(f"dovecot did not answer: {(server.folder / 'dovecot.log').read_text(errors='replace')[-2000:]}")
