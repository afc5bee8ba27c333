"""Everything that people, servers and kills do, in any order; a model keeps the truth and the audit is the invariant.

The mailbox is the model of `test_folder_model.py`; here come letters, an SMTP server with faults, cuts, kills at the
crash points (in a forked child) and restarts. `make fuzz` tries more of them.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import re
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from tests.crash.points import IN_DOUBT, KILLED, SENDING, TAKING
from tests.daemon.test_folder_model import Mailbox, go_round
from tests.longer import more
from tests.servers.folder_model import ModelServer
from tests.servers.installation import Clock, Installation, Office, open_office
from tests.servers.offices import fresh_database
from tests.servers.scripted_smtp import DROP, Script, scripted_smtp
from tests.servers.writing import bounce_of, letter

from inboxbot.cases.values import DraftState
from inboxbot.daemon.auditing import look
from inboxbot.desk.alarms import raise_due
from inboxbot.desk.approve import call_back, decline
from inboxbot.desk.audit import audit
from inboxbot.desk.context import Actor
from inboxbot.desk.edit import edit
from inboxbot.errors import InboxbotError, MailboxError
from inboxbot.mailbox.faults import UnreachableError
from inboxbot.mailbox.fetching import Fetched, Missing, Refused
from inboxbot.outbox.smtp import Limits

EXAMPLES = more(3)
EVA = Actor("Eva Ek", "terminal")
QUICK = Limits(connect_s=5, command_s=5, final_s=5)
NO_LIMITS = "[limits]\n" + "".join(
    f"{name} = 100000\n"
    for name in ("per_hour", "per_recipient_per_day", "stop_after_failures", "stop_after_over_hour")
)
CHANCE = random.Random(1)
FAULTS = ({"rcpt": "450 later"}, {"data": DROP}, {"dot": DROP}, {"quit": DROP}, {"banner": DROP})


@dataclass
class Cut(ModelServer):
    """A server whose connection is lost after so many messages."""

    after: int = 0

    def fetch(self, uids: Sequence[int]) -> Iterator[Fetched | Missing | Refused]:
        for number, one in enumerate(super().fetch(uids)):
            if number >= self.after:
                raise UnreachableError("cut")
            yield one
        if len(uids) <= self.after:
            return
        raise UnreachableError("cut")


class House(Mailbox):
    """A mailbox with everything that is done with letters, and with whatever kills the program."""

    database = "sqlite"

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.smtp = self._stack.enter_context(scripted_smtp(Script()))
        self.clock = Clock()
        self.place: Installation | None = None
        self.doubted = 0
        super().__init__()

    def opened(self, folder: Path) -> AbstractContextManager[Office]:
        self.place = self.place or Installation(
            folder,
            9,
            self.smtp.port,
            "kontakt",
            "hemligt",
            start="now",
            database=fresh_database(self.database),
            top_lines=NO_LIMITS,
        )
        return open_office(self.place, clock=self.clock)

    def _start(self) -> None:
        self._open = self.opened(Path(self._folder.name))
        self.office = self._open.__enter__()

    def teardown(self) -> None:
        try:
            self._end_in_peace()
        finally:
            self._stack.close()
            super().teardown()

    @initialize(count=st.integers(0, 3))
    def first_look(self, count: int) -> None:
        """After the silent first look two people write, and one letter is approved."""
        super().first_look(count)
        for _ in range(2):
            self.server.inbox.add(self.fresh())
        self.round()
        self.office.approve(self.office.drafts()[0].id)

    # --- people ------------------------------------------------------------------------------------------------------

    @rule(data=st.data(), everything=st.booleans())
    def approve(self, data: st.DataObject, everything: bool) -> None:
        chosen = self._letter(data, DraftState.PROPOSED)
        for one in [draft.id for draft in self.office.drafts(DraftState.PROPOSED)] if everything else [chosen]:
            with suppress(InboxbotError):  # blocked by its check
                self.office.approve(one)

    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        one = self._letter(data, DraftState.PROPOSED, DraftState.APPROVED)
        body = f"{self.office.draft(one).body}\nEn rad till."
        edit(self.office.desk, one, actor=EVA, now=self.clock(), body=body)

    @rule(data=st.data(), back=st.booleans())
    def let_be(self, data: st.DataObject, back: bool) -> None:
        one = self._letter(data, DraftState.APPROVED if back else DraftState.PROPOSED)
        (call_back if back else decline)(self.office.desk, one, actor=EVA, now=self.clock())

    @rule(data=st.data())
    def requester_writes_again(self, data: st.DataObject) -> None:
        asked = [one for one in self._lying() if b"\r\nIn-Reply-To" not in one]
        assume(asked)
        told = re.search(rb"Message-ID: (<.+>)", data.draw(st.sampled_from(asked)))
        assert told is not None
        self.number += 1
        self.settled = False
        self.server.inbox.add(
            letter(
                "Re: Mina uppgifter",
                "Hej igen, jag undrar hur det går.",
                in_reply_to=told[1].decode(),
                message_id=f"<{self.number}@mail.example.org>",
            )
        )

    @rule(data=st.data())
    def a_letter_bounces(self, data: st.DataObject) -> None:
        draft = self.office.draft(self._letter(data, DraftState.SENT))
        self.settled = False
        self.server.inbox.add(bounce_of(draft.message_id, str(draft.recipient)))

    # --- the program, and what happens to it -------------------------------------------------------------------------

    @rule(fault=st.sampled_from([{}, {}, *FAULTS]), minutes=st.sampled_from([0, 6, 61]))
    def send(self, fault: dict[str, str], minutes: int) -> None:
        self.clock.advance(minutes=minutes)
        for step, value in fault.items():
            setattr(self.smtp, step, value)
        waiting = len(self.office.drafts(DraftState.UNKNOWN))
        self.office.send(QUICK)
        self.smtp.__dict__.update({step: getattr(Script(), step) for step in fault})
        if fault.get("dot") == DROP:
            self.doubted += len(self.office.drafts(DraftState.UNKNOWN)) - waiting

    @rule(hours=st.integers(1, 40))
    def tick(self, hours: int) -> None:
        """Time passes, and the daemon does all it has to do."""
        self.clock.advance(hours=hours)
        self.round()
        self.office.send(QUICK)

    @rule()
    def restart(self) -> None:
        self._open.__exit__(None, None, None)
        self._start()

    @rule(after=st.integers(0, 2))
    def cut(self, after: int) -> None:
        """The connection is lost in the midst of a round."""
        server = Cut(self.server.at, self.server.inbox, self.server.junk, after=after)
        with suppress(MailboxError):
            go_round(self.office, server)

    @rule(point=st.sampled_from(TAKING))
    def killed_in_a_round(self, point: str) -> None:
        self._die(point, lambda office: go_round(office, self.server))

    @precondition(lambda self: self.office.drafts(DraftState.APPROVED))
    @rule(point=st.sampled_from(SENDING))
    def killed_while_sending(self, point: str) -> None:
        died = self._die(point, lambda office: office.send(QUICK))
        self.doubted += died and point in IN_DOUBT

    def _die(self, point: str, work: Callable[[Office], object]) -> bool:
        """Do something in a child that is killed at a point, should it come there; return whether it was."""
        self._open.__exit__(None, None, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the other threads only wait for connections
            child = os.fork()
        if child == 0:
            code = 1
            try:
                os.environ["INBOXBOT_CRASH_AT"] = point
                with self.opened(Path(self._folder.name)) as office:
                    work(office)
                code = 0
            except BaseException:  # noqa: BLE001  (told by the exit code)
                traceback.print_exc()
            finally:
                os._exit(code)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self._start()
        self.settled = False
        assert ended in {0, KILLED}
        return ended == KILLED

    def _letter(self, data: st.DataObject, *states: DraftState) -> int:
        found = sorted(one.id for one in self.office.drafts(*states))
        assume(found)
        return data.draw(st.sampled_from(found))

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def the_audit_is_clean(self) -> None:
        desk = self.office.desk
        raise_due(desk, now=self.clock())  # the daemon does it every minute
        shown = look(desk, self.office.served(), self.server, most=1000, chance=CHANCE) if self.settled else []
        told = audit(desk, shown, now=self.clock(), delay=dt.timedelta(), chance=CHANCE)
        assert told["findings"] == []

    @invariant()
    def nobody_gets_a_letter_twice_and_none_without_approval(self) -> None:
        taken = Counter(_message_id(one) for one in self.smtp.taken)
        assert [one for one, times in taken.items() if times > 1] == []
        approved = self.office.rows("SELECT message_id FROM drafts JOIN approvals ON draft_id = drafts.id")
        assert set(taken) <= {row[0] for row in approved}
        assert len(self.office.drafts(DraftState.UNKNOWN)) <= self.doubted

    def _end_in_peace(self) -> None:
        """With nothing going wrong any more, everything comes to its end."""
        self.round()
        for _ in range(3):
            self.clock.advance(minutes=61)
            self.office.send(QUICK)
        assert self.office.drafts(DraftState.APPROVED, DraftState.TRANSMITTING) == []
        self.after_a_whole_round_every_message_is_accounted_for()


def _message_id(message: bytes) -> str:
    found = re.search(rb"(?im)^Message-ID:\s*(<[^>]+>)", message)
    assert found is not None
    return found[1].decode()


class HouseOnPostgreSql(House):
    database = "postgresql"


@pytest.mark.timeout(300 * EXAMPLES)
@pytest.mark.parametrize(("machine", "share"), [(House, 1), (HouseOnPostgreSql, 3)])
def test_f1_f2_f10_f12_f30_f59_whatever_happens_in_whatever_order(machine: type[House], share: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, EXAMPLES // share),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
