"""The door through the drafts folder: proposed letters are put there, and what staff do with them is noticed.

Drafts are known again by their token in a listing of headers; the server is never asked to search for words of a mail
(promises.md S10, F45). Call it right after the sent folder was looked through: a draft that is gone was sent, perhaps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from inboxbot.cases.values import DraftState
from inboxbot.crash import crash_here
from inboxbot.desk import placing
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Desk
from inboxbot.desk.placing import ToPlace
from inboxbot.errors import MailboxError
from inboxbot.logs import get_logger
from inboxbot.mailbox.faults import ReadOnlyError, UnreachableError
from inboxbot.mailbox.fetching import Fetched, FetchedHeader
from inboxbot.mailbox.folders import Folders
from inboxbot.mailbox.server import Server
from inboxbot.mailbox.workers import ReadingPool
from inboxbot.reading.headers import first, read_part_fields
from inboxbot.reading.read import header_message_id, read_headers
from inboxbot.reading.values import RawMail
from inboxbot.store.drafts import Draft
from inboxbot.store.mailboxes import change_folder, load_folder, save_folder
from inboxbot.store.placed import Placed, PlacedState, to_tend

log = get_logger()
Now = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True)
class Found:
    """A draft as it lies in a folder. ``foreign``: it carries the token of another installation."""

    uid: int
    token: placing.Token | None
    foreign: bool
    message_id: str | None
    answers: tuple[str, ...]
    digest: str


def tend_drafts(desk: Desk, served: Served, server: Server, folders: Folders, pool: ReadingPool, *, now: Now) -> None:
    """Put proposals into the drafts folder, notice what became of those that lie there, take stale ones away.

    What the folder does not allow is noted with its letter; only a lost connection raises MailboxError.
    """
    door = placing.has_door(served)
    if not door and not placing.lying(desk, served):
        return
    moved = _take_approved(desk, served, server, folders.approved, pool, now) if door and folders.approved else set()
    if folders.drafts is None:
        waiting = placing.letters_to_place(desk, served, now=now()) if door else []
        _refuse(desk, served, waiting, "no_drafts_folder")
        return
    _Look(desk, served, server, folders.drafts, now).run(moved)


def has_work(desk: Desk, served: Served) -> bool:
    """Return whether the drafts folder should be looked into before the round is due."""
    if not placing.has_door(served):
        return False
    with desk.store.read() as connection:
        return to_tend(connection, served.id, never=placing.NEVER)


class _Look:
    """One look into the drafts folder."""

    def __init__(self, desk: Desk, served: Served, server: Server, folder: str, now: Now) -> None:
        self.desk, self.served, self.server, self.folder, self.now = desk, served, server, folder, now
        self._all: list[Found] | None = None
        self._removed: set[int] = set()

    def run(self, moved: set[int]) -> None:
        self.state = self.server.open(self.folder)
        row_id, mark = self._mark()
        fresh = self._listed(self.server.uids_above(mark))
        known = placing.lying(self.desk, self.served)
        tracked = [place.uid for place, _ in known if place.uid and place.uidvalidity == self.state.uidvalidity]
        there = {one.uid for one in self._listed(tracked)}
        for place, letter in known:
            self._look_for(place, letter, fresh, there, moved)
        for place, letter in placing.lying(self.desk, self.served):
            self._settle(place, letter)
        if placing.has_door(self.served):
            self._place([one for one in fresh if one.uid not in self._removed])
        foreign = [one.uid for one in fresh if one.foreign]
        top = max([mark, *(one.uid for one in fresh)])
        with self.desk.store.write() as connection:
            change_folder(
                connection,
                row_id,
                uidvalidity=self.state.uidvalidity,
                uidnext=self.state.uidnext,
                uid_mark=min([top, *(uid - 1 for uid in foreign)]),
                round_at=self.now(),
            )

    def _mark(self) -> tuple[int, int]:
        """Return the folder's row and the UID up to which every draft of ours is known."""
        with self.desk.store.write() as connection:
            row = load_folder(connection, self.served.id, self.folder) or save_folder(
                connection,
                self.served.id,
                name=self.folder,
                role="drafts",
                uidvalidity=self.state.uidvalidity,
                uidnext=self.state.uidnext,
                baseline_uid=0,
            )
        went_back = 0 < self.state.uidnext <= row.uid_mark
        return row.id, 0 if went_back or row.uidvalidity != self.state.uidvalidity else row.uid_mark

    def _listed(self, uids: Sequence[int]) -> list[Found]:
        """Return the drafts with these UIDs that are there and not marked as deleted, newest first."""
        return _listed(self.server, uids, self.desk.secret)

    def _look_for(self, place: Placed, letter: Draft, fresh: Iterable[Found], there: set[int], moved: set[int]) -> None:
        """Find a draft again: where it lay, elsewhere in the folder, or not at all."""
        newer = next((one for one in fresh if _is_of(one, letter) and one.uid != place.uid), None)
        if newer is None and place.uid in there and place.uidvalidity == self.state.uidvalidity:
            if place.missing_since is not None:
                self._seen(place, letter, place.uid or 0, place.words, edited=place.state is PlacedState.EDITED)
            return
        if newer is None and place.state is not PlacedState.REMOVING:
            newer = self._elsewhere(letter)
        if newer is not None:
            edited = place.state is PlacedState.EDITED or not self._is_untouched(newer, place, letter)
            self._seen(place, letter, newer.uid, place.words, edited=edited)
        elif letter.id not in moved:
            placing.note_missing(self.desk, self.served, place, now=self.now())

    def _seen(self, _place: Placed, letter: Draft, uid: int, words: str, *, edited: bool) -> None:
        placing.note_seen(
            self.desk,
            self.served,
            letter.id,
            uidvalidity=self.state.uidvalidity,
            uid=uid,
            words=words,
            edited=edited,
            now=self.now(),
        )

    def _is_untouched(self, found: Found, place: Placed, letter: Draft) -> bool:
        """Whether a draft under another number is what we put there: it was renumbered, copied, or its UID not told."""
        if found.token is None or found.token.words != place.words:
            return False
        if place.uid is None:
            return True  # the first time it is seen
        item = placing.as_placed(self.desk, self.served, letter, place.words, now=place.placed_at or self.now())
        return item is not None and item.digest == found.digest

    def _elsewhere(self, letter: Draft) -> Found | None:
        """Look through the whole folder for a draft that a mail program wrote anew, without our header perhaps."""
        if self._all is None:
            self._all = self._listed(self.server.all_uids())
        ours = next((one for one in self._all if _is_of(one, letter)), None)
        if ours is not None or letter.in_reply_to is None or letter.state is not DraftState.PROPOSED:
            return ours
        return next((one for one in self._all if one.token is None and letter.in_reply_to in one.answers), None)

    def _settle(self, place: Placed, letter: Draft) -> None:
        """Take our own unedited draft away when it is stale; what staff changed is left alone."""
        if place.missing_since is not None or not placing.is_stale(
            self.desk, self.served, letter, place, now=self.now()
        ):
            return
        if place.state is PlacedState.EDITED:
            if letter.state is not DraftState.PROPOSED:
                placing.leave_alone(self.desk, self.served, place, now=self.now())
            return
        if place.uid is None or "UIDPLUS" not in self.server.capabilities:
            placing.leave_alone(self.desk, self.served, place, now=self.now())
            return
        placing.begin_removing(self.desk, self.served, place)
        try:
            self.server.delete_own(self.folder, place.uid)
        except UnreachableError:
            raise
        except MailboxError as error:
            log.warning("draft_not_removed", draft=letter.id, error=error)
            placing.leave_alone(self.desk, self.served, place, now=self.now())
            return
        crash_here("draft_removed")
        self._removed.add(place.uid)
        placing.note_removed(self.desk, place, now=self.now())

    def _place(self, fresh: Sequence[Found]) -> None:
        """Put what is waiting into the folder; what a crash or a lost answer left there already counts as put."""
        waiting = placing.letters_to_place(self.desk, self.served, now=self.now())
        adopted = {item.draft_id: item for item in waiting if self._adopt(item, fresh)}
        waiting = [item for item in waiting if item.draft_id not in adopted]
        if any(one.foreign for one in fresh):
            _refuse(self.desk, self.served, waiting, "drafts_of_another_inboxbot")
            return
        for number, item in enumerate(waiting):
            try:
                told = self.server.append(self.folder, item.message, ["\\Draft", "\\Seen"], self.now())
            except UnreachableError:
                raise
            except MailboxError as error:
                _refuse(self.desk, self.served, waiting[number:], _why(error))
                return
            crash_here("draft_appended")
            placing.note_placed(
                self.desk,
                self.served,
                item,
                uidvalidity=told.uidvalidity if told else self.state.uidvalidity,
                uid=told.uid if told else None,
                now=self.now(),
            )
            crash_here("draft_placed")

    def _adopt(self, item: ToPlace, fresh: Sequence[Found]) -> bool:
        found = next((one for one in fresh if one.token and one.token.draft_id == item.draft_id), None)
        if found is None or found.token is None:
            return False
        placing.note_seen(
            self.desk,
            self.served,
            item.draft_id,
            uidvalidity=self.state.uidvalidity,
            uid=found.uid,
            words=found.token.words,
            edited=found.digest != item.digest,
            now=self.now(),
        )
        return True


def _listed(server: Server, uids: Sequence[int], secret: bytes) -> list[Found]:
    told = server.fetch_headers(uids) if uids else ()
    kept = [_found(one, secret) for one in told if isinstance(one, FetchedHeader) and not _is_deleted(one)]
    return sorted(kept, key=lambda one: -one.uid)


def _is_deleted(one: FetchedHeader) -> bool:
    return any(flag.lower() == "\\deleted" for flag in one.flags)


def _found(one: FetchedHeader, secret: bytes) -> Found:
    mark = first(read_part_fields(one.header), placing.HEADER.lower())
    token = placing.read_token(secret, mark.raw) if mark else None
    mail = read_headers(RawMail(header=one.header, size=one.size))
    return Found(
        uid=one.uid,
        token=token,
        foreign=mark is not None and token is None,
        message_id=header_message_id(one.header),
        answers=mail.in_reply_to,
        digest=one.digest,
    )


def _is_of(found: Found, letter: Draft) -> bool:
    if found.token is not None:
        return found.token.draft_id == letter.id
    return found.message_id == letter.message_id


def _why(error: MailboxError) -> str:
    """Return the code of why the folder takes no draft (F46)."""
    text = error.what.upper()
    if "OVERQUOTA" in text or "QUOTA" in text:
        return "mailbox_over_quota"
    if isinstance(error, ReadOnlyError) or "NOPERM" in text or "READ-ONLY" in text:
        return "drafts_folder_read_only"
    return "drafts_folder_refuses"


def _refuse(desk: Desk, served: Served, waiting: Sequence[ToPlace], code: str) -> None:
    """Let letters wait at the desk, with the reason named."""
    if waiting:
        log.warning("drafts_not_placed", mailbox=served.id, letters=len(waiting), why=code)
        placing.note_absent(desk, served, [item.draft_id for item in waiting], code)


def _take_approved(desk: Desk, served: Served, server: Server, folder: str, pool: ReadingPool, now: Now) -> set[int]:
    """Approve the drafts that were moved to the folder for it, and return the letters that lie there unapproved."""
    server.open(folder)
    lying = {
        one.token.draft_id: one.uid
        for one in reversed(_listed(server, server.all_uids(), desk.secret))
        if one.token is not None and placing.is_proposal(desk, served, one.token.draft_id)
    }
    wanted = {uid: draft_id for draft_id, uid in lying.items()}
    raws = [(one.uid, one.raw) for one in server.fetch(sorted(wanted)) if isinstance(one, Fetched)] if wanted else []
    for uid, outcome in pool.judge_all(raws):
        draft_id = wanted[uid]
        code = "unreadable"
        if outcome.mail is not None and "unreadable" not in outcome.mail.flags:
            code = placing.approve_moved(desk, served, draft_id, outcome.mail, now=now())
        if code:
            log.warning("moved_draft_not_approved", draft=draft_id, why=code)
            placing.note_refused_move(desk, served, draft_id, code)
        else:
            del lying[draft_id]
    return set(lying)
