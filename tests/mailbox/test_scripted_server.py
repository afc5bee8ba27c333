"""States and answers that no real server should show, from a scripted one (promises.md B2, B3)."""

from __future__ import annotations

import datetime as dt
import re
import socket
import threading

import pytest
from tests.mailbox.conftest import Connect
from tests.servers.scripted_imap import ScriptedImap

from inboxbot.config.model import ImapSettings
from inboxbot.daemon.patience import FIRST_S, Patience
from inboxbot.errors import MailboxError
from inboxbot.mailbox.faults import (
    LoginRefusedError,
    MissingFolderError,
    ProtocolError,
    ReadOnlyError,
    TlsError,
    UnavailableError,
    UnreachableError,
)
from inboxbot.mailbox.fetching import EPOCH, Fetched, Missing, Refused
from inboxbot.mailbox.server import IdleResult, Server
from inboxbot.mailbox.sync import KnownFolder, Plan, Step, plan
from inboxbot.reading.read import read_mail

TWICE = (
    b"* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[]<0> {9}\r\nA: 1\r\n\r\nx)\r\n"
    b"* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[]<0> {9}\r\nA: 2\r\n\r\nx)\r\n"
)


def mail(number: int) -> bytes:
    return f"From: a{number}@example.com\r\nSubject: {number}\r\n\r\nText {number}\r\n".encode()


def three() -> dict[int, bytes]:
    return {uid: mail(uid) for uid in (1, 2, 3)}


def test_f11_a_mail_the_server_refuses_is_blamed_alone(connect: Connect) -> None:
    def refuse_two(server: ScriptedImap, command: str) -> bytes | None:
        uids = server._chosen(command.split(" ")[2])
        return b"@TAG@ NO [SERVERBUG] broken\r\n" if 2 in uids else None

    with ScriptedImap(three(), answers={"UID FETCH": refuse_two}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        first, second, third = server.fetch([1, 2, 3])
    assert isinstance(first, Fetched)
    assert second == Refused(2, "server_refuses")
    assert isinstance(third, Fetched)


def test_a_server_that_cannot_now_ends_the_round_instead_of_blaming_mails(connect: Connect) -> None:
    with ScriptedImap(three(), answers={"UID FETCH": b"@TAG@ NO [UNAVAILABLE] later\r\n"}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        with pytest.raises(UnavailableError):
            list(server.fetch([1, 2, 3]))


def test_f12_ok_without_data_is_missing_only_when_the_mail_is_gone(connect: Connect) -> None:
    with ScriptedImap(three(), answers={"UID FETCH": b"@TAG@ OK nothing\r\n"}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        del imap.messages[3]
        assert list(server.fetch([1, 3])) == [Refused(1, "no_answer"), Missing(3)]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"* 1 FETCH (UID 1 RFC822.SIZE 40)\r\n", "no_body"),
        (b"* 1 FETCH (UID 1 RFC822.SIZE 40 BODY[]<0> NIL)\r\n", "no_body"),
        (b'* 1 FETCH (UID 1 RFC822.SIZE 400 BODY[]<0> "")\r\n', "inconsistent_answer"),
        (b"* 1 FETCH (UID 1 RFC822.SIZE 400 BODY[]<0> {4}\r\nFrom)\r\n", "inconsistent_answer"),
        (TWICE, "inconsistent_answer"),
    ],
)
def test_f13_f14_a_senseless_answer_is_refused_and_never_an_empty_mail(
    connect: Connect, answer: bytes, code: str
) -> None:
    with ScriptedImap(three(), answers={"UID FETCH": answer + b"@TAG@ OK done\r\n"}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        assert list(server.fetch([1])) == [Refused(1, code)]


def test_f13_a_mail_nobody_asked_for_is_dropped(connect: Connect) -> None:
    with ScriptedImap(three(), answers={"UID FETCH": lambda imap, line: _answers(imap, [7, 2])}) as imap:
        imap.messages[7] = mail(7)
        server = connect(imap.port)
        server.open("INBOX")
        (item,) = server.fetch([2])
    assert isinstance(item, Fetched)
    assert item.raw.whole == mail(2)


def _answers(imap: ScriptedImap, uids: list[int]) -> bytes:
    return b"".join(imap.fetch_answer(uid, "BODY.PEEK[]<0.65536>") for uid in uids) + b"@TAG@ OK done\r\n"


def test_f15_other_news_in_the_midst_of_a_fetch_confuses_nothing(connect: Connect) -> None:
    def noisy(imap: ScriptedImap, command: str) -> bytes | None:
        pieces = [imap.fetch_answer(uid, command) for uid in (3, 1, 2)]
        noise = (
            b"* 2 EXPUNGE\r\n* OK still working\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 1 FLAGS (\\Seen))\r\n"
        )
        return noise.join([b"", *pieces, b""]) + b"@TAG@ OK done\r\n"

    with ScriptedImap(three(), answers={"UID FETCH": noisy}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        items = list(server.fetch([1, 2, 3]))
    assert [item.raw.whole for item in items if isinstance(item, Fetched)] == [mail(1), mail(2), mail(3)]


def test_f16_a_giant_literal_drops_the_connection_and_not_the_memory(connect: Connect) -> None:
    giant = b"* 1 FETCH (UID 1 BODY[]<0> {99999999999}\r\nabc"
    with ScriptedImap(three(), answers={"UID FETCH": giant}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        with pytest.raises(UnreachableError):
            list(server.fetch([1]))
        imap.answers.clear()
        server.connect()
        server.open("INBOX")
        assert [item.uid for item in server.fetch([1, 2])] == [1, 2]


@pytest.mark.parametrize(
    "noise", [b"\xff\x00\x1b]0;x\r\n", b"* 1 FETCH ((((((\r\n@TAG@ OK done\r\n", b"x" * 100_000 + b"\r\n"]
)
def test_e7_garbage_ends_in_a_named_fault_or_in_nothing_taken(connect: Connect, noise: bytes) -> None:
    with ScriptedImap(three(), answers={"UID FETCH": noise}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        taken, said = _what_came(server)
    assert taken in ([], [Refused(1, "no_answer")])
    assert "\x1b" not in said


def _what_came(server: Server) -> tuple[list[object], str]:
    try:
        return list(server.fetch([1])), ""
    except MailboxError as error:
        return [], str(error)


def test_f32_uidnext_that_went_back_is_planned_as_a_rematch(connect: Connect) -> None:
    with ScriptedImap(three(), uidnext=4) as imap:
        server = connect(imap.port)
        known = KnownFolder(1, 3)
        assert plan(known, server.open("INBOX")) == Plan(Step.NEW, above=3)
        imap.uidnext = 2
        assert plan(known, server.open("INBOX")) == Plan(Step.REMATCH, reason="uidnext_went_back")


def test_f35_the_last_message_below_the_mark_is_not_new(connect: Connect) -> None:
    with ScriptedImap(three()) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        assert server.uids_above(99) == []
        assert server.uids_above(1) == [2, 3]
        assert any("100:*" in command for command in imap.commands)


def test_a_uid_list_of_millions_is_read(connect: Connect) -> None:
    many = b"* SEARCH " + b" ".join(b"%d" % uid for uid in range(1, 300_001)) + b"\r\n@TAG@ OK done\r\n"
    with ScriptedImap(three(), answers={"UID SEARCH": many}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        assert len(server.all_uids()) == 300_000


def test_an_internaldate_without_sense_is_told_as_unknown(connect: Connect) -> None:
    with ScriptedImap(three(), internaldate="99-Foo-2026 25:00:00 +0000") as imap:
        server = connect(imap.port)
        server.open("INBOX")
        (item,) = server.fetch([1])
    assert isinstance(item, Fetched)
    assert item.internaldate == EPOCH


def test_several_hundred_mails_take_one_command_each_five_hundred(connect: Connect) -> None:
    with ScriptedImap({uid: mail(uid) for uid in range(1, 1201)}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        items = list(server.fetch(server.all_uids()))
        fetches = [command for command in imap.commands if command.startswith("UID FETCH")]
    assert [item.uid for item in items] == list(range(1, 1201))
    assert [command.split(" ")[2] for command in fetches] == ["1:500", "501:1000", "1001:1200"]


@pytest.mark.parametrize(
    ("answer", "fault", "retry"),
    [
        (b"@TAG@ NO [AUTHENTICATIONFAILED] wrong\r\n", LoginRefusedError, False),
        (b"@TAG@ NO Invalid credentials\r\n", LoginRefusedError, False),
        (b"@TAG@ NO [UNAVAILABLE] Temporary authentication failure\r\n", UnavailableError, True),
        (b"@TAG@ NO [ALERT] Too many simultaneous connections\r\n", UnavailableError, True),
        (b"@TAG@ NO [OVERQUOTA] Account exceeded bandwidth limits\r\n", UnavailableError, True),
        (b"@TAG@ BAD User is authenticated but not connected.\r\n", UnavailableError, True),
        (b"* BYE bye\r\n", UnreachableError, True),
    ],
)
def test_f22_refusals_at_sign_in_are_told_apart(
    connect: Connect, answer: bytes, fault: type[MailboxError], retry: bool
) -> None:
    with ScriptedImap(answers={"AUTHENTICATE": answer}) as imap:
        with pytest.raises(fault) as caught:
            connect(imap.port)
        assert caught.value.retry is retry
        assert f"127.0.0.1:{imap.port}" in str(caught.value)


def test_f22_too_many_connections_are_not_answered_with_more(connect: Connect) -> None:
    with (
        ScriptedImap(answers={"AUTHENTICATE": b"@TAG@ NO [LIMIT] too many\r\n"}) as imap,
        pytest.raises(UnavailableError) as caught,
    ):
        connect(imap.port)
    assert caught.value.pause_s >= 3600


def test_f22_a_server_that_is_being_restarted_is_tried_again_soon(connect: Connect) -> None:
    with (
        ScriptedImap(answers={"AUTHENTICATE": b"@TAG@ NO [UNAVAILABLE] Internal error occurred.\r\n"}) as imap,
        pytest.raises(UnavailableError) as caught,
    ):
        connect(imap.port)
    assert Patience().pause(caught.value, worked_s=0, random=0) == FIRST_S


def test_f23_a_server_that_is_signed_in_already_is_left(connect: Connect) -> None:
    with ScriptedImap(greeting=b"* PREAUTH welcome\r\n") as imap:
        with pytest.raises(TlsError):
            connect(imap.port)
        assert not any(command.startswith(("LOGIN", "AUTHENTICATE")) for command in imap.commands)


@pytest.mark.parametrize("offered", ["IMAP4rev1 AUTH=PLAIN", "IMAP4rev1 AUTH=PLAIN STARTTLS"])
def test_f23_without_starttls_or_with_words_slipped_in_no_password_is_sent(offered: str) -> None:
    slipped = b"@TAG@ OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
    with ScriptedImap(capabilities=offered, answers={"STARTTLS": slipped}) as imap:
        settings = ImapSettings(host="127.0.0.1", port=imap.port, security="starttls", username="a", timeout_s=3)
        with pytest.raises(MailboxError):
            Server(settings, password="hemligt").connect()
        assert not any(command.startswith(("LOGIN", "AUTHENTICATE")) for command in imap.commands)


def test_login_without_auth_plain_quotes_name_and_password(connect: Connect) -> None:
    """E1."""
    with ScriptedImap(capabilities="IMAP4rev1") as imap:
        connect(imap.port, 'an "na" x', password='a"b\\c')
        assert 'LOGIN "an \\"na\\" x" "a\\"b\\\\c"' in imap.commands
        with pytest.raises(LoginRefusedError):
            connect(imap.port, password="lösen")
        with pytest.raises(MailboxError):
            connect(imap.port, "a\r\nX DELETE INBOX", password="x")
        assert not any("DELETE" in command for command in imap.commands)


def test_login_disabled_sends_no_password(connect: Connect) -> None:
    with ScriptedImap(capabilities="IMAP4rev1 LOGINDISABLED") as imap, pytest.raises(TlsError):
        connect(imap.port)
    assert not any(command.startswith("LOGIN ") for command in imap.commands)


def test_a_token_signs_in(connect: Connect) -> None:
    with ScriptedImap(capabilities="IMAP4rev1 AUTH=XOAUTH2") as imap:
        settings = ImapSettings(host="127.0.0.1", port=imap.port, security="none", username="a@example.se")
        with Server(settings, password=None, token=lambda: "nyckel") as server:
            assert server.open("INBOX").uidvalidity == 1
        assert any(command.startswith("AUTHENTICATE XOAUTH2") for command in imap.commands)


def test_f25_a_server_without_extensions_is_served(connect: Connect) -> None:
    with ScriptedImap(three(), capabilities="IMAP4rev1") as imap:
        server = connect(imap.port, password="x")
        server.open("INBOX")
        assert server.idle(0.1) is IdleResult.QUIET
        assert [item.uid for item in server.fetch([1])] == [1]
        assert server.folders().drafts is None
        with pytest.raises(ReadOnlyError):
            server.delete_own("INBOX", 1)
        assert not any(re.search("EXPUNGE|STORE|IDLE", command) for command in imap.commands)


def test_an_append_without_uidplus_gives_no_uid(connect: Connect) -> None:
    with ScriptedImap(capabilities="IMAP4rev1") as imap:
        server = connect(imap.port, password="x")
        moment = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
        assert server.append("INBOX", b"Subject: x\n\nrad\n", ["\\Draft"], moment) is None
        assert imap.appended == [b"Subject: x\r\n\r\nrad\r\n"]


def test_f46_a_full_folder_is_named(connect: Connect) -> None:
    with ScriptedImap(answers={"APPEND": b"@TAG@ NO [OVERQUOTA] full\r\n"}) as imap:
        server = connect(imap.port)
        with pytest.raises(UnavailableError):
            server.append("INBOX", b"Subject: x\r\n\r\n", [], dt.datetime(2026, 1, 2, tzinfo=dt.UTC))


def test_a_refused_folder_is_named_and_the_connection_stays(connect: Connect) -> None:
    with ScriptedImap(three(), answers={"EXAMINE .Borta": b"@TAG@ NO no such mailbox\r\n"}) as imap:
        server = connect(imap.port)
        with pytest.raises(MissingFolderError) as caught:
            server.open("Borta")
        assert "Borta" in str(caught.value)
        assert server.open("INBOX").exists == 3


def test_f24_a_read_only_folder_is_told_when_it_is_to_be_written(connect: Connect) -> None:
    read_only = b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [READ-ONLY] sorry\r\n@TAG@ OK [READ-ONLY] done\r\n"
    with ScriptedImap(answers={"SELECT|EXAMINE": read_only}) as imap:
        server = connect(imap.port)
        with pytest.raises(ReadOnlyError):
            server.open("INBOX", read_only=False)
        assert server.open("INBOX").uidvalidity == 1


def test_idle_hears_news_and_ends_at_a_goodbye(connect: Connect) -> None:
    with ScriptedImap(three()) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        threading.Timer(0.2, imap.say, (b"* OK still here\r\n* 1 EXPUNGE\r\n",)).start()
        assert server.idle(0.6) is IdleResult.QUIET
        threading.Timer(0.2, imap.say, (b"* 3 EXISTS\r\n",)).start()
        assert server.idle(10) is IdleResult.NEWS
        threading.Timer(0.2, imap.say, (b"* BYE going down\r\n",)).start()
        with pytest.raises(MailboxError):
            server.idle(10)


def test_special_folders_by_use_and_by_usual_names(connect: Connect) -> None:
    lists = (
        '(\\HasNoChildren) "." INBOX',
        '(\\HasNoChildren) "." INBOX.Entw&APw-rfe',
        '(\\HasNoChildren \\Junk) "." "INBOX.Allerlei"',
        '(\\Noselect) "." Sent',
        '(\\HasNoChildren) "." INBOX.Skickat',
    )
    with ScriptedImap(folders=lists) as imap:
        found = connect(imap.port).folders()
    assert (found.junk, found.sent, found.drafts) == ("INBOX.Allerlei", "INBOX.Skickat", "INBOX.Entwürfe")


def test_a_part_number_is_checked_before_it_is_sent(connect: Connect) -> None:
    """E1."""
    with ScriptedImap(three()) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        for part in ("1]\r\nX DELETE INBOX", "0", "", "1.", "TEXT"):
            with pytest.raises(ProtocolError):
                server.fetch_part(1, part, 100)
        assert not any("BODY" in command for command in imap.commands)


def test_a_name_that_is_not_known_is_told() -> None:
    settings = ImapSettings(host="finns-inte.invalid", port=993, username="a")
    with pytest.raises(UnreachableError) as caught:
        Server(settings, password="x", key="imap").connect()
    assert "imap.host" in str(caught.value)


def test_something_that_is_no_imap_server_is_told(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def greet() -> None:
            wire, _ = listener.accept()
            with wire:
                wire.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(MailboxError):
            connect(port)
        thread.join()


def test_a_message_of_which_the_size_is_not_told_is_not_taken_for_whole(connect: Connect) -> None:
    message = b"From: a@example.com\r\n\r\n" + b"Radera mig. " * 20_000

    def untold(imap: ScriptedImap, command: str) -> bytes | None:
        answer = imap.fetch_answer(1, command).replace(b"RFC822.SIZE %d " % len(message), b"")
        return answer + b"@TAG@ OK done\r\n"

    with ScriptedImap({1: message}, answers={"UID FETCH": untold}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        (item,) = server.fetch([1])
    assert isinstance(item, Fetched)
    assert item.raw.whole is None
    assert read_mail(item.raw).text == ("Radera mig. " * 20_000)


@pytest.mark.parametrize("structure", [b"NIL", b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 240000 1)', b"((((", b'("TEXT")'])
def test_words_that_the_server_withholds_are_taken_from_the_beginning_and_told_cut(
    connect: Connect, structure: bytes
) -> None:
    message = b"From: a@example.com\r\n\r\n" + b"Radera mig. " * 20_000

    def withhold(imap: ScriptedImap, command: str) -> bytes | None:
        if "BODYSTRUCTURE" in command:
            return b"* 1 FETCH (UID 1 BODYSTRUCTURE " + structure + b")\r\n@TAG@ OK done\r\n"
        if "BODY.PEEK[1]" in command:
            return b"* 1 FETCH (UID 1 BODY[1]<0> NIL)\r\n@TAG@ OK done\r\n"
        return None

    with ScriptedImap({1: message}, answers={"UID FETCH": withhold}) as imap:
        server = connect(imap.port)
        server.open("INBOX")
        (item,) = server.fetch([1])
    assert isinstance(item, Fetched)
    mail = read_mail(item.raw)
    assert mail.text.startswith("Radera mig. Radera mig.")
    assert "cut" in mail.flags
