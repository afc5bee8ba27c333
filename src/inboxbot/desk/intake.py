"""Taking mail: ledger entry, case, history, promise and draft of many mails in ONE transaction.

Every message of the batch ends as exactly one ledger row, whatever it is; running the same batch again changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection

from inboxbot.cases.authentication import authenticated
from inboxbot.cases.disposition import Action, Disposition, MailFacts, decide, facts_of
from inboxbot.cases.promise import excuse_rule
from inboxbot.cases.references import NO_CASE, token_of
from inboxbot.cases.threading import Match, match
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import CaseState, LedgerState
from inboxbot.crash import crash_here
from inboxbot.desk.arrivals import UNSEEN, Arrival, Served, Tally, detail_of
from inboxbot.desk.context import DAEMON, Desk
from inboxbot.desk.followup import Followup, append_mail
from inboxbot.desk.opening import NewCase, Openings
from inboxbot.desk.requester import Requester, evidence_of, greeting_of, requester_of
from inboxbot.desk.threads import load_threads, marks_of
from inboxbot.logs import get_logger
from inboxbot.reading.values import Mail, SegmentKind
from inboxbot.sorting.kinds import Kind
from inboxbot.sorting.values import Verdict
from inboxbot.store.ledger import Before, displace, known_entries, same_mails, save_ledger
from inboxbot.store.mails import lies_in_sent, mail_row, save_mails

log = get_logger()
_NO_THREAD = Match(None, None, belongs=False, reason="no_thread")


def take(desk: Desk, served: Served, arrivals: Sequence[Arrival], *, now: dt.datetime) -> Tally:
    """Write a batch of arrivals and return what became of them; an error leaves the database as it was."""
    with desk.store.write() as connection:
        fresh = _fresh(connection, arrivals)
        tally = _Batch(desk, served, connection, now).run(fresh)
        crash_here("intake_in_transaction")
    crash_here("intake_committed")
    return tally


def _fresh(connection: Connection, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return the arrivals that have no entry. Where a UID was used twice, the entry of the first message steps aside.

    Messages that could not be looked at tell nothing about who lies under their UID.
    """
    known = known_entries(connection, [(one.folder_id, one.uidvalidity, one.uid) for one in arrivals])
    fresh: list[Arrival] = []
    for one in arrivals:
        row_id, digest = known.get((one.folder_id, one.uidvalidity, one.uid), (None, ""))
        if row_id is not None:
            if not one.header or digest == one.digest or digest.startswith(UNSEEN):
                continue
            log.warning("uid_used_twice", folder=one.folder_id, uid=one.uid, before=row_id)
            displace(connection, [row_id])
        fresh.append(one)
    return fresh


class _Batch:
    """One batch inside its transaction."""

    def __init__(self, desk: Desk, served: Served, connection: Connection, now: dt.datetime) -> None:
        self.desk, self.served, self.connection, self.now = desk, served, connection, now
        self.tally = Tally()
        self.ledger: list[dict[str, Any]] = []
        self.loose_mails: list[dict[str, Any]] = []
        self.openings = Openings(desk, served, connection, now)
        self.our_addresses = frozenset(
            address for _, mailbox in desk.settings.mailboxes() for address in (mailbox.address, *mailbox.aliases)
        )

    def run(self, arrivals: Sequence[Arrival]) -> Tally:
        marks = {one.uid: marks_of(one.mail, self.desk.secret) for one in arrivals if one.mail}
        self.threads = load_threads(self.connection, self.served.company_ids, list(marks.values()))
        self.seen = same_mails(self.connection, self.served.id, [one.digest for one in arrivals])
        for arrival in arrivals:
            self._take_one(arrival)
        self._flush()
        return self.tally

    def _take_one(self, arrival: Arrival) -> None:
        ledger_id = self.openings.numbers.row_id("ledger")
        if arrival.vanished:
            self._note(arrival, ledger_id, LedgerState.IGNORED, "vanished_before_fetch", None)
            return
        before = self.seen.get((arrival.digest, arrival.size))
        if before is not None and not (before.reason == "junk" and not arrival.junk):
            again = LedgerState.FOLLOWUP if before.case_id else LedgerState(before.state)
            self._note(arrival, ledger_id, again, "same_mail", before.case_id)
            return
        unknown = Requester(None, "from", arrival.fault)
        requester = requester_of(arrival.mail, self.served.company, self.served.mailbox) if arrival.mail else unknown
        if arrival.mail is None or arrival.verdict is None:
            facts = MailFacts(before_start=arrival.before_start, unreadable=arrival.fault or "not_read")
            self._act(arrival, ledger_id, decide(facts), requester, _NO_THREAD)
            return
        found, facts = self._facts(arrival, arrival.mail, arrival.verdict, requester)
        self._act(arrival, ledger_id, decide(facts), requester, found)

    def _facts(self, arrival: Arrival, mail: Mail, verdict: Verdict, requester: Requester) -> tuple[Match, MailFacts]:
        marks = marks_of(mail, self.desk.secret)
        candidates = self.threads.candidates(marks)
        sender = mail.sender.address if mail.sender else None
        is_staff = sender is not None and sender in self.served.company.staff_addresses
        address = requester.address.address if requester.address else sender
        found = match(address, candidates, is_staff=is_staff and requester.source != "forward")
        bounced = self._bounced_case(mail) if verdict.robot == "bounce" else None
        if bounced is not None:
            state = self.threads.states[bounced]
            found = Match(bounced, "token", belongs=True, reason="thread_token", state=state)
        ours = sender in self.our_addresses
        facts = facts_of(
            mail,
            verdict,
            found,
            our_addresses=self.our_addresses,
            is_staff=is_staff,
            own_token=self._is_own(mail, ours=ours, robot=verdict.robot is not None),
            own_proved=ours and self._is_proved(mail, sender),
            web_form=requester.web_form,
            sender_fault=requester.fault,
            bounce_of=self.threads.states[bounced] if bounced is not None else None,
            junk=arrival.junk,
            before_start=arrival.before_start,
            promise=self.served.mailbox.promise_hours is not None,
        )
        return found, facts

    def _is_own(self, mail: Mail, *, ours: bool, robot: bool) -> bool:
        """Whether inboxbot or staff sent this mail, or a machine sends back an alarm of ours (promises.md C75, S7)."""
        token = token_of(self.desk.secret, mail.message_id) if mail.message_id else None
        if token == NO_CASE or (ours and token is not None):
            return True
        if ours and mail.message_id and lies_in_sent(self.connection, self.served.company_ids, mail.message_id):
            return True
        ids = mail.report.original_ids if mail.report else (*mail.in_reply_to, *mail.references)
        return robot and any(token_of(self.desk.secret, one) == NO_CASE for one in ids)

    def _is_proved(self, mail: Mail, sender: str | None) -> bool:
        box = self.served.mailbox
        return bool(sender) and bool(authenticated(mail.headers, sender or "", box.authserv_id, box.trusted_received))

    def _bounced_case(self, mail: Mail) -> int | None:
        ids = mail.report.original_ids if mail.report else (*mail.in_reply_to, *mail.references)
        tokens = (token_of(self.desk.secret, one) for one in ids)
        named = (self.threads.merged.get(one, one) for one in tokens if one is not None)
        return next((one for one in named if one in self.threads.states), None)

    def _act(self, arrival: Arrival, ledger_id: int, decided: Disposition, requester: Requester, found: Match) -> None:
        if decided.action is Action.LEAVE:
            self._leave(arrival, ledger_id, decided)
        elif decided.action is Action.APPEND and found.case_id is not None and arrival.mail and arrival.verdict:
            if decided.event is CaseEvent.ANSWERED and not self._reaches_requester(arrival.mail, found.case_id):
                # Colleagues talking about a case in its thread: the requester got nothing, so no promise is met.
                decided = replace(decided, event=CaseEvent.NOTED, reason="staff_wrote_inside")
            self._append(arrival, arrival.mail, arrival.verdict, ledger_id, decided, found.case_id)
        else:
            self._open(arrival, ledger_id, decided, requester)

    def _reaches_requester(self, mail: Mail, case_id: int) -> bool:
        known = self.threads.addresses.get(case_id, frozenset())
        return any(one.address in known for one in (*mail.to, *mail.cc))

    def _leave(self, arrival: Arrival, ledger_id: int, decided: Disposition) -> None:
        self._note(arrival, ledger_id, decided.ledger, decided.reason, None)
        if decided.ledger is LedgerState.ORDINARY and arrival.mail and arrival.verdict:
            self.loose_mails.append(self._mail_row(arrival, ledger_id, None))

    def _open(self, arrival: Arrival, ledger_id: int, decided: Disposition, requester: Requester) -> None:
        verdict, mail = arrival.verdict, arrival.mail
        case = self.openings.open(
            NewCase(
                event=decided.event or CaseEvent.HELD_FOR_PERSON,
                state=decided.case_state or CaseState.HELD,
                reason=decided.reason,
                requester=requester.address,
                requester_source=requester.source,
                kinds=verdict.kinds if verdict else (Kind.OTHER,),
                language=verdict.language if verdict else "und",
                subject=mail.subject if mail else "",
                message_id=mail.message_id if mail else None,
                references=mail.references if mail else (),
                greeting=greeting_of(mail, requester.address),
                received_at=arrival.received_at,
                flags=verdict.flags if verdict else frozenset(),
                reminder=bool(verdict and verdict.reminder),
                promised=decided.promised,
                drafts=decided.drafts,
                evidence=evidence_of(
                    mail, requester.address, self.served.mailbox, verdict.flags if verdict else frozenset()
                ),
            ),
            mail_row=self._mail_row(arrival, ledger_id, None),
        )
        self.tally.drafts += case.drafted
        kept = decided.ledger if case.state is decided.case_state else LedgerState.HELD
        self._note(arrival, ledger_id, kept, decided.reason, case.id)
        self.threads.note_case(
            case.id,
            case.reference,
            case.state,
            [requester.address.address] if requester.address else [],
        )
        self.threads.note_mail(case.id, mail.message_id if mail else None)

    def _append(
        self, arrival: Arrival, mail: Mail, verdict: Verdict, ledger_id: int, decided: Disposition, case_id: int
    ) -> None:
        self._flush()
        self._note(arrival, ledger_id, decided.ledger, decided.reason, case_id)
        self._flush()
        result = append_mail(
            self.desk,
            self.served,
            self.connection,
            Followup(
                case_id=case_id,
                event=decided.event or CaseEvent.REQUESTER_WROTE,
                mail=mail,
                verdict=verdict,
                received_at=arrival.received_at,
                promised=decided.promised,
                drafts=decided.drafts,
                excuse=excuse_rule(mail.words(SegmentKind.NEW)) if not mail.attachments else None,
            ),
            row=self._mail_row(arrival, ledger_id, case_id),
            now=self.now,
            actor=DAEMON,
        )
        self.tally.drafts += result.drafted
        self.threads.states[case_id] = result.state
        self.threads.note_mail(case_id, mail.message_id)

    def _mail_row(self, arrival: Arrival, ledger_id: int, case_id: int | None) -> dict[str, Any]:
        mail, verdict = arrival.mail, arrival.verdict
        who = requester_of(mail, self.served.company, self.served.mailbox).address if mail else None
        shown = evidence_of(mail, who, self.served.mailbox, verdict.flags if verdict else frozenset())
        return mail_row(
            case_id=case_id,
            ledger_id=ledger_id,
            mailbox_id=self.served.id,
            direction="in",
            message_id=mail.message_id if mail else None,
            sender=mail.sender if mail else None,
            recipients=[one.address for one in (*mail.to, *mail.cc)] if mail else [],
            subject=mail.subject if mail else "",
            text=mail.text if mail else "",
            header=arrival.header,
            detail={
                **(detail_of(mail, verdict) if mail and verdict else {"fault": arrival.fault}),
                "received_note": arrival.received_note,
                "identity": asdict(shown),
            },
            received_at=arrival.received_at,
            size=arrival.size,
        )

    def _note(self, arrival: Arrival, ledger_id: int, state: LedgerState, reason: str, case_id: int | None) -> None:
        self.ledger.append(
            {
                "id": ledger_id,
                "folder_id": arrival.folder_id,
                "uidvalidity": arrival.uidvalidity,
                "uid": arrival.uid,
                "digest": arrival.digest,
                "size": arrival.size,
                "received_at": arrival.received_at,
                "fetched_at": arrival.fetched_at,
                "state": state.value,
                "reason": reason,
                "case_id": case_id,
            }
        )
        self.tally.count(state)
        if case_id is not None or (arrival.digest, arrival.size) not in self.seen:
            # A copy later in this very batch is the same mail.
            self.seen[arrival.digest, arrival.size] = Before(state.value, reason, case_id)

    def _flush(self) -> None:
        """Write what is gathered: cases first, for ledger and mail rows point at them."""
        self.openings.flush_cases()
        save_ledger(self.connection, self.ledger)
        self.ledger = []
        self.openings.flush_rest()
        save_mails(self.connection, self.loose_mails)
        self.loose_mails = []
