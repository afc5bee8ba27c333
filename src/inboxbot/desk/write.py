"""Writing a letter of a chosen kind: a question, an extension, a refusal, a code, whatever the case needs."""

from __future__ import annotations

import datetime as dt

from inboxbot.cases.identity import doubts
from inboxbot.cases.legal_date import notice_by
from inboxbot.cases.values import Case, Request
from inboxbot.desk.arrivals import Served
from inboxbot.desk.checklist import DISCLOSING, refuse_unknown_texts, request_of
from inboxbot.desk.closing import lines_of
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.drafting import Grounds, draft_letter
from inboxbot.desk.evidence import evidence_on_case
from inboxbot.desk.followup import add_draft
from inboxbot.desk.relabel import occasion_of
from inboxbot.errors import RefusedError, UsageError
from inboxbot.replies.render import LETTERS
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import load_case, mailbox_id_of
from inboxbot.store.checklists import load_identity
from inboxbot.store.drafts import load_drafts
from inboxbot.store.mails import mails_of

_ASKING = frozenset({"identity", "clarification", "representative", "code"})
_NEEDS_DOUBT = frozenset({"identity", "code"})
# Letters that say what was found or done: they go out only with an outcome, which needs every line decided.
_TELLING = DISCLOSING | {"erasure", "erasure_partial", "rectification", "objection", "restriction", "no_data"}


def write_letter(
    desk: Desk,
    case_id: int,
    template: str,
    *,
    actor: Actor,
    now: dt.datetime,
    kind: Kind | None = None,
    texts: dict[str, str] | None = None,
) -> int:
    """Draft a letter of a chosen kind for a case and return its id.

    An identity question needs a recorded doubt (Art. 12(6)), a code the address on file, an extension its place inside
    month one (Art. 12(3)). Raises UsageError or RefusedError saying what is missing.
    """
    if template not in LETTERS:
        raise UsageError(f"there is no letter {template!r}", cure=f"there are {', '.join(LETTERS)}")
    refuse_unknown_texts(texts or {})
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        company, mailbox = desk.of_mailbox(case.mailbox)
        served = Served(company, mailbox, mailbox_id_of(connection, case.id), ())
        request = request_of(case, kind) if kind else _only_request(case)
        identity = load_identity(connection, case.id)
        found = doubts(evidence_on_case(connection, case))
        if template in _NEEDS_DOUBT and not found:
            cure = "do not ask without need"
            raise RefusedError("nothing puts the identity in doubt", where=case.reference, cure=cure)
        if template == "code" and not identity.address_on_file:
            cure = f"use `inboxbot cases identity {case.reference} --address-on-file ADDRESS --found-in SYSTEM`"
            raise RefusedError("nobody recorded the address on file", where=case.reference, cure=cure)
        today = now.astimezone(company.zone).date()
        if template == "extension" and today > notice_by(request.received_at, company.zone):
            raise RefusedError("the month is over: an extension is not valid any more", where=case.reference)
        incoming = [mail for mail in mails_of(connection, case.id) if mail["direction"] == "in"]
        occasion = occasion_of(case, incoming[-1] if incoming else None)
        grounds = Grounds(
            kinds=[request.kind.value],
            request=request.kind.value if template in _TELLING else "",
            tells=[request.kind.value] if template in _TELLING else [],
            discloses=template in DISCLOSING,
            received_at=request.received_at.isoformat(),
            name=occasion.greeting,
            identity="ask" if template == "identity" else "none",
            identity_reason=found[0].value if found and template in _NEEDS_DOUBT else "",
            texts=texts or {},
            asks=template in _ASKING,
            code_kind=request.kind.value if template == "code" else "",
        )
        letter = draft_letter(
            served,
            case,
            template,
            grounds,
            answers=(None, ()) if template == "code" else (occasion.message_id, occasion.references),
            lines=lines_of(connection, company, request),
            recipient=identity.address_on_file if template == "code" else None,
        )
        add_draft(desk, served, connection, case, letter, now=now, actor=actor)
        return load_drafts(connection, case_ids=[case.id])[-1].id


def _only_request(case: Case) -> Request:
    open_ones = [one for one in case.requests if one.outcome is None] or list(case.requests)
    if len(open_ones) != 1:
        kinds = ", ".join(one.kind.value for one in open_ones)
        raise UsageError(f"say which request is meant: {kinds}", where=case.reference, cure="add --kind KIND")
    return open_ones[0]
