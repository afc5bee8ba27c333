"""Killed at every named point, then started again: no mail lost, none doubled, no letter twice (promises.md F1, S2)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.crash.points import IN_DOUBT, KILLED, SENDING, TAKING
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, Office, open_office
from tests.servers.sink import Sink, running_sink
from tests.servers.writing import access, fresh_id, letter

import inboxbot
from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import CaseState, DraftState, PromiseStatus
from inboxbot.crash import POINTS
from inboxbot.mailbox.workers import ReadingPool

APPROVING = ("approve_in_transaction", "approve_committed")
FILING = ("copy_appended", "copy_committed")
NOTICING = ("notice_in_transaction",)
UPGRADING = ("upgrade_in_transaction",)
PLACING = ("draft_appended", "draft_placed", "draft_removed")  # killed in tests/doors
RUN = (*TAKING, *NOTICING, *SENDING, *FILING)
# Killed between two effects outside, either database is left as it was: there the embedded one stands for both.
AT_A_COMMIT = ("intake_in_transaction", "intake_committed", "notice_in_transaction", "send_claimed", "send_before_dot")
AT_A_COMMIT += ("send_journaled", "send_committed")


class Story:
    """A mailbox with two requests taken, one letter approved, one answered by staff, and one new request waiting."""

    def __init__(self, folder: Path, dovecot: Dovecot, sink: Sink, pool: ReadingPool, database: str) -> None:
        self.dovecot, self.sink, self.pool = dovecot, sink, pool
        self.user = dovecot.new_user()
        self.installation = Installation(
            folder, dovecot.port, sink.port, self.user, dovecot.password, database=database
        )

    def begin(self, office: Office) -> None:
        asked = fresh_id()
        self.dovecot.append(self.user, [access("Anna Berg"), access("Bo Ek", message_id=asked)])
        assert office.once().cases_opened == 2
        self.answer = letter(
            "Re: Mina uppgifter",
            "Hej Bo! Vi återkommer i morgon.",
            sender="Exempel AB <kontakt@example.se>",
            to="Bo Ek <bo.ek@example.org>",
            in_reply_to=asked,
        )

    def go_on(self, office: Office) -> None:
        """Approve Anna's letter, let staff answer Bo from their own program, and let Cia write."""
        anna = next(one for one in office.drafts() if one.recipient == "anna.berg@example.org")
        office.approve(anna.id)
        self.wait()

    def wait(self) -> None:
        self.dovecot.append(self.user, [self.answer], folder="Skickat")
        self.dovecot.append(self.user, [access("Cia Dahl")])

    def check(self, office: Office, point: str) -> None:
        """Every mail is there once, with one case and one letter; Anna got her letter once at most."""
        in_doubt = point in IN_DOUBT
        uids = [
            row[0]
            for row in office.rows(
                "SELECT uid FROM ledger JOIN folders ON folders.id = folder_id WHERE role = 'inbox' ORDER BY uid"
            )
        ]
        assert uids == [1, 2, 3]
        cases = {one.requester: one for one in office.cases()}
        assert sorted(str(one) for one in cases) == [
            "anna.berg@example.org",
            "bo.ek@example.org",
            "cia.dahl@example.org",
        ]
        assert len(office.cases()) == 3
        assert sorted(one.reference[-4:] for one in cases.values()) == ["0001", "0002", "0003"]
        drafts = {one.recipient: one for one in office.drafts()}
        assert len(office.drafts()) == 3
        assert drafts["cia.dahl@example.org"].state is DraftState.PROPOSED
        assert drafts["bo.ek@example.org"].state is DraftState.SUPERSEDED
        told = "SELECT count(*) FROM mails WHERE direction = 'out' AND subject = 'Re: Mina uppgifter'"
        assert office.rows(told) == [(1,)], "the answer of staff is noticed once"
        sent = drafts["anna.berg@example.org"]
        arrived = [["anna.berg@example.org"]] if point != "send_before_dot" else []
        assert [one.recipients for one in self.sink.box] == arrived
        assert sent.state is (DraftState.UNKNOWN if in_doubt else DraftState.SENT)
        status = promise_status(cases["anna.berg@example.org"].promises, office.clock())[0]
        assert status is (PromiseStatus.RUNNING if in_doubt else PromiseStatus.MET)
        assert promise_status(cases["bo.ek@example.org"].promises, office.clock())[0] is PromiseStatus.MET
        filed = self.dovecot.state(self.user, "Skickat")[0]
        assert filed == 1 + (not in_doubt), "staff's own answer, and one copy of what was sent"
        self.check_history(office)

    def check_history(self, office: Office) -> None:
        for case in office.cases():
            events = Counter(office.events(case.reference))
            assert events["request_recognised"] == 1
            assert events["draft_created"] == 1
            assert events["letter_sent"] <= 1


@pytest.fixture
def story(tmp_path: Path, dovecot: Dovecot, pool: ReadingPool, database: str) -> Iterator[tuple[Story, Office]]:
    with ExitStack() as stack:
        sink = stack.enter_context(running_sink())
        told = Story(tmp_path, dovecot, sink, pool, database)
        office = stack.enter_context(open_office(told.installation, pool=pool))
        told.begin(office)
        yield told, office


def kill_at(story: Story, point: str, *command: str) -> None:
    """Run a command that dies at a point, as if killed."""
    log = story.installation.folder / "reached"
    story.installation.environment = {"INBOXBOT_CRASH_AT": point, "INBOXBOT_CRASH_LOG": str(log)}
    done = story.installation.run(*command, check=False)
    assert done.returncode == KILLED, f"{point} was not reached: {log.read_text() if log.exists() else ''}{done.stderr}"
    story.installation.environment = {}


@pytest.mark.parametrize(
    ("point", "database"),
    [*((point, "sqlite") for point in RUN), *((point, "postgresql") for point in AT_A_COMMIT)],
    indirect=["database"],
)
def test_once_killed_and_started_again(story: tuple[Story, Office], point: str) -> None:
    """F1."""
    told, office = story
    told.go_on(office)

    kill_at(told, point, "once")

    office.once()
    office.clock.advance(minutes=6)  # a letter that certainly did not leave waits five minutes
    office.once()
    told.check(office, point)
    assert office.once().taken == 0


@pytest.mark.parametrize("point", APPROVING)
def test_an_approval_killed_counts_wholly_or_not_at_all(story: tuple[Story, Office], point: str) -> None:
    """F1, F104."""
    told, office = story
    anna = next(one for one in office.drafts() if one.recipient == "anna.berg@example.org")

    kill_at(told, point, "drafts", "approve", str(anna.id), "--by", "Eva Ek")

    state = office.draft(anna.id).state
    assert state is (DraftState.APPROVED if point == "approve_committed" else DraftState.PROPOSED)
    if state is DraftState.PROPOSED:
        assert office.rows("SELECT count(*) FROM approvals") == [(0,)]
        office.approve(anna.id)
    told.wait()
    office.once()
    told.check(office, point)


@pytest.mark.parametrize("point", UPGRADING)
def test_a_first_start_killed_in_its_migration_starts_anew(
    tmp_path: Path, dovecot: Dovecot, database: str, point: str
) -> None:
    """F1, F84."""
    with running_sink() as sink:
        user = dovecot.new_user()
        dovecot.append(user, [access("Anna Berg")])
        installation = Installation(
            tmp_path,
            dovecot.port,
            sink.port,
            user,
            dovecot.password,
            database=database,
            environment={"INBOXBOT_CRASH_AT": point},
        )
        assert installation.run("once", check=False).returncode == KILLED
        installation.environment = {}
        assert installation.json("once")["cases_opened"] == 1
        ((case),) = installation.json("cases", "list")
        assert case["state"] == CaseState.OPEN.value


def test_every_named_point_is_in_the_code_and_some_test_kills_there() -> None:
    source, tests = Path(inboxbot.__file__).parent, Path(__file__).parents[1]
    found = {
        name
        for file in source.rglob("*.py")
        for name in re.findall(r'(?<!def )\bcrash_here\("(\w+)"\)', file.read_text(encoding="utf-8"))
    }
    assert found == set(POINTS)
    elsewhere = found - {*RUN, *APPROVING, *UPGRADING}
    others = "".join(file.read_text(encoding="utf-8") for file in tests.rglob("test_*.py") if file != Path(__file__))
    assert {name for name in elsewhere if f'"{name}' not in others} == set()
