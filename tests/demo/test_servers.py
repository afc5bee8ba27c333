"""The embedded servers and the folder that keeps what they hold, met as a mail program meets them."""

from __future__ import annotations

import datetime as dt
import smtplib
import stat
from contextlib import contextmanager

import pytest
from imapclient import IMAPClient

from inboxbot.config.load import load_settings
from inboxbot.demo.place import open_place
from inboxbot.demo.stage import open_stage
from inboxbot.errors import UsageError

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
SUPPORT, KONTAKT = "support@ljuslagret.example.com", "kontakt@kursverket.example.org"


@contextmanager
def signed_in(stage, address):
    imap = next(box.imap for _, box in stage.settings.mailboxes() if box.address == address)
    client = IMAPClient(imap.host, imap.port, ssl=False, timeout=20)
    try:
        client.login(imap.username, imap.password_file.read_text())
        yield client
    finally:
        client.logout()


def stage_in(folder, **extra):
    return open_stage(folder, now=lambda: NOW, **extra)


def test_folders_have_their_special_use_in_english_and_swedish(tmp_path) -> None:
    with stage_in(tmp_path / "d") as stage:
        for address, names in ((SUPPORT, {"Drafts", "Sent", "Junk"}), (KONTAKT, {"Utkast", "Skickat", "Skräppost"})):
            with signed_in(stage, address) as client:
                listed = {name: {flag.lower() for flag in flags} for flags, _, name in client.list_folders()}
                assert set(listed) == {"INBOX", *names}
                uses = {use for flags in listed.values() for use in flags & {b"\\drafts", b"\\sent", b"\\junk"}}
                assert uses == {b"\\drafts", b"\\sent", b"\\junk"}


def test_a_wrong_password_is_refused(tmp_path) -> None:
    with stage_in(tmp_path / "d") as stage:
        port = stage.settings.mailboxes()[0][1].imap.port
        client = IMAPClient("127.0.0.1", port, ssl=False, timeout=20)
        with pytest.raises(Exception, match=r"(?i)auth|invalid|login"):
            client.login(SUPPORT, "fel")
        client.logout()


def test_the_inbox_is_spread_over_the_last_days(tmp_path) -> None:
    with stage_in(tmp_path / "d") as stage, signed_in(stage, SUPPORT) as client:
        client.select_folder("INBOX", readonly=True)
        got = client.fetch(client.search(), ["INTERNALDATE", "FLAGS"])
        moments = [got[uid][b"INTERNALDATE"].astimezone(dt.UTC) for uid in sorted(got)]
        assert len(moments) > 30
        assert moments == sorted(moments)
        assert dt.timedelta(days=2) < NOW - moments[0] < dt.timedelta(days=4)
        assert all(b"\\Seen" not in one[b"FLAGS"] for one in got.values())


def test_what_a_mail_program_does_is_there_the_next_time(tmp_path) -> None:
    with stage_in(tmp_path / "d") as stage, signed_in(stage, KONTAKT) as client:
        first = client.select_folder("INBOX")
        uids = client.search()
        client.add_flags(uids[0], [rb"\Seen"])
        client.delete_messages(uids[1])
        client.expunge()
        client.append("Skickat", b"Subject: Hej\r\n\r\nHej!\r\n", [rb"\Seen"], NOW)
        port = stage.settings.mailboxes()[0][1].imap.port
    with stage_in(tmp_path / "d") as stage, signed_in(stage, KONTAKT) as client:
        again = client.select_folder("INBOX", readonly=True)
        assert (again[b"UIDVALIDITY"], again[b"UIDNEXT"]) == (first[b"UIDVALIDITY"], first[b"UIDNEXT"])
        assert client.search() == [uids[0], *uids[2:]]
        assert rb"\Seen" in client.fetch(uids[0], ["FLAGS"])[uids[0]][b"FLAGS"]
        client.select_folder("Skickat", readonly=True)
        assert client.fetch(client.search(), ["BODY.PEEK[]"])[1][b"BODY[]"] == b"Subject: Hej\r\n\r\nHej!\r\n"
        assert stage.settings.mailboxes()[0][1].imap.port == port


def test_a_demo_that_was_killed_while_it_was_made_is_made_anew(tmp_path) -> None:
    with stage_in(tmp_path / "d") as stage, signed_in(stage, SUPPORT) as client:
        count = client.select_folder("INBOX", readonly=True)[b"EXISTS"]
    (tmp_path / "d" / "demo.json").unlink()  # it is written last
    with stage_in(tmp_path / "d") as stage, signed_in(stage, SUPPORT) as client:
        assert client.select_folder("INBOX", readonly=True)[b"EXISTS"] == count


def test_a_later_mail_is_pushed_to_who_waits_and_comes_once(tmp_path) -> None:
    with stage_in(tmp_path / "d") as stage, signed_in(stage, SUPPORT) as client:
        before = client.select_folder("INBOX", readonly=True)[b"EXISTS"]
        client.idle()
        came = stage.deliver_next(NOW)
        told = client.idle_check(timeout=20)
        client.idle_done()
        assert came is not None
        assert came.mailbox == SUPPORT
        assert (before + 1, b"EXISTS") in told
        names = {came.name}
        while (one := stage.deliver_next(NOW)) is not None:
            assert one.name not in names
            names.add(one.name)
    with stage_in(tmp_path / "d") as stage:
        assert stage.deliver_next(NOW) is None


def test_the_sink_keeps_what_it_gets_and_tells(tmp_path) -> None:
    told = []
    with stage_in(tmp_path / "d", sent=told.append) as stage:
        smtp = stage.settings.mailboxes()[0][1].smtp
        with smtplib.SMTP(smtp.host, smtp.port, timeout=20) as client:
            client.sendmail(SUPPORT, ["a@example.com"], "Subject: Hej\r\n\r\n.rad\r\nTack\r\n")
    (one,) = told
    assert one.recipients == ("a@example.com",)
    assert one.file.read_bytes() == b"Subject: Hej\r\n\r\n.rad\r\nTack\r\n"


def test_everything_is_for_the_owner_alone(tmp_path) -> None:
    with stage_in(tmp_path / "d"):
        pass
    files = [one for one in (tmp_path / "d").rglob("*") if one.is_file() and one.name != ".demo.lock"]
    assert len(files) > 60
    for one in (tmp_path / "d", *files):
        assert stat.S_IMODE(one.stat().st_mode) & 0o077 == 0, one


def test_the_settings_are_those_of_the_program(tmp_path) -> None:
    with stage_in(tmp_path / "d") as stage:
        settings = load_settings(tmp_path / "d" / "config.toml")
        assert settings.model_dump() == stage.settings.model_dump()
        hours = {box.address: box.promise_hours for _, box in settings.mailboxes()}
        assert hours == {SUPPORT: None, KONTAKT: 24}
        assert all(box.start == "beginning" for _, box in settings.mailboxes())


def test_a_taken_port_is_replaced_in_the_settings(tmp_path) -> None:
    with stage_in(tmp_path / "d") as stage:
        old = stage.settings.mailboxes()[0][1].imap.port
    with _taken(old), stage_in(tmp_path / "d") as stage:
        assert stage.settings.mailboxes()[0][1].imap.port != old
        with signed_in(stage, SUPPORT) as client:
            assert client.select_folder("INBOX", readonly=True)[b"EXISTS"] > 30


@contextmanager
def _taken(port):
    import socket

    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", port))
        one.listen()
        yield


def test_a_folder_with_something_else_in_it_is_refused(tmp_path) -> None:
    (tmp_path / "brev.txt").write_text("mitt")
    with pytest.raises(UsageError, match="holds something else"), open_place(tmp_path):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["brev.txt"]


def test_two_demos_do_not_share_a_folder(tmp_path) -> None:
    with open_place(tmp_path / "d"), pytest.raises(UsageError, match="another demo"), open_place(tmp_path / "d"):
        pass
