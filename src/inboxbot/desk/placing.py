"""Letters in the mailbox's own drafts folder: which may lie there, what becomes of them, and how one is known again.

A placed draft carries a keyed token of its letter and of the words that were put there, so that a later look knows it
whatever its number is by then. Only letters that could be approved as they stand are placed; the rest wait at the desk.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final

from sqlalchemy import Connection, update

from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import DraftState
from inboxbot.config.model import CompanySettings
from inboxbot.desk.approve import approve
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import DAEMON, Actor, Desk
from inboxbot.desk.edit import edit
from inboxbot.desk.letters import check_draft, digest_of
from inboxbot.desk.record import record, record_draft
from inboxbot.errors import IllegalMoveError, RefusedError, UsageError
from inboxbot.reading.headers import split_header
from inboxbot.reading.values import Mail
from inboxbot.replies.compose import LetterHeaders, OutAttachment, compose
from inboxbot.replies.facts import DATE_MARK, NAME_MARK
from inboxbot.replies.render import Letter, finish_letter
from inboxbot.store.cases import load_case
from inboxbot.store.checklists import load_attachments
from inboxbot.store.drafts import Draft, load_draft, load_drafts
from inboxbot.store.placed import (
    LEFT_ALONE,
    REMOVED,
    THERE,
    WAITS,
    Placed,
    PlacedState,
    load_placed,
    placeable,
    placed_of,
    set_placed,
)
from inboxbot.store.tables import drafts

HEADER: Final = "X-Inboxbot-Draft"
# A one-time code is made at the approval, and an excessive-request letter needs two people: never in a mail program.
NEVER: Final = frozenset({"code", "excessive"})
MISSING_FOR: Final = dt.timedelta(minutes=2)  # some programs store the sent copy only after the draft is gone
MOST_WORDS: Final = 4000
_TOKEN: Final = re.compile(r"d([1-9][0-9]{0,17})\.([0-9a-f]{12})\.([0-9a-f]{24})")


@dataclass(frozen=True, slots=True)
class Token:
    """What a draft's token says: the letter, and the key of the words that were put there."""

    draft_id: int
    words: str


@dataclass(frozen=True, slots=True)
class ToPlace:
    """A letter as it is put into the drafts folder. ``words`` is their key; ``message`` always the same for them."""

    draft_id: int
    words: str
    message: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 hex of the header block, as a folder's listing has it."""
        return hashlib.sha256(split_header(self.message)[0]).hexdigest()


def make_token(secret: bytes, draft_id: int, words: str) -> str:
    """Return the value of the header that a placed draft is known by; nobody outside can make one."""
    head = f"d{draft_id}.{words}"
    return f"{head}.{_seal(secret, head)}"


def read_token(secret: bytes, text: str) -> Token | None:
    """Return what a token says, or None when it is not one of this installation's."""
    found = _TOKEN.fullmatch(text.strip())
    if found is None:
        return None
    draft_id, words, seal = found.groups()
    good = hmac.compare_digest(_seal(secret, f"d{draft_id}.{words}").encode(), seal.encode())
    return Token(int(draft_id), words) if good else None


def _seal(secret: bytes, head: str) -> str:
    return hmac.new(secret, b"inboxbot draft " + head.encode(), hashlib.sha256).hexdigest()[:24]


# --- the words that lie there -------------------------------------------------------------------------------------


def for_mailbox(draft: Draft, company: CompanySettings, now: dt.datetime) -> Draft:
    """Return a letter as it lies in the drafts folder: the day filled in, the company's lines as its signature.

    The person who sends it signs with a name of their own, as in every mail they write.
    """
    body = draft.body.replace(f"{NAME_MARK}\n\n", "").replace(f"{NAME_MARK}\n", "")
    letter = Letter(draft.template, draft.language, draft.subject, body)
    day = now.astimezone(company.zone).date()
    return replace(draft, final=finish_letter(letter, company.name, day).body)


def _words_key(
    desk: Desk, draft: Draft, files: Sequence[OutAttachment], company: CompanySettings, now: dt.datetime
) -> str:
    day = f" {now.astimezone(company.zone).date()}" if DATE_MARK in draft.body else ""
    return desk.salted(digest_of(replace(draft, final=None), files) + day)[:12]


def _message(desk: Desk, served: Served, draft: Draft, files: Sequence[OutAttachment], now: dt.datetime) -> ToPlace:
    words = _words_key(desk, draft, files, served.company, now)
    finished = for_mailbox(draft, served.company, now)
    headers = LetterHeaders(
        from_name=served.company.name,
        from_address=served.mailbox.address,
        to_address=draft.recipient or "",
        message_id=draft.message_id,
        date=draft.created_at.astimezone(served.company.zone),
        in_reply_to=draft.in_reply_to,
        references=draft.references,
        marks=[(HEADER, make_token(desk.secret, draft.id, words))],
    )
    letter = Letter(draft.template, draft.language, draft.subject, finished.final or "")
    return ToPlace(draft.id, words, compose(letter, headers, files))


def how_alike(one: str, other: str) -> int:
    """Return how much of two texts is the same, word by word, in percent."""
    first, second = one.split()[:MOST_WORDS], other.split()[:MOST_WORDS]
    return round(100 * SequenceMatcher(None, first, second, autojunk=False).ratio())


# --- what is to be done -------------------------------------------------------------------------------------------


def has_door(served: Served) -> bool:
    """Return whether letters are put into the drafts folder of a mailbox."""
    return "drafts" in served.mailbox.approval


def letters_to_place(desk: Desk, served: Served, *, now: dt.datetime) -> list[ToPlace]:
    """Return the proposals that are to be put into the drafts folder; of the others it is noted why not."""
    ready = []
    with desk.store.write() as connection:
        ids = placeable(connection, served.id, never=NEVER)
        for draft in load_drafts(connection, draft_ids=ids) if ids else ():
            item = _ready(connection, desk, served, draft, now)
            if isinstance(item, ToPlace):
                ready.append(item)
            else:
                _note(connection, served, draft.id, item)
    return ready


def _ready(connection: Connection, desk: Desk, served: Served, draft: Draft, now: dt.datetime) -> ToPlace | str:
    """Return a letter ready to be placed, or the code of why it is not."""
    finished = for_mailbox(draft, served.company, now)
    case = load_case(connection, draft.case_id)
    found = check_draft(connection, served.company, served.mailbox, case, finished, now=now)
    if any(one.blocks for one in found):
        return "letter_check"
    try:
        return _message(desk, served, draft, load_attachments(connection, draft.id), now)
    except RefusedError:
        return "cannot_be_composed"


def _note(connection: Connection, served: Served, draft_id: int, code: str) -> None:
    before = placed_of(connection, draft_id)
    if before is None or before.note != code:
        set_placed(connection, draft_id, served.id, state=PlacedState.ABSENT.value, note=code)


def note_absent(desk: Desk, served: Served, ids: Sequence[int], code: str) -> None:
    """Write why letters do not lie in the drafts folder: they wait at the desk."""
    with desk.store.write() as connection:
        for draft_id in ids:
            _note(connection, served, draft_id, code)


def lying(desk: Desk, served: Served) -> list[tuple[Placed, Draft]]:
    """Return what lies in the drafts folder as far as is known, with its letters."""
    with desk.store.read() as connection:
        found = load_placed(connection, served.id, states=THERE)
        letters = {one.id: one for one in load_drafts(connection, draft_ids=[one.draft_id for one in found])}
    return [(one, letters[one.draft_id]) for one in found]


def is_stale(desk: Desk, served: Served, letter: Draft, place: Placed, *, now: dt.datetime) -> bool:
    """Return whether what lies there should not any more: the letter is settled, or says something else by now."""
    if not has_door(served) or letter.state is not DraftState.PROPOSED or letter.recipient is None:
        return True
    with desk.store.read() as connection:
        files = load_attachments(connection, letter.id)
    return _words_key(desk, letter, files, served.company, now) != place.words


def as_placed(desk: Desk, served: Served, letter: Draft, words: str, *, now: dt.datetime) -> ToPlace | None:
    """Return what was put into the folder with these words, or None when the letter says something else by now."""
    with desk.store.read() as connection:
        files = load_attachments(connection, letter.id)
    try:
        item = _message(desk, served, letter, files, now)
    except RefusedError:
        return None
    return item if item.words == words else None


# --- what happened ------------------------------------------------------------------------------------------------


def staff_of(served: Served) -> Actor:
    """Return who acts in a mailbox's drafts folder: the mailbox does not tell more."""
    return Actor(served.mailbox.address, "drafts")


def note_placed(
    desk: Desk, served: Served, item: ToPlace, *, uidvalidity: int, uid: int | None, now: dt.datetime
) -> None:
    """Write that a letter lies in the drafts folder as it was put there."""
    with desk.store.write() as connection:
        set_placed(
            connection,
            item.draft_id,
            served.id,
            state=PlacedState.STANDING.value,
            note="",
            words=item.words,
            placed_at=now,
            uidvalidity=uidvalidity,
            uid=uid,
            missing_since=None,
        )


def note_seen(
    desk: Desk,
    served: Served,
    draft_id: int,
    *,
    uidvalidity: int,
    uid: int,
    words: str,
    edited: bool,
    now: dt.datetime,
) -> None:
    """Write where a draft lies now; that somebody changed it there goes into history once."""
    with desk.store.write() as connection:
        before = placed_of(connection, draft_id)
        first = edited and (before is None or before.state is not PlacedState.EDITED)
        values = {"uidvalidity": uidvalidity, "uid": uid, "words": words, "missing_since": None}
        state = PlacedState.EDITED if edited else PlacedState.STANDING
        note = before.note if before and before.state in THERE else ""
        placed_at = before.placed_at if before else now
        set_placed(connection, draft_id, served.id, state=state.value, note=note, placed_at=placed_at, **values)
        if first:
            detail = {"draft": draft_id, "parts": "mailbox"}
            _on_case(connection, draft_id, CaseEvent.DRAFT_EDITED, staff_of(served), now, detail)


def note_missing(desk: Desk, served: Served, place: Placed, *, now: dt.datetime) -> None:
    """Write that a draft is not in the folder. Missing long enough, it was deleted there: the letter is declined."""
    with desk.store.write() as connection:
        letter = load_draft(connection, place.draft_id)
        settled = letter.state not in (DraftState.PROPOSED, DraftState.APPROVED)
        if place.state is PlacedState.REMOVING or settled:
            _end(connection, place, REMOVED if place.state is PlacedState.REMOVING else "settled", now)
        elif place.missing_since is None:
            set_placed(connection, place.draft_id, served.id, missing_since=now)
        elif now - place.missing_since >= MISSING_FOR:
            _end(connection, place, "deleted", now)
            if letter.state is DraftState.PROPOSED and has_door(served):
                record_draft(connection, letter, DraftEvent.DECLINED)
                detail = {"draft": letter.id}
                _on_case(connection, letter.id, CaseEvent.DRAFT_DECLINED, staff_of(served), now, detail)


def begin_removing(desk: Desk, served: Served, place: Placed) -> None:
    """Write that we are about to take our draft away; committed first, so that nobody takes it for staff's doing."""
    with desk.store.write() as connection:
        set_placed(connection, place.draft_id, served.id, state=PlacedState.REMOVING.value)


def note_removed(desk: Desk, place: Placed, *, now: dt.datetime) -> None:
    """Write that our own unedited draft is gone, and let its letter leave if it waited for that."""
    with desk.store.write() as connection:
        _end(connection, place, REMOVED, now)


def leave_alone(desk: Desk, served: Served, place: Placed, *, now: dt.datetime) -> None:
    """Write that a draft stays there although its letter is settled: staff changed it, or the server keeps it."""
    if place.note == LEFT_ALONE:
        return
    with desk.store.write() as connection:
        set_placed(connection, place.draft_id, served.id, note=LEFT_ALONE)
        _release(connection, place.draft_id, now)
        detail = {"draft": place.draft_id, "code": "draft_left_in_mailbox"}
        _on_case(connection, place.draft_id, CaseEvent.NOTED, DAEMON, now, detail)


def _end(connection: Connection, place: Placed, note: str, now: dt.datetime) -> None:
    values = {"state": PlacedState.ENDED.value, "note": note, "uid": None, "missing_since": None}
    set_placed(connection, place.draft_id, place.mailbox_id, **values)
    _release(connection, place.draft_id, now)


def _release(connection: Connection, draft_id: int, now: dt.datetime) -> None:
    """Let an approved letter leave now that nobody can send it from the folder any more."""
    connection.execute(
        update(drafts)
        .where(drafts.c.id == draft_id, drafts.c.waits_because == WAITS)
        .values(waits_because=None, next_try_at=now)
    )


def _on_case(
    connection: Connection,
    draft_id: int,
    event: CaseEvent,
    actor: Actor,
    now: dt.datetime,
    detail: Mapping[str, object],
) -> None:
    case = load_case(connection, load_draft(connection, draft_id).case_id)
    record(connection, case, event, actor=actor, at=now, detail=detail)


# --- moved to be approved -----------------------------------------------------------------------------------------


def is_proposal(desk: Desk, served: Served, draft_id: int) -> bool:
    """Return whether a letter of this mailbox is still a proposal."""
    with desk.store.read() as connection:
        found = load_drafts(connection, draft_ids=[draft_id])
        of_us = placed_of(connection, draft_id)
    return bool(found) and found[0].state is DraftState.PROPOSED and of_us is not None and of_us.mailbox_id == served.id


def approve_moved(desk: Desk, served: Served, draft_id: int, mail: Mail, *, now: dt.datetime) -> str:
    """Approve the words of a draft that was moved to the folder for it; return "" or the code of why not.

    It is the weaker approval: everybody with the mailbox can give it. The letter check blocks it like any other.
    """
    actor = staff_of(served)
    if len(mail.to) != 1 or mail.cc:
        return "other_recipients"
    with desk.store.read() as connection:
        files = load_attachments(connection, draft_id)
    if len(mail.attachments) != len(files):
        return "other_files"
    try:
        edit(
            desk,
            draft_id,
            actor=actor,
            now=now,
            subject=mail.subject,
            body=mail.text.strip() + "\n",
            recipient=mail.to[0].address,
        )
        approve(desk, draft_id, actor=actor, now=now)
    except UsageError:
        return "unreadable"
    except (RefusedError, IllegalMoveError):
        return "letter_check"
    with desk.store.write() as connection:
        set_placed(connection, draft_id, served.id, state=PlacedState.ENDED.value, note="moved", uid=None)
    return ""


def note_refused_move(desk: Desk, served: Served, draft_id: int, code: str) -> None:
    """Write why a moved draft was not approved; it stays where it is."""
    with desk.store.write() as connection:
        set_placed(connection, draft_id, served.id, note=code, missing_since=None)
