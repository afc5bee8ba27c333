"""What goes wrong with a real server is told apart, named and survived (promises.md B2, B3)."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest
from tests.mailbox.conftest import Connect
from tests.servers.dovecot import PASSWORD, Dovecot, configuration, free_port, make_certificate
from tests.servers.proxy import Faults, Proxy

from inboxbot.config.model import FolderSettings, ImapSettings
from inboxbot.errors import MailboxError
from inboxbot.mailbox.faults import (
    LoginRefusedError,
    MissingFolderError,
    ProtocolError,
    TlsError,
    UnreachableError,
)
from inboxbot.mailbox.fetching import Fetched
from inboxbot.mailbox.folders import Folders
from inboxbot.mailbox.server import IdleResult, Server
from inboxbot.mailbox.sync import KnownFolder, Step, plan

MAIL = b"From: Anna <anna@example.com>\r\nSubject: Hej\r\nMessage-ID: <1@example.com>\r\n\r\nRadera mig.\r\n"


def settings(dovecot: Dovecot, user: str, **changes: object) -> ImapSettings:
    values = {"host": "127.0.0.1", "port": dovecot.tls_port, "username": user, "ca_file": dovecot.certificate}
    return ImapSettings.model_validate(values | {"timeout_s": 5} | changes)


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_every_way_of_connecting_signs_in(dovecot: Dovecot, user: str, security: str) -> None:
    port = dovecot.tls_port if security == "tls" else dovecot.port
    with Server(settings(dovecot, user, security=security, port=port), password=PASSWORD) as server:
        assert server.open("INBOX").exists == 0
        assert {"IDLE", "UIDPLUS"} <= server.capabilities


def test_f23_an_unknown_certificate_is_refused_and_no_password_is_sent(dovecot: Dovecot, user: str) -> None:
    for security, target in (("tls", dovecot.tls_port), ("starttls", dovecot.port)):
        with Proxy(("127.0.0.1", target)) as proxy:
            wanted = settings(dovecot, user, port=proxy.port, security=security, ca_file=None)
            with pytest.raises(TlsError) as caught:
                Server(wanted, password=PASSWORD, key="company[0].mailbox[0].imap").connect()
            assert b"AUTHENTICATE" not in proxy.said
            assert b"LOGIN" not in proxy.said
        assert f"127.0.0.1:{proxy.port}" in str(caught.value)
        assert "company[0].mailbox[0].imap.ca_file" in str(caught.value)


def test_f23_a_certificate_for_another_name_is_refused(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "annan.example.com")
    with pytest.raises(TlsError):
        Server(settings(dovecot, user, ca_file=other), password=PASSWORD).connect()


def test_f22_a_refused_login_is_named_and_not_to_be_tried_again_soon(dovecot: Dovecot, user: str) -> None:
    with pytest.raises(LoginRefusedError) as caught:
        Server(settings(dovecot, user), password="fel", key="imap").connect()
    assert caught.value.retry is False
    assert "imap.username" in str(caught.value)
    assert "fel" not in caught.value.what


def test_an_unreachable_server_is_named(dovecot: Dovecot, user: str) -> None:
    port = free_port()
    with pytest.raises(UnreachableError) as caught:
        Server(settings(dovecot, user, port=port), password=PASSWORD, key="imap").connect()
    assert caught.value.retry is True
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "imap.port" in str(caught.value)


def test_special_folders_are_found_in_swedish(dovecot: Dovecot, user: str, connect: Connect) -> None:
    assert connect(dovecot.port, user).folders() == Folders("INBOX", "Skräppost", "Skickat", "Utkast")


def test_a_missing_folder_is_an_error_only_when_it_is_named(dovecot: Dovecot, user: str) -> None:
    named = FolderSettings(drafts="Kladdar")
    with Server(settings(dovecot, user), password=PASSWORD, folders=named) as server:
        with pytest.raises(MissingFolderError) as caught:
            server.folders()
        assert "folders.drafts" in str(caught.value)
        assert "Utkast" in str(caught.value)
        with pytest.raises(MissingFolderError):
            server.open("Finns inte åäö")
        assert server.open("Skräppost").exists == 0


def test_f42_a_folder_name_with_a_line_break_never_leaves(dovecot: Dovecot, user: str, connect: Connect) -> None:
    with Proxy(("127.0.0.1", dovecot.port)) as proxy:
        server = connect(proxy.port, user)
        for name in ("a\r\nA1 DELETE INBOX", "b\nc", "d\0e"):
            with pytest.raises(MailboxError):
                server.open(name)
        assert b"DELETE" not in proxy.said
        assert server.open("INBOX").exists == 0


def test_idle_tells_of_new_mail_at_once(dovecot: Dovecot, user: str, connect: Connect) -> None:
    server = connect(dovecot.port, user)
    server.open("INBOX")
    assert server.idle(0.3) is IdleResult.QUIET
    threading.Timer(0.3, dovecot.append, (user, [MAIL])).start()
    assert server.idle(20) is IdleResult.NEWS
    assert server.uids_above(0) == [1]
    assert server.idle(0.3) is IdleResult.QUIET


def test_f19_mail_between_the_listing_and_idle_is_news(dovecot: Dovecot, user: str, connect: Connect) -> None:
    server = connect(dovecot.port, user)
    server.open("INBOX")
    assert server.all_uids() == []
    dovecot.append(user, [MAIL])
    assert server.idle(20) is IdleResult.NEWS


def test_idle_over_tls_tells_of_new_mail(dovecot: Dovecot, user: str) -> None:
    with Server(settings(dovecot, user), password=PASSWORD) as server:
        server.open("INBOX")
        assert server.idle(0.3) is IdleResult.QUIET
        threading.Timer(0.3, dovecot.append, (user, [MAIL])).start()
        assert server.idle(20) is IdleResult.NEWS


def test_f20_a_kick_ends_idle_with_an_error_and_a_new_connection_works(
    dovecot: Dovecot, user: str, connect: Connect
) -> None:
    server = connect(dovecot.port, user)
    server.open("INBOX")
    threading.Timer(0.3, dovecot.doveadm, ("kick", user)).start()
    with pytest.raises(UnreachableError):
        server.idle(30)
    with pytest.raises(UnreachableError):
        server.noop()
    server.connect()
    assert server.open("INBOX").exists == 0


def test_an_idle_can_be_interrupted_from_another_thread(dovecot: Dovecot, user: str, connect: Connect) -> None:
    server = connect(dovecot.port, user)
    server.open("INBOX")
    threading.Timer(0.3, server.interrupt).start()
    with pytest.raises(MailboxError):
        server.idle(60)


@pytest.mark.parametrize(
    "pattern", [rb"BODY\[\]<0> \{\d+\}\r\nFrom: An", rb"Radera mig.\r\n", rb"Radera mig.\r\n\)\r\n"]
)
def test_f10_a_cut_in_or_after_a_literal_brings_nothing_and_can_be_tried_again(
    dovecot: Dovecot, user: str, connect: Connect, pattern: bytes
) -> None:
    dovecot.append(user, [MAIL])
    with Proxy(("127.0.0.1", dovecot.port), Faults(cut_at=pattern)) as proxy:
        server = connect(proxy.port, user)
        server.open("INBOX")
        brought: list[object] = []
        with pytest.raises(UnreachableError):
            brought.extend(server.fetch([1]))
        assert brought == []
        proxy.faults = Faults()
        server.connect()
        server.open("INBOX")
        (item,) = server.fetch([1])
        assert isinstance(item, Fetched)


@pytest.mark.parametrize("pattern", [rb"\* OK", rb"Logged in", rb"BODY\[\]<0> \{\d+\}\r\nFr", rb"\+ idling"])
def test_f17_a_server_that_falls_silent_is_left_after_the_limit(dovecot: Dovecot, user: str, pattern: bytes) -> None:
    """F17, F18."""
    dovecot.append(user, [MAIL])
    with Proxy(("127.0.0.1", dovecot.port), Faults(stall_at=pattern)) as proxy:
        wanted = settings(dovecot, user, port=proxy.port, security="none", timeout_s=0.5)
        server = Server(wanted, password=PASSWORD)
        with pytest.raises(MailboxError):
            _use(server)
        server.close()


def _use(server: Server) -> None:
    server.connect()
    server.open("INBOX")
    list(server.fetch([1]))
    server.idle(0.3)


def test_f30_a_new_uidvalidity_is_planned_as_a_rematch(dovecot: Dovecot, user: str, connect: Connect) -> None:
    dovecot.append(user, [MAIL])
    server = connect(dovecot.port, user)
    before = server.open("INBOX")
    known = KnownFolder(before.uidvalidity, 1)
    assert plan(known, before).step is Step.NEW
    dovecot.doveadm("mailbox", "update", "-u", user, "--uid-validity", str(before.uidvalidity + 7), "INBOX")
    after = server.open("INBOX")
    assert plan(known, after).step is Step.REMATCH
    assert plan(known, after).reason == "uidvalidity_changed"


def test_a_draft_is_appended_found_and_alone_removed(dovecot: Dovecot, user: str, connect: Connect) -> None:
    server = connect(dovecot.port, user)
    at = dt.datetime(2026, 11, 20, 10, 30, tzinfo=dt.UTC)  # Dovecot takes no moment to come
    first = server.append("Utkast", MAIL, ["\\Draft", "$InboxbotCase"], at)
    second = server.append("Utkast", MAIL, ["\\Draft"], at)
    assert first is not None
    assert second is not None
    state = server.open("Utkast")
    assert (first.uidvalidity, state.exists) == (state.uidvalidity, 2)
    server.delete_own("Utkast", first.uid)
    server.open("Utkast")
    assert server.all_uids() == [second.uid]
    (left,) = server.fetch([second.uid])
    assert isinstance(left, Fetched)
    assert left.internaldate == at


def test_only_what_is_ours_is_removed_by_an_exact_uid(dovecot: Dovecot, user: str, connect: Connect) -> None:
    """E1."""
    dovecot.append(user, [MAIL, MAIL], folder="Utkast")
    other = dovecot.imap(user, "Utkast")
    other.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
    other.logout()
    server = connect(dovecot.port, user)
    server.delete_own("Utkast", 2)
    server.open("Utkast")
    assert server.all_uids() == [1]


def test_a_flag_that_is_a_command_is_not_sent(dovecot: Dovecot, user: str, connect: Connect) -> None:
    """E1."""
    server = connect(dovecot.port, user)
    with pytest.raises(ProtocolError):
        server.append("Utkast", MAIL, ["\\Draft)\r\nA1 DELETE INBOX"], dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def test_the_configuration_for_dovecot_24_is_written_for_its_language(tmp_path: Path) -> None:
    text = configuration((2, 4), tmp_path, 1143, 1993, root=True)
    assert text.split("\n")[1].startswith("dovecot_config_version = 2.4")
    assert "@" not in text.replace("@example", "")
    for old in ("mail_location", "disable_plaintext_auth", "%u", "%n", "ssl_cert =", "driver = passwd-file"):
        assert old not in text
    assert text.count("{") - text.count("%{") == text.count("}") - text.count("%{")
    assert "mailbox Utkast" in text
