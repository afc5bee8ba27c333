"""What inboxbot itself keeps about one person: handed out as a file, or erased as far as the law lets it.

Only rows of cases whose requester, address on file or further address it is are looked at, and mails the person sent
that became no case. What other people of the same case wrote is left out (Art. 15(4)), and so are names of staff.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from inboxbot.cases.personal_numbers import mask_personal_numbers
from inboxbot.cases.values import LIVE, CaseState, DraftState, Request
from inboxbot.config.addresses import checked_address
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.retention import empty_cases, note_erased, overwrite, proof_due
from inboxbot.desk.suppress import check
from inboxbot.desk.view import utc
from inboxbot.errors import UsageError
from inboxbot.store.cases import addresses_of, load_cases
from inboxbot.store.checklists import attachment_names, load_identity, load_lines
from inboxbot.store.drafts import load_drafts
from inboxbot.store.mails import mails_of
from inboxbot.store.retention import Ended, drop_loose_mails, ended_cases, save_run
from inboxbot.store.tables import (
    case_addresses,
    cases,
    corrections,
    folders,
    identities,
    ledger,
    mailboxes,
    mails,
    webhooks,
)

_SENT = (DraftState.SENT, DraftState.UNKNOWN, DraftState.TRANSMITTING)


@dataclass(frozen=True, slots=True)
class Found:
    """The rows about one address: ids of cases and of mails without a case.

    ``main_ids`` are the cases that are about this person; in the others the address only belongs to somebody further.
    """

    address: str
    case_ids: tuple[int, ...]
    main_ids: tuple[int, ...]
    mail_ids: tuple[int, ...]


def find_person(connection: Connection, address: str) -> Found:
    """Return the rows about an address. Raises UsageError for what is no address."""
    try:
        bare = checked_address(address)
    except ValueError as error:
        raise UsageError(str(error), where="ADDRESS") from None
    own = select(cases.c.id).where(cases.c.requester == bare)
    further = select(case_addresses.c.case_id).where(case_addresses.c.address == bare)
    on_file = select(identities.c.case_id).where(identities.c.address_on_file == bare)
    main = set(connection.execute(own.union(on_file)).scalars())
    ids = main | set(connection.execute(further).scalars())
    loose = select(mails.c.id).where(mails.c.case_id.is_(None), mails.c.sender == bare).order_by(mails.c.id)
    return Found(bare, tuple(sorted(ids)), tuple(sorted(main)), tuple(connection.execute(loose).scalars()))


def export_person(desk: Desk, address: str, *, now: dt.datetime) -> dict[str, Any]:
    """Return everything kept about a person as plain data, complete and unmasked."""
    with desk.store.read() as connection:
        found = find_person(connection, address)
        listed = [_case(connection, found.address, case_id) for case_id in found.case_ids]
        loose = [_loose(connection, mail_id) for mail_id in found.mail_ids]
        seen = _ledger(connection, found)
    standing = check(desk, found.address)
    return {
        "address": found.address,
        "made_at": utc(now),
        "companies": [one.name for one in desk.settings.company],
        "cases": listed,
        "ordinary_mails": loose,
        "suppression": [
            {"company": one.company, "channels": list(one.channels), "since": utc(one.since), "reason": one.reason}
            for one in standing
        ],
        "messages_seen": seen,
    }


def _case(connection: Connection, address: str, case_id: int) -> dict[str, Any]:
    case = load_cases(connection, [case_id])[0]
    others = addresses_of(connection, [case_id]).get(case_id, frozenset()) - {address}
    identity = load_identity(connection, case_id)
    main = address in {case.requester, identity.address_on_file}
    every = mails_of(connection, case_id)
    own = [one for one in every if _is_own(one, address, others, main=main)]
    letters = [one for one in load_drafts(connection, case_ids=[case_id]) if main or one.recipient == address]
    learned = select(corrections.c.judged, corrections.c.right).where(corrections.c.case_id == case_id)
    return {
        "reference": case.reference,
        "company": case.company,
        "state": case.state.value,
        "opened_at": utc(case.opened_at),
        "name": case.requester_name if main else "",
        "language": case.language,
        "requests": [_request(connection, one) for one in case.requests],
        "identity": {
            "address_on_file": identity.address_on_file if main else None,
            "found_in": identity.found_in if main else None,
            "proposed_by_inboxbot": identity.proposed,
            "searched": identity.searched,
            "facts": sorted(key for key, value in identity.facts.items() if value is True),
        },
        "mails": [_mail(one) for one in own],
        "left_out": len(every) - len(own),
        "letters": [
            {
                "id": one.id,
                "state": one.state.value,
                "finished": one.state in _SENT,
                "subject": one.subject,
                "text": one.final or one.body,
                "files": attachment_names(connection, one.id),
                "sent_at": utc(one.sent_at),
            }
            for one in letters
        ],
        "systems_told": [
            {"system": row.system, "of_opt_out_since": utc(row.since), "answered_at": utc(row.answered_at)}
            for row in connection.execute(select(webhooks).where(webhooks.c.case_id == case_id).order_by(webhooks.c.id))
            if main
        ],
        "corrections": [{"judged": row.judged, "right": row.right} for row in connection.execute(learned)],
    }


def _request(connection: Connection, request: Request) -> dict[str, Any]:
    return {
        "kind": request.kind.value,
        "received_at": utc(request.received_at),
        "due": request.due_hard.isoformat() if request.due_hard else None,
        "outcome": request.outcome.value if request.outcome else None,
        "told_at": utc(request.told_at),
        "checklist": [
            {
                "line": line.key,
                "answer": line.answer.value if line.answer else None,
                "until": line.until.isoformat() if line.until else None,
                "ground": line.ground.value if line.ground else None,
                "detail": line.detail,
            }
            for line in load_lines(connection, request.id)
        ],
    }


def _is_own(mail: dict[str, Any], address: str, others: frozenset[str], *, main: bool) -> bool:
    """Whether a mail of the case may be shown to the person: not what another person of the case wrote or got."""
    if mail["direction"] == "in":
        return mail["sender"] == address or (main and mail["sender"] not in others)
    if mail["direction"] == "note":
        return main
    return address in mail["recipients"] or (main and not others & set(mail["recipients"]))


def _mail(mail: dict[str, Any]) -> dict[str, Any]:
    kind = {"in": "from you", "out": "from us", "note": "note"}[mail["direction"]]
    return {
        "what": "phone note" if mail["direction"] == "note" and mail["subject"] == "phone" else kind,
        "at": utc(mail["received_at"]),
        "subject": mail["subject"] if mail["direction"] != "note" else "",
        "text": mail["text"],
        "header": mail["header"].decode("latin-1"),
        "attachments": mail["detail"].get("attachments", []),
        "judged": mail["detail"].get("verdict", {}).get("kinds", []),
    }


def _loose(connection: Connection, mail_id: int) -> dict[str, Any]:
    row = connection.execute(select(mails).where(mails.c.id == mail_id)).one()
    return _mail(dict(row._mapping))


def _ledger(connection: Connection, found: Found) -> list[dict[str, Any]]:
    of_mails = select(mails.c.ledger_id).where(mails.c.id.in_(found.mail_ids))
    query = (
        select(mailboxes.c.address, folders.c.name, ledger.c.uid, ledger.c.received_at, ledger.c.state)
        .join(folders, folders.c.id == ledger.c.folder_id)
        .join(mailboxes, mailboxes.c.id == folders.c.mailbox_id)
        .where(ledger.c.case_id.in_(found.case_ids) | ledger.c.id.in_(of_mails))
        .order_by(ledger.c.id)
    )
    return [
        {
            "mailbox": row.address,
            "folder": row.name,
            "uid": row.uid if row.uid > 0 else None,
            "received_at": utc(row.received_at),
            "became": row.state,
        }
        for row in connection.execute(query)
    ]


def overview(person: dict[str, Any]) -> str:
    """Return the export in words (Markdown), with personal numbers masked; the JSON beside it is complete."""
    lines = [f"# What is kept about {person['address']}", "", f"Made {person['made_at']}."]
    for case in person["cases"]:
        lines += ["", f"## Case {case['reference']} ({case['company']})", ""]
        lines.append(f"Opened {case['opened_at']}, {case['state']}. Name: {case['name'] or 'none'}.")
        lines += [_request_words(one) for one in case["requests"]]
        for mail in case["mails"]:
            lines += _words(f"{mail['what']}, {mail['at']}", mail["subject"], mail["text"])
        for letter in (one for one in case["letters"] if not one["finished"]):
            lines += _words(
                f"letter {letter['id']}, {letter['state']}: never sent; may be withheld as unfinished text "
                "(dataskyddslagen 5 kap. 2 §)",
                letter["subject"],
                letter["text"],
            )
        if case["left_out"]:
            lines += ["", f"Left out: {case['left_out']} mails or notes that are about another person of this case."]
    if person["ordinary_mails"]:
        lines += ["", "## Mails that became no case"]
    for mail in person["ordinary_mails"]:
        lines += _words(f"{mail['what']}, {mail['at']}", mail["subject"], mail["text"])
    lines += ["", "## Suppression list", ""]
    lines += [
        f"- no {', '.join(one['channels'])} from {one['company']} since {one['since']}" for one in person["suppression"]
    ] or ["Not on it."]
    lines += ["", f"Messages seen in the mailboxes: {len(person['messages_seen'])}.", ""]
    return mask_personal_numbers("\n".join(lines))


def _request_words(one: dict[str, Any]) -> str:
    told = f", told {one['told_at']}" if one["told_at"] else ""
    checked = "; ".join(
        f"{line['line']}: {line['answer'] or 'undecided'}" + (f" until {line['until']}" if line["until"] else "")
        for line in one["checklist"]
    )
    return f"- {one['kind']}: {one['outcome'] or 'undecided'}{told}" + (f" ({checked})" if checked else "")


def _words(head: str, subject: str, text: str) -> list[str]:
    quoted = [f"> {line}".rstrip() for line in text.splitlines()]
    return ["", f"**{head}**" + (f": {subject}" if subject else ""), "", *quoted]


def erase_person(desk: Desk, address: str, *, actor: Actor, now: dt.datetime, dry_run: bool = False) -> dict[str, Any]:
    """Erase what may be erased of a person, at once, and return what was, what is kept, and why.

    A live case is kept: handling it is a legal duty, and it is needed for claims (Art. 17(3)(b) and (e), 5(2)). Of an
    ended one the proof record stays until its day, and the suppression entry so that nobody writes to them again.
    """
    with desk.store.read() as connection:
        found = find_person(connection, address)
        listed = load_cases(connection, found.case_ids)
        ended = {one.id: one for one in ended_cases(connection, found.case_ids)}
        loose = [
            f"mail {row.id} {row.received_at.isoformat()}"
            for row in connection.execute(select(mails.c.id, mails.c.received_at).where(mails.c.id.in_(found.mail_ids)))
        ]
        seen = _ledger(connection, found)
    free = [one for one in ended.values() if one.hold is None and one.id in found.main_ids]
    freed = {one.id for one in free}
    kept = [
        {"case": one.reference, "why": _why(one.state, ended.get(one.id), main=one.id in found.main_ids)}
        for one in listed
        if one.id not in freed
    ]
    if not dry_run and (free or found.mail_ids):
        note_erased(desk, [*(f"{one.id} {one.nonce}" for one in free if one.nonce), *loose])
        gone = empty_cases(desk, [one.id for one in free], actor=actor, now=now)
        with desk.store.write() as connection:
            drop_loose_mails(connection, found.mail_ids)
            counts = {"cases": len(free), "ordinary": len(found.mail_ids), "corrections": gone}
            save_run(connection, at=now, counts=counts)
        overwrite(desk, now=now)
    companies = {one.name: one for one in desk.settings.company}
    return {
        "address": found.address,
        "dry_run": dry_run,
        "erased": [one.reference for one in free],
        "ordinary_mails": len(found.mail_ids),
        "kept": kept,
        "proof_until": {
            one.reference: proof_due(one, companies[one.company]).isoformat()
            for one in free
            if one.company in companies
        },
        "suppression": [one.company for one in check(desk, found.address)],
        "in_mailbox": seen,
    }


def _why(state: CaseState, ended: Ended | None, *, main: bool) -> str:
    if not main:
        return "the case is about another person; what is this person's in it has to be decided by hand"
    if state in LIVE:
        return (
            "the case is open: answering it is a legal duty (Art. 17(3)(b)), it may be needed for legal claims "
            "(Art. 17(3)(e)), and the company must be able to show what it did (Art. 5(2)); it goes after its period"
        )
    if ended is not None and ended.hold is not None:
        return "it is on hold for a legal claim (Art. 17(3)(e))"
    return "a letter is about to leave, or only the proof of it is left"
