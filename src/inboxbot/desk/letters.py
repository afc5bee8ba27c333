"""From a letter in the database to the words a person approves and the bytes that go out; the same both times."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from inboxbot.cases.values import Case
from inboxbot.config.model import CompanySettings, MailboxSettings
from inboxbot.replies.compose import LetterHeaders, compose, digest
from inboxbot.replies.render import Letter, finish_letter
from inboxbot.store.drafts import Draft

_QUESTIONS = frozenset({"identity", "clarification", "code", "representative"})


@dataclass(frozen=True, slots=True)
class Finding:
    """x."""

    rule: str
    blocks: bool
    text: str


def words_of(draft: Draft) -> Letter:
    """Return the words of a letter."""
    return Letter(draft.template, draft.language, draft.subject, draft.body)


def finish(draft: Draft, company: CompanySettings, *, approver: str, now: dt.datetime) -> Draft:
    """Return the letter with its signature and day filled in, as it would go out."""
    finished = finish_letter(words_of(draft), approver, now.astimezone(company.zone).date())
    return replace(draft, body=finished.body)


def digest_of(draft: Draft) -> str:
    """Return the digest of exactly what a person approves."""
    return digest(draft.recipient or "", draft.subject, draft.body)


def check_draft(company: CompanySettings, mailbox: MailboxSettings, case: Case, draft: Draft) -> list[Finding]:
    """Return what the letter check says of a finished letter."""
    return []


def questions_in(draft: Draft) -> bool:
    """Return whether a letter asks the requester something that the case then waits for."""
    return draft.template in _QUESTIONS or draft.facts.get("identity") == "ask"


def bytes_to_send(company: CompanySettings, mailbox: MailboxSettings, case: Case, draft: Draft) -> bytes:
    """Return the mail as it goes out; the same bytes whenever it is asked for, for its date is that of the approval."""
    headers = LetterHeaders(
        from_name=company.name,
        from_address=mailbox.address,
        to_address=draft.recipient or "",
        message_id=draft.message_id,
        date=(draft.approved_at or draft.created_at).astimezone(company.zone),
        in_reply_to=draft.in_reply_to,
        references=draft.references,
    )
    return compose(words_of(draft), headers)
