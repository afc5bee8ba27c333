"""Opening cases: many in one batch, each with its requests, promise, history and first answer."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, insert

from inboxbot.cases.identity import Evidence
from inboxbot.cases.legal_date import legal_date
from inboxbot.cases.promise import new_promise
from inboxbot.cases.references import make_message_id, make_reference
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import Case, CaseState, DraftState, Request
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import DAEMON, Actor, Desk
from inboxbot.desk.drafting import Occasion, try_draft
from inboxbot.desk.events import events_of_opening
from inboxbot.reading.values import Address
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import save_cases
from inboxbot.store.events import Event, save_events
from inboxbot.store.history import history_row
from inboxbot.store.mails import save_mails
from inboxbot.store.numbers import Numbers
from inboxbot.store.queue import urgent_moment
from inboxbot.store.tables import drafts, history, promises, requests

MAX_SUBJECT = 300


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a case is opened with. ``language`` may be ``und``: the company's language is used then.

    ``greeting`` is the given name the mail was signed with, or "".
    """

    event: CaseEvent
    state: CaseState
    reason: str
    requester: Address | None
    requester_source: str
    kinds: tuple[Kind, ...]
    language: str
    subject: str
    message_id: str | None
    references: tuple[str, ...]
    greeting: str
    received_at: dt.datetime
    flags: frozenset[str] = frozenset()
    reminder: bool = False
    promised: bool = True
    drafts: bool = True
    actor: Actor = DAEMON
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that was opened, and how many letters were drafted (0 or 1)."""

    id: int
    reference: str
    state: CaseState
    drafted: int


def new_request(request_id: int, kind: Kind, received_at: dt.datetime, served: Served) -> Request:
    """Return a request with its legal date; ``other`` has none. Both dates are the same until something pauses."""
    due = legal_date(received_at, served.company.zone).due_on if kind.is_right else None
    return Request(request_id, kind, received_at, due, due)


def request_row(case_id: int, request: Request) -> dict[str, Any]:
    """Return the row of a new request."""
    return {
        "id": request.id,
        "case_id": case_id,
        "kind": request.kind.value,
        "received_at": request.received_at,
        "due_hard": request.due_hard,
        "due_paused": request.due_paused,
    }


def our_message_id(desk: Desk, case_id: int, served: Served) -> str:
    """Return a Message-ID for a new letter of a case, with its unguessable token."""
    nonce = secrets.token_hex(6)
    return make_message_id(desk.secret, case_id, nonce, served.mailbox.address.partition("@")[2])


class Openings:
    """The cases that one transaction opens; rows are gathered and written by the flushes."""

    def __init__(self, desk: Desk, served: Served, connection: Connection, now: dt.datetime) -> None:
        self.desk, self.served, self.connection, self.now = desk, served, connection, now
        self.numbers = Numbers(connection)
        self._cases: list[dict[str, Any]] = []
        self._mails: list[dict[str, Any]] = []
        self._requests: list[dict[str, Any]] = []
        self._promises: list[dict[str, Any]] = []
        self._history: list[dict[str, Any]] = []
        self._drafts: list[dict[str, Any]] = []
        self._events: list[Event] = []

    def open(self, new: NewCase, *, mail_row: dict[str, Any]) -> Opened:
        """Gather a new case with its mail, requests, promise, history and (if it may have one) its first answer.

        When no letter can be drafted the case is held for a person with that reason; nothing is lost.
        """
        case = self._case(new)
        letter = self._letter(case, new) if new.drafts and new.requester is not None else None
        if letter is None and new.drafts and new.requester is not None and new.actor is DAEMON:
            new = replace(new, event=CaseEvent.HELD_FOR_PERSON, state=CaseState.HELD, reason="no_letter_drafted")
            case = replace(case, state=new.state, held_reason=new.reason)
        self._cases.append(self._case_row(case, new))
        self._events += events_of_opening(self.desk, self.served.company, case, now=self.now)
        mail_id = self.numbers.row_id("mails")
        self._mails.append({**mail_row, "id": mail_id, "case_id": case.id})
        self._requests += [request_row(case.id, request) for request in case.requests]
        if case.promises:
            self._promises.append(
                {
                    "id": self.numbers.row_id("promises"),
                    "case_id": case.id,
                    "mail_id": mail_id,
                    "received_at": case.promises[0].received_at,
                    "due_at": case.promises[0].due_at,
                }
            )
        opened = {"reason": new.reason, "kinds": ",".join(kind.value for kind in new.kinds), "mail": mail_id}
        last = self._enter(case.id, 1, None, new.event, new.actor, opened)
        if letter is None:
            return Opened(case.id, case.reference, case.state, 0)
        draft_id = self.numbers.row_id("drafts")
        message_id = our_message_id(self.desk, case.id, self.served)
        self._drafts.append(draft_row(letter, draft_id, case.id, message_id, now=self.now))
        detail = {"draft": draft_id, "template": letter["template"]}
        self._enter(case.id, 2, last, CaseEvent.DRAFT_CREATED, DAEMON, detail)
        return Opened(case.id, case.reference, case.state, 1)

    def flush_cases(self) -> None:
        """Write the cases."""
        save_cases(self.connection, self._cases)
        self._cases = []

    def flush_rest(self) -> None:
        """Write everything that points at cases and ledger rows, and give unused numbers back."""
        save_mails(self.connection, self._mails)
        for table, rows in (
            (requests, self._requests),
            (promises, self._promises),
            (history, self._history),
            (drafts, self._drafts),
        ):
            if rows:
                self.connection.execute(insert(table), list(rows))
                rows.clear()
        save_events(self.connection, self._events)
        self._mails, self._events = [], []
        self.numbers.give_back()

    def _case(self, new: NewCase) -> Case:
        case_id = self.numbers.row_id("cases")
        company = self.served.company
        year = self.now.astimezone(company.zone).year
        reference = make_reference(company.prefix, year, self.numbers.case_number(company.prefix, year))
        asked = tuple(
            new_request(self.numbers.row_id("requests"), kind, new.received_at, self.served) for kind in new.kinds
        )
        hours = self.served.mailbox.promise_hours
        promised = (new_promise(new.received_at, hours),) if hours and new.promised else ()
        return Case(
            id=case_id,
            reference=reference,
            company=company.name,
            mailbox=self.served.mailbox.address,
            state=new.state,
            requester=new.requester.address if new.requester else None,
            requester_name=new.requester.name if new.requester else "",
            language=new.language if new.language != "und" else company.language,
            subject=new.subject[:MAX_SUBJECT],
            opened_at=self.now,
            version=1,
            held_reason=new.reason if new.state is CaseState.HELD else None,
            requests=asked,
            promises=promised,
        )

    def _case_row(self, case: Case, new: NewCase) -> dict[str, Any]:
        return {
            "id": case.id,
            "reference": case.reference,
            "mailbox_id": self.served.id,
            "state": case.state.value,
            "requester": case.requester,
            "requester_name": case.requester_name,
            "requester_source": new.requester_source,
            "language": case.language,
            "subject": case.subject,
            "nonce": secrets.token_hex(8),
            "opened_at": self.now,
            "look_at": first_look(case),
            "answer_due_at": min((one.due_at for one in case.promises), default=None),
            "urgent_at": urgent_moment(case),
            "held_reason": case.held_reason,
            "version": 1,
        }

    def _enter(
        self, case_id: int, sequence: int, previous: str | None, event: str, actor: Actor, detail: dict[str, Any]
    ) -> str:
        row = history_row(
            row_id=self.numbers.row_id("history"),
            previous=previous,
            case_id=case_id,
            sequence=sequence,
            at=self.now,
            event=event,
            actor=actor.name,
            door=actor.door,
            detail=detail,
        )
        self._history.append(row)
        return str(row["hash"])

    def _letter(self, case: Case, new: NewCase) -> dict[str, Any] | None:
        occasion = Occasion(
            received_at=new.received_at,
            message_id=new.message_id,
            references=new.references,
            flags=new.flags,
            reminder=new.reminder,
            greeting=new.greeting,
            evidence=new.evidence,
        )
        return try_draft(self.served, case, occasion)


def draft_row(
    letter: dict[str, Any], draft_id: int, case_id: int, message_id: str, *, now: dt.datetime
) -> dict[str, Any]:
    """Return the row of a proposed letter."""
    return {
        **letter,
        "id": draft_id,
        "case_id": case_id,
        "state": DraftState.PROPOSED.value,
        "message_id": message_id,
        "created_at": now,
        "attempts": 0,
        "version": 1,
    }


def first_look(case: Case) -> dt.datetime | None:
    """Return the next moment to look at a case: the earliest promise or legal date (its midnight, UTC)."""
    moments = [one.due_at for one in case.promises if one.answered_at is None and one.excused is None]
    moments += [
        dt.datetime.combine(one.due_hard, dt.time(), dt.UTC)
        for one in case.requests
        if one.due_hard and not one.outcome
    ]
    return min(moments, default=None)
