"""A mailbox that contradicts the database, on Dovecot: the audit says so, and touches nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, update
from tests.doors.mail_program import DRAFTS, SENT, MailProgram
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, Office, open_office
from tests.servers.proxy import HARMLESS, Proxy
from tests.servers.writing import access, letter

from inboxbot.cases.values import DraftState
from inboxbot.daemon.auditing import audit_all, audit_daily, chosen
from inboxbot.desk.placing import HEADER, make_token
from inboxbot.mailbox.workers import ReadingPool
from inboxbot.store.tables import cases, folders, ledger, mails

Install = Callable[..., Installation]
DOORS = 'approval = ["web", "terminal", "drafts"]'


class Company:
    """An installation with four messages taken, one letter sent, its drafts lying in the mailbox."""

    def __init__(self, office: Office, program: MailProgram) -> None:
        self.office, self.program = office, program

    def audit(self, *, strict: bool = True, **more: Any) -> dict[str, Any]:
        """Audit as if nothing were young any more, or (not strict) as the program does it."""
        delay = dt.timedelta() if strict else None
        return audit_all(self.office.desk, now=self.office.clock(), delay=delay, **more)

    def found(self, *, strict: bool = True) -> list[tuple[str, str]]:
        result = self.audit(strict=strict)
        assert result["ok"] is not bool(result["findings"])
        return [(one["promise"], one["where"]) for one in result["findings"]]

    def change(self, statement: Any) -> None:
        with self.office.desk.store.write() as connection:
            connection.execute(statement)


@contextmanager
def company(install: Install, dovecot: Dovecot, pool: ReadingPool, **more: Any) -> Iterator[Company]:
    with ExitStack() as stack:
        office = stack.enter_context(open_office(install(mailbox_lines=DOORS, sound=False, **more), pool=pool))
        program = MailProgram(dovecot, office.installation.username)
        for name in ("Anna Berg", "Bo Ek"):
            program.save(access(name), "INBOX")
        program.save(
            letter("Frånvarande", "Jag är ledig till måndag.", headers=[("Auto-Submitted", "auto-replied")]), "INBOX"
        )
        program.save(access("Cia Dahl"), "INBOX")
        assert office.once().taken == 4
        anna = next(one for one in office.drafts() if one.recipient == "anna.berg@example.org")
        office.approve(anna.id)
        office.once()
        office.once()
        assert office.draft(anna.id).state is DraftState.SENT
        yield Company(office, program)


@pytest.fixture
def shop(installation: Install, dovecot: Dovecot, pool: ReadingPool) -> Iterator[Company]:
    with company(installation, dovecot, pool) as one:
        yield one


def test_a_sound_installation_is_clean_and_its_mailbox_untouched(
    installation: Install, dovecot: Dovecot, pool: ReadingPool
) -> None:
    with Proxy(("127.0.0.1", dovecot.port)) as proxy, company(installation, dovecot, pool, imap_port=proxy.port) as one:
        flags = one.program.flags("INBOX")
        proxy.said.clear()
        result = one.audit()
        assert (result["findings"], result["errors"], result["ok"]) == ([], [], True)
        (seen,) = result["mailboxes"]
        assert seen == {"address": "kontakt@example.se", "messages": 7, "compared": 7}  # 4, a copy, two drafts
        assert set(proxy.verbs()) <= HARMLESS, "promise I8"
        assert one.program.flags("INBOX") == flags
        assert result["checked"]["I1"] == 4 + 4
        assert result["checked"]["I7"] >= 4
        assert result["checked"]["S7"] == 3 + 1
        assert result["checked"]["S10"] == 3 + 2


def test_a_message_without_an_entry_breaks_i1_once_it_is_old(shop: Company) -> None:
    shop.program.save(access("Dan Falk"), "INBOX")
    assert shop.found(strict=False) == []  # it came this minute
    assert shop.found() == [("I1", "mailbox 1, inbox, UID 5")]
    shop.office.clock.advance(minutes=14)
    assert shop.found(strict=False) == []
    shop.office.clock.advance(minutes=2)
    assert shop.found(strict=False) == [("I1", "mailbox 1, inbox, UID 5")]
    shop.office.once()
    assert shop.found() == []


def test_a_message_moved_in_with_an_old_date_is_given_the_time_of_a_round(shop: Company) -> None:
    old = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
    shop.program.save(access("Dan Falk"), "INBOX", at=old)
    assert shop.found(strict=False) == []
    shop.office.clock.advance(minutes=16)
    assert shop.found(strict=False) == [("I1", "mailbox 1, inbox, UID 5")]


def test_an_entry_that_was_removed_is_missed_at_once(shop: Company) -> None:
    first = ledger.c.uid == 3  # the ignored one: nothing else hangs on it
    shop.change(delete(ledger).where(first))
    shop.office.clock.advance(hours=2)
    assert shop.found(strict=False) == [("I1", "mailbox 1, inbox, UID 3")]


def test_a_folder_that_was_numbered_anew_is_one_finding(shop: Company) -> None:
    shop.change(update(folders).where(folders.c.role == "inbox").values(uidvalidity=folders.c.uidvalidity + 1))
    assert shop.found(strict=False) == []  # the next round matches it again
    assert shop.found() == [("I1", "mailbox 1, inbox")]


def test_other_bytes_than_were_taken_break_i7(shop: Company) -> None:
    shop.change(update(ledger).where(ledger.c.uid == 1).values(size=ledger.c.size - 1))
    shop.change(update(ledger).where(ledger.c.uid == 3).values(digest="ab" * 32))
    assert shop.found() == [("I7", "mailbox 1, inbox, UID 1"), ("I7", "mailbox 1, inbox, UID 3")]


def test_what_vanished_ends_no_case_and_when_it_did_it_is_i9(shop: Company) -> None:
    shop.program.delete("INBOX")
    shop.office.once()
    assert shop.found() == []
    with shop.office.desk.store.write() as connection:
        reference = connection.execute(cases.select().where(cases.c.id == 2)).one().reference
        connection.execute(update(cases).where(cases.c.id == 2).values(state="closed"))
        connection.execute(update(mails).where(mails.c.case_id == 3).values(ledger_id=None))
    result = shop.audit()
    assert [one["promise"] for one in result["findings"]] == ["I9", "I9"]
    assert result["findings"][0] == {"promise": "I9", "what": "it is closed, and nobody ended it", "where": reference}
    assert "its message is gone from the mailbox" in result["findings"][1]["what"]


def test_a_letter_in_the_sent_folder_that_nobody_knows_to_be_sent_breaks_s7(shop: Company) -> None:
    """As after an older backup came back: the letter went out, and the database does not know."""
    draft = next(one for one in shop.office.drafts(DraftState.PROPOSED))
    ours = letter("Svar", "Hej!", sender="kontakt@example.se", to="bo@example.org", message_id=draft.message_id)
    shop.program.save(ours, SENT)
    assert shop.found(strict=False) == []  # it may be just sent, and is noticed in a moment
    assert shop.found() == [("S7", "mailbox 1, sent, UID 2")]


def test_a_draft_that_lies_there_twice_breaks_s10(shop: Company) -> None:
    message = shop.program.raw(DRAFTS)[0]
    shop.program.save(message, DRAFTS)
    assert shop.found(strict=False) == []  # a program that saves writes anew, then deletes
    draft = next(one for one in shop.office.drafts(DraftState.PROPOSED))
    assert shop.found() == [("S10", f"letter {draft.id}")]


def test_marks_that_others_made_count_for_nothing(shop: Company) -> None:
    for secret in (b"another", b"installation"):
        token = make_token(secret, 2, "0123456789ab")
        shop.program.save(letter("x", "y", headers=[(HEADER, token)]), DRAFTS)
    assert shop.found() == []


def test_an_unreachable_mailbox_is_told_and_the_database_is_audited_all_the_same(tmp_path: Path) -> None:
    place = Installation(tmp_path, 9, 9, "kontakt", "hemligt")
    with open_office(place) as office:
        office.receive(access("Anna Berg"))
    done = place.run("audit", check=False)
    assert done.returncode == 1
    assert "kontakt@example.se was not looked at: 127.0.0.1:9: nothing listens there" in done.stderr
    assert "Traceback" not in done.stderr
    assert "whole" in done.stdout
    told = json.loads(place.run("audit", "--json", check=False).stdout)
    assert (told["ok"], told["findings"], len(told["errors"])) == (False, [], 1)
    offline = json.loads(place.run("audit", "--offline", "--json").stdout)
    assert (offline["ok"], offline["mailboxes"]) == (True, [])


def test_status_and_check_tell_what_the_daemon_found(shop: Company) -> None:
    place, desk, now = shop.office.installation, shop.office.desk, shop.office.clock
    shop.change(update(ledger).where(ledger.c.uid == 3).values(reason=""))
    assert audit_daily(desk, now=now()) is not None
    assert audit_daily(desk, now=now()) is None  # once a day
    done = place.run("status", "--json", check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, told["broken"]) == (1, True)
    assert [one["promise"] for one in told["audit"]["findings"]] == ["I1"]
    assert "I1 ledger entry 3" in place.run("status", check=False).stdout
    found = json.loads(place.run("check", "--json", check=False).stdout)["findings"]
    assert [(one["where"], one["level"]) for one in found if one["area"] == "audit"] == [("I1 ledger entry 3", "error")]
    shop.change(update(ledger).where(ledger.c.uid == 3).values(reason="list_id"))
    assert place.run("audit").returncode == 0  # and its result takes the place of the old one
    assert json.loads(place.run("status", "--json").stdout)["audit"]["findings"] == []
    (line,) = [one for one in json.loads(place.run("check", "--json").stdout)["findings"] if one["area"] == "audit"]
    assert line["level"] == "ok"
    shop.office.clock.advance(hours=25)
    assert audit_daily(desk, now=now()) is not None


def test_killed_after_its_result_was_kept_status_tells_it(shop: Company) -> None:
    place = shop.office.installation
    shop.change(update(ledger).where(ledger.c.uid == 3).values(reason=""))
    place.environment = {"INBOXBOT_CRASH_AT": "audit_kept"}
    assert place.run("audit", check=False).returncode == 137
    place.environment = {}
    told = json.loads(place.run("status", "--json", check=False).stdout)
    assert [one["promise"] for one in told["audit"]["findings"]] == ["I1"]


def test_a_mailbox_that_was_never_served_has_nothing_to_be_held_to(
    installation: Install, dovecot: Dovecot, pool: ReadingPool
) -> None:
    place = installation()
    dovecot.append(place.username, [access("Anna Berg")])
    with open_office(place) as office:
        result = audit_all(office.desk, now=office.clock(), delay=dt.timedelta())
    assert (result["ok"], result["mailboxes"][0]["messages"]) == (True, 0)


def test_of_a_large_folder_the_newest_the_unknown_and_a_changing_sample_are_compared() -> None:
    uids = range(1, 10_001)
    wanted = [chosen(uids, [5, 7], 100, Random(seed)) for seed in range(3)]
    for one in wanted:
        assert {5, 7, *range(9_951, 10_001)} <= set(one)
        assert 100 <= len(one) <= 200
        assert one == sorted(set(one))
    assert wanted[0] != wanted[1]
    assert chosen(uids[:100], [5], 100, Random(1)) == list(uids[:100])
    assert chosen(uids, range(1, 9_000), 100, Random(1)) != list(uids)
