"""Whatever servers and people do to a folder, every message has one entry per place and at most one case."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.longer import more
from tests.servers.folder_model import Key, ModelFolder, ModelServer, ReadHere
from tests.servers.installation import Clock, Installation, Office, open_office
from tests.servers.writing import access

from inboxbot.daemon.matching import MassChangeError
from inboxbot.daemon.round import Round, serve, take_folder
from inboxbot.desk.arrivals import Tally
from inboxbot.mailbox.workers import Outcome, shipped_judge
from inboxbot.reading.read import raw_of, read_headers
from inboxbot.reading.values import RawMail

JUDGE = shipped_judge()


def identity(message: bytes) -> str:
    mail = read_headers(raw_of(message))
    return str(mail.message_id)


@contextmanager
def office_at(folder: Path, *, start: str = "now") -> Iterator[Office]:
    installation = Installation(folder, 9, 9, "kontakt", "hemligt å lösen", start=start)
    with open_office(installation, clock=Clock()) as office:
        yield office


def go_round(office: Office, server: ModelServer, *, reconcile: bool = True, accept_new: bool = False) -> Tally:
    pool = ReadHere(JUDGE)
    return serve(
        Round(office.desk, office.served(), server, pool, office.clock, reconcile=reconcile, accept_new=accept_new)
    )


def entries(office: Office) -> list[tuple[str, int, int, str]]:
    """Return folder, UIDVALIDITY, UID and digest of every entry that has a place."""
    query = "SELECT f.name, l.uidvalidity, l.uid, l.digest FROM ledger l JOIN folders f ON f.id = l.folder_id"
    return [tuple(row) for row in office.rows(f"{query} WHERE l.uid > 0")]


def cases_of(office: Office) -> Counter[str]:
    """Count the cases of each message."""
    query = "SELECT message_id, case_id FROM mails WHERE case_id IS NOT NULL GROUP BY message_id, case_id"
    return Counter(str(row[0]) for row in office.rows(query))


def digest(message: bytes) -> str:
    return read_headers(raw_of(message)).digest


class Mailbox(RuleBasedStateMachine):
    """The true list of messages, beside what the rounds made of them."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="inboxbot-model-")
        self._open = self.opened(Path(self._folder.name))
        self.office = self._open.__enter__()
        self.server = ModelServer(self.office.clock())
        self.number = 0
        self.before: set[str] = set()
        self.wanted: set[str] = set()
        self.settled = False

    def opened(self, folder: Path) -> AbstractContextManager[Office]:
        return office_at(folder)

    def teardown(self) -> None:
        self._open.__exit__(None, None, None)
        self._folder.cleanup()

    def fresh(self) -> bytes:
        self.number += 1
        self.settled = False
        return access("Anna Berg", message_id=f"<{self.number}@mail.example.org>")

    @initialize(count=st.integers(0, 3))
    def first_look(self, count: int) -> None:
        for _ in range(count):
            self.deliver(junk=False)
        self.before = {identity(one) for one in self.server.inbox.messages.values()}
        self.round()

    @rule(junk=st.booleans())
    def deliver(self, junk: bool) -> None:
        folder = self.server.junk if junk else self.server.inbox
        folder.uidnext += 1  # a number for one that is late
        folder.add(self.fresh())

    @rule(data=st.data())
    def deliver_below_the_mark(self, data: st.DataObject) -> None:
        folder = self.server.inbox
        free = sorted(set(range(1, folder.uidnext)) - set(folder.messages))
        used = {
            uid for name, validity, uid, _ in entries(self.office) if (name, validity) == ("INBOX", folder.uidvalidity)
        }
        late = [uid for uid in free if uid not in used]
        if late:
            folder.messages[data.draw(st.sampled_from(late))] = self.fresh()

    @rule(data=st.data(), copy=st.booleans(), back=st.booleans())
    def move(self, data: st.DataObject, copy: bool, back: bool) -> None:
        here, there = self.server.inbox, self.server.junk
        if back:
            here, there = there, here
        if uid := self._some(data, here):
            there.add(here.messages[uid])
            self.settled = False
            if not copy:
                del here.messages[uid]

    @rule(data=st.data())
    def expunge(self, data: st.DataObject) -> None:
        if uid := self._some(data, self.server.inbox):
            del self.server.inbox.messages[uid]

    @rule(data=st.data())
    def renumber(self, data: st.DataObject) -> None:
        folder = self.server.inbox
        folder.renumber(data.draw(st.permutations(list(folder.messages.values()))))
        self.settled = False

    @rule()
    def wind_back(self) -> None:
        self.server.inbox.wind_back()
        self.settled = False

    @rule(data=st.data())
    def use_a_number_twice(self, data: st.DataObject) -> None:
        if uid := self._some(data, self.server.inbox):
            self.server.inbox.messages[uid] = self.fresh()

    @rule()
    def quick_round(self) -> None:
        go_round(self.office, self.server, reconcile=False)

    @rule()
    def round(self) -> None:
        self.office.clock.advance(hours=2)
        assert go_round(self.office, self.server).errors == []
        self.wanted |= {identity(one) for one in self._lying()} - self.before
        self.settled = True

    def _lying(self) -> list[bytes]:
        return [*self.server.inbox.messages.values(), *self.server.junk.messages.values()]

    def _some(self, data: st.DataObject, folder: ModelFolder) -> int | None:
        return data.draw(st.sampled_from(sorted(folder.messages))) if folder.messages else None

    @invariant()
    def no_message_has_two_cases_or_shares_one_place(self) -> None:
        assert not [one for one, count in cases_of(self.office).items() if count > 1]
        places = [place[:3] for place in entries(self.office)]
        assert len(places) == len(set(places))
        assert not self.before & set(cases_of(self.office))

    @invariant()
    def after_a_whole_round_every_message_is_accounted_for(self) -> None:
        if not self.settled:
            return
        found = {place[:3]: place[3] for place in entries(self.office)}
        for name, folder in (("INBOX", self.server.inbox), ("Junk", self.server.junk)):
            for uid, message in folder.messages.items():
                assert found.get((name, folder.uidvalidity, uid)) == digest(message)
        assert self.wanted <= set(cases_of(self.office))


def test_every_message_has_one_entry_and_at_most_one_case() -> None:
    """F12, F30, F32, F33, F34, F37, F40."""
    run_state_machine_as_test(
        Mailbox,
        settings=settings(
            max_examples=more(15), stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_at(tmp_path) as one:
        yield one


def test_f37_a_mailbox_that_moved_opens_nothing_until_a_person_says_so(office: Office) -> None:
    server = ModelServer(office.clock())
    go_round(office, server)
    served = office.rows("SELECT served_at FROM mailboxes")
    server.inbox.renumber([access(f"Anna {number}") for number in range(60)])
    server.junk.add(access("Bo Ek"))
    told = go_round(office, server)
    assert [(one["where"], one["mailbox"]) for one in told.errors] == [("kontakt@example.se", "kontakt@example.se")]
    assert "60 of its 60 mails look new" in told.errors[0]["what"]
    assert "inboxbot once --accept-new-mails kontakt@example.se" in told.errors[0]["cure"]
    assert [one.requester for one in office.cases()] == ["bo.ek@example.org"]  # the other folder
    assert go_round(office, server).errors == told.errors
    with pytest.raises(MassChangeError):
        take_folder(Round(office.desk, office.served(), server, ReadHere(JUDGE), office.clock), "INBOX", "inbox")
    assert office.rows("SELECT served_at FROM mailboxes") == served

    taken = go_round(office, server, accept_new=True)
    assert (taken.errors, taken.cases_opened + taken.followups + taken.held) == ([], 60)
    assert go_round(office, server).taken == 0


def test_f37_a_mailbox_that_moved_with_all_its_mail_goes_on_as_before(office: Office) -> None:
    server = ModelServer(office.clock())
    go_round(office, server)
    for number in range(60):
        server.inbox.add(access(f"Anna {number}"))
    go_round(office, server)
    before = len(office.ledger())
    server.at += dt.timedelta(days=30)
    server.inbox.renumber(list(server.inbox.messages.values())[::-1])
    server.inbox.add(access("Ny Person"))
    tally = go_round(office, server)
    assert (tally.errors, tally.taken) == ([], 1)
    assert len(office.ledger()) == before + 1  # the entries moved with their messages


def test_a_first_look_that_was_cut_short_by_a_renumbering_stays_silent_about_old_mail(office: Office) -> None:
    """F41."""
    server = ModelServer(office.clock() - dt.timedelta(days=3))
    for number in range(5):
        server.inbox.add(access(f"Anna {number}"))
    go_round(office, server)
    with office.desk.store.write() as connection:  # as if killed before the mark was moved
        connection.exec_driver_sql("UPDATE folders SET baseline_at = NULL, uid_mark = 0, baseline_uid = 6")
        connection.exec_driver_sql("DELETE FROM ledger WHERE uid > 2")
    server.inbox.renumber(list(server.inbox.messages.values()))
    assert go_round(office, server).taken == 0
    assert {one["state"] for one in office.ledger()} == {"baseline"}
    server.inbox.add(access("Ny Person"))
    assert go_round(office, server).cases_opened == 1


def test_f33_a_mail_that_turns_up_below_the_mark_is_taken(office: Office) -> None:
    server = ModelServer(office.clock())
    server.inbox.uidnext = 10
    go_round(office, server)
    server.inbox.add(access("Anna Berg"))
    go_round(office, server)
    server.inbox.messages[4] = access("Sen Post")
    assert go_round(office, server).cases_opened == 1
    assert [one.requester for one in office.cases()] == ["anna.berg@example.org", "sen.post@example.org"]


def test_f34_a_reused_uid_is_a_mail_of_its_own_and_the_first_keeps_its_entry(office: Office) -> None:
    server = ModelServer(office.clock())
    go_round(office, server)
    uid = server.inbox.add(access("Anna Berg"))
    go_round(office, server)
    server.inbox.messages[uid] = access("Berg Anna")
    assert go_round(office, server).taken == 0  # contents are compared once an hour
    office.clock.advance(hours=2)
    assert go_round(office, server).cases_opened == 1
    assert [one["uid"] for one in office.ledger()] == [None, uid]
    assert len(office.cases()) == 2


def test_p7_a_window_without_sight_is_told_with_its_ends(office: Office) -> None:
    server = ModelServer(office.clock())
    go_round(office, server)
    office.clock.advance(hours=23)
    go_round(office, server)
    ((since,),) = office.rows("SELECT served_at FROM mailboxes")
    assert office.rows("SELECT * FROM blind_windows") == []
    office.clock.advance(hours=30)
    go_round(office, server)
    ((until,),) = office.rows("SELECT served_at FROM mailboxes")
    assert office.rows("SELECT since, until FROM blind_windows") == [(since, until)]
    first, last = (dt.datetime.fromisoformat(str(one)) for one in (since, until))
    assert dt.timedelta(hours=30) <= last - first < dt.timedelta(hours=31)


class PutsOff(ReadHere):
    """Puts every second mail off as long as it may."""

    def judge_all(
        self, items: Iterable[tuple[Key, RawMail]], *, later: list[Key] | None = None
    ) -> Iterator[tuple[Key, Outcome]]:
        for number, (key, raw) in enumerate(items):
            if later is not None and number % 2:
                later.append(key)
            else:
                yield from super().judge_all([(key, raw)])


def test_mails_that_were_put_off_are_fetched_again_in_the_same_round(office: Office) -> None:
    server = ModelServer(office.clock())
    go_round(office, server)
    for number in range(7):
        server.inbox.add(access(f"Anna Berg{number}"))
    taken = take_folder(Round(office.desk, office.served(), server, PutsOff(JUDGE), office.clock), "INBOX", "inbox")
    assert (taken.taken, taken.cases_opened) == (7, 7)
    assert sorted(one["uid"] for one in office.ledger()) == list(range(1, 8))
