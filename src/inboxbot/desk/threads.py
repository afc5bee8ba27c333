"""Which cases the mails of one batch may belong to: looked up once, kept true while the batch opens new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from inboxbot.cases.threading import BY_HEADERS, BY_REFERENCE, BY_TOKEN, Candidate, ThreadMarks, thread_marks
from inboxbot.cases.values import CaseState
from inboxbot.reading.values import Mail
from inboxbot.store.cases import addresses_of, chunks
from inboxbot.store.tables import cases, drafts, mails


@dataclass(slots=True)
class Threads:
    """Cases by what mails may name them with; ``note_*`` keeps it true within a batch."""

    by_message_id: dict[str, int] = field(default_factory=dict)
    by_reference: dict[str, int] = field(default_factory=dict)
    states: dict[int, CaseState] = field(default_factory=dict)
    addresses: dict[int, frozenset[str]] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)

    def candidates(self, marks: ThreadMarks) -> list[Candidate]:
        """Return the cases that a mail with these marks may belong to."""
        named = [(self.by_message_id[one], BY_HEADERS) for one in marks.message_ids if one in self.by_message_id]
        tokens = [self.merged.get(one, one) for one in marks.token_cases]
        named += [(one, BY_TOKEN) for one in tokens if one in self.states]
        named += [(self.by_reference[one], BY_REFERENCE) for one in marks.references if one in self.by_reference]
        return [
            Candidate(case_id, self.states[case_id], self.addresses.get(case_id, frozenset()), by)
            for case_id, by in named
        ]

    def note_case(self, case_id: int, reference: str, state: CaseState, addresses: Iterable[str]) -> None:
        """Take a case that this batch opened or changed into account."""
        self.by_reference[reference] = case_id
        self.states[case_id] = state
        self.addresses[case_id] = self.addresses.get(case_id, frozenset()) | frozenset(addresses)

    def note_mail(self, case_id: int, message_id: str | None) -> None:
        """Take a mail that this batch added to a case into account."""
        if message_id:
            self.by_message_id[message_id] = case_id


def marks_of(mail: Mail, secret: bytes) -> ThreadMarks:
    """Return what a mail says about its thread; a delivery report speaks through the ids of what came back."""
    ids = mail.report.original_ids if mail.report else ()
    return thread_marks((*ids, *mail.in_reply_to), mail.references, mail.subject, secret)


def _follow_merges(connection: Connection, threads: Threads, tokens: set[int]) -> None:
    """Let everything that names a case that was merged away name the case it went into."""
    named = sorted({*threads.by_message_id.values(), *threads.by_reference.values(), *tokens})
    for chunk in chunks(named):
        query = select(cases.c.id, cases.c.merged_into).where(cases.c.id.in_(chunk), cases.c.merged_into.is_not(None))
        threads.merged |= {row.id: row.merged_into for row in connection.execute(query)}
    threads.by_message_id = {key: threads.merged.get(one, one) for key, one in threads.by_message_id.items()}
    threads.by_reference = {key: threads.merged.get(one, one) for key, one in threads.by_reference.items()}
    tokens |= set(threads.merged.values())


def load_threads(connection: Connection, mailbox_ids: Sequence[int], marks: Sequence[ThreadMarks]) -> Threads:
    """Return the threads of everything that ``marks`` name, within the mailboxes of one company."""
    threads = Threads()
    ids = sorted({one for mark in marks for one in mark.message_ids})
    for chunk in chunks(ids):
        for table in (mails, drafts):
            query = select(table.c.message_id, table.c.case_id).where(
                table.c.message_id.in_(chunk), table.c.case_id.is_not(None)
            )
            threads.by_message_id |= {row.message_id: row.case_id for row in connection.execute(query)}
    references = sorted({one for mark in marks for one in mark.references})
    for chunk in chunks(references):
        query = select(cases.c.reference, cases.c.id).where(cases.c.reference.in_(chunk))
        threads.by_reference |= {row.reference: row.id for row in connection.execute(query)}
    tokens = {one for mark in marks for one in mark.token_cases}
    _follow_merges(connection, threads, tokens)
    wanted = sorted({*threads.by_message_id.values(), *threads.by_reference.values(), *tokens})
    for chunk in chunks(wanted):
        query = select(cases.c.id, cases.c.state).where(
            cases.c.id.in_(chunk), cases.c.mailbox_id.in_(list(mailbox_ids))
        )
        threads.states |= {row.id: CaseState(row.state) for row in connection.execute(query)}
    threads.addresses = addresses_of(connection, sorted(threads.states))
    threads.by_message_id = {key: one for key, one in threads.by_message_id.items() if one in threads.states}
    threads.by_reference = {key: one for key, one in threads.by_reference.items() if one in threads.states}
    return threads
