"""Mails full of words that nothing else holds: none of them reaches a log, an error, a temporary file or the heartbeat.

Promises D5, D9 and E80: the words stand in every header, body, part and name, in whole mails and in broken ones, while
all goes well and while servers cut, refuse and quote them.
"""

from __future__ import annotations

import base64
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation
from tests.servers.listener import hook, running_listener
from tests.servers.proxy import Proxy
from tests.servers.scripted_imap import ScriptedImap
from tests.servers.scripted_smtp import Script, scripted_smtp

STEM = "kanariefagel"
_numbers = itertools.count(1)


def canary() -> str:
    """Return a word that stands nowhere else."""
    return f"{STEM}{next(_numbers):04d}"


def address() -> str:
    return f"{canary()}@{canary()}.example.org"


def headers(*, subject: str = "") -> str:
    """Return a header of each sort with canary words, without the empty line."""
    return "\r\n".join(
        [
            f"Return-Path: <{address()}>",
            f"Received: from {canary()} (HELO {canary()}) by mx.example.se; Sun, 22 Nov 2026 07:00:00 +0100",
            f"From: {canary()} {canary()} <{address()}>",
            f"To: {canary()} <kontakt@example.se>, {address()}",
            f"Cc: {address()}",
            f"Reply-To: {address()}",
            f"Subject: {subject} {canary()}",
            f"Message-ID: <{canary()}@{canary()}.example.org>",
            f"In-Reply-To: <{canary()}@example.org>",
            f"References: <{canary()}@example.org> <{canary()}@example.org>",
            f"List-Id: {canary()}" if subject == "lista" else f"X-Mailer: {canary()}",
            f"X-{canary()}: {canary()}",
            f"Date: {canary()}",
            "MIME-Version: 1.0",
        ]
    )


def body() -> str:
    return (
        f"Hej, jag heter {canary()} och bor i {canary()}. Vilka uppgifter har ni om mig? Jag vill ha ett "
        f"registerutdrag enligt artikel 15.\r\nMitt personnummer är 811228-9874, mitt nummer {canary()}.\r\n\r\n"
        f"> {canary()}\r\n-- \r\n"
        f"{canary()}\r\n{address()}\r\n"
    )


def mails() -> Iterator[bytes]:
    """Give whole and broken mails."""
    plain = "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    yield f"{headers(subject='Mina uppgifter')}\r\n{plain}{body()}".encode()
    yield f"{headers(subject='lista')}\r\n{plain}{body()}".encode()
    hidden = f"<p>{body()}</p><div style='display:none'>{canary()} {canary()} {canary()}</div><a title='{canary()}'>"
    file = base64.encodebytes(f"{canary()} {canary()}".encode()).decode()
    yield (
        f"{headers()}\r\nContent-Type: multipart/mixed; boundary={STEM}-b\r\n\r\n--{STEM}-b\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n{hidden}\r\n--{STEM}-b\r\n"
        f'Content-Type: application/pdf; name="{canary()}.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="{canary()}.pdf"\r\n\r\n{file}\r\n--{STEM}-b--\r\n'
    ).encode()
    yield (f"{headers()}\r\nContent-Type: message/rfc822\r\n\r\n{headers(subject='inre')}\r\n{plain}{body()}").encode()
    # Broken: no sender, two senders, a bomb in a header, a bomb in HTML, a charset that is none, no end, no header.
    yield f"Subject: {canary()}\r\n\r\n{body()}".encode()
    yield f"From: {address()}\r\nFrom: {address()}\r\nSubject: {canary()}\r\n\r\n{body()}".encode()
    yield f"{headers()}\r\nContent-Type: text/plain; {canary()}{';' * 9_000}\r\n\r\n{body()}".encode()
    yield f"{headers()}\r\nX-Long: {(canary() + ' ') * 20_000}\r\n\r\n{body()}".encode()
    yield f"{headers()}\r\nContent-Type: text/html\r\n\r\n{f'<div>{canary()}' * 400}".encode()
    yield f"{headers()}\r\nContent-Type: text/plain; charset={canary()}\r\n\r\n{body()}".encode("latin-1")
    yield f"{headers()}\r\nContent-Type: multipart/mixed; boundary={canary()}\r\n\r\n--{canary()}\r\n{body()}".encode()
    yield f"{headers()}\r\nContent-Transfer-Encoding: base64\r\n\r\n{canary()}!!!{canary()}".encode()
    yield f"{canary()} {canary()}\r\n{canary()}: {canary()}\r\n".encode()
    yield f"{headers()}\r\n\r\n{canary()}\x00\x1b[31m{canary()}\r\n".encode()
    yield f"{headers()}\r\n{plain}".encode() + (f"{body()}\r\n".encode() * 400)


class Watch:
    """An installation whose every output is kept and searched."""

    def __init__(
        self,
        folder: Path,
        temporary: Path,
        imap_port: int,
        smtp_port: int,
        username: str,
        password: str,
        company_lines: str = "",
    ) -> None:
        self.temporary = temporary
        self.beat = folder / "beat"
        self.place = Installation(
            folder / "house",
            imap_port,
            smtp_port,
            username,
            password,
            imap_lines="timeout_s = 10",
            top_lines=f'[log]\nlevel = "debug"\n[daemon]\nheartbeat_file = "{self.beat}"\n',
            environment={"TMPDIR": str(self.temporary), "PYTHONFAULTHANDLER": "1"},
            company_lines=company_lines,
        )
        self.told: list[str] = []

    def once(self) -> None:
        for form in (["once"], ["once", "--json"]):
            done = self.place.run(*form, check=False)
            self.told += [done.stdout, done.stderr]

    def check(self) -> None:
        """Fail when a canary word was told, or lies in a file that is not the database or the letters' journal."""
        told = "\n".join(self.told).lower()
        assert told.strip()
        assert STEM not in told, told[max(0, told.index(STEM) - 300) : told.index(STEM) + 100]
        assert "811228" not in told
        for file in self.place.folder.parent.rglob("*"):
            if file.is_file() and not file.name.startswith(("inboxbot.db", "config.toml", "imap-password")):
                assert STEM.encode() not in file.read_bytes().lower(), file
        assert not [file for file in self.temporary.rglob("*") if file.is_file()]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Give a folder with a short name: the workers' socket lies there, and its path has at most 108 letters."""
    with tempfile.TemporaryDirectory(prefix="ib") as name:
        yield Path(name)


@pytest.fixture
def smtp() -> Iterator[Script]:
    with scripted_smtp(Script()) as script:
        yield script


def test_d5_no_word_of_a_mail_is_told_while_all_goes_well_and_while_the_connection_is_cut(
    dovecot: Dovecot, smtp: Script, tmp_path: Path, temporary: Path
) -> None:
    """E80, E72. Staff and a webhook are told of everything meanwhile, and learn no word either."""
    user = dovecot.new_user()
    with Proxy(("127.0.0.1", dovecot.port)) as proxy, running_listener() as listener:
        (tmp_path / "house").mkdir()
        lines = 'alarm_addresses = ["vakt@example.se"]\n' + hook(tmp_path / "house", listener.port)
        watch = Watch(tmp_path, temporary, proxy.port, smtp.port, user, dovecot.password, lines)
        dovecot.append(user, list(mails()))
        for cut in (3_000, 20_000):
            proxy.faults.cut_after = cut
            watch.once()
        proxy.faults.cut_after = None
        watch.once()
        assert watch.place.json("status")["ledger"]["held"] > 5
        letters = watch.place.json("drafts", "list")
        assert letters
        for answer in (f"550 5.1.1 <{address()}> {canary()} unknown", f"450 4.2.0 greylisted <{address()}>", "250 ok"):
            smtp.rcpt = answer
            watch.place.run("drafts", "approve", str(letters.pop()["id"]), "--by", "Eva Ek", check=False)
            watch.once()
        dovecot.append(user, list(mails()), folder="Skickat")
        watch.once()
    alarms = [one for one in smtp.taken if b"Auto-Submitted: auto-generated" in one]
    assert alarms
    assert {"held", "opened", "sent"} <= set(listener.events)
    watch.told += [one.decode() for one in (*alarms, *(heard.body for heard in listener.heard))]
    watch.check()


@pytest.mark.parametrize(
    "answer",
    [
        f"@TAG@ NO {STEM} refused\r\n",
        f"* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[]<0> {{9}}\r\n{STEM}\r\n@TAG@ OK done\r\n",
        f"* 1 FETCH (UID 1 {STEM}\r\n@TAG@ OK done\r\n",
        f"* {STEM} {STEM}\r\n@TAG@ {STEM}\r\n",
    ],
)
def test_d5_not_even_when_the_server_says_them_where_it_should_not(
    smtp: Script, tmp_path: Path, temporary: Path, answer: str
) -> None:
    """E80, E72."""
    messages = dict(enumerate(mails(), 1))
    with ScriptedImap(messages, answers={"UID FETCH": answer.encode()}) as imap:
        watch = Watch(tmp_path, temporary, imap.port, smtp.port, "kontakt@example.se", "hemligt")
        watch.once()
    watch.check()
