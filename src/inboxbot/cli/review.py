"""`inboxbot review`: what waits for a person, one by one, most urgent first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

import click

from inboxbot.cli.context import Context, now, terminal_actor
from inboxbot.cli.output import safe
from inboxbot.errors import IllegalMoveError, InboxbotError, UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from inboxbot.cli.review_page import Page
    from inboxbot.desk.approve import Seen
    from inboxbot.desk.context import Actor, Desk

# Kinds by the letter that stands for each when a case is relabelled.
KIND_KEYS = {
    "a": "access",
    "e": "erasure",
    "u": "unsubscribe",
    "c": "complaint",
    "r": "rectification",
    "p": "portability",
    "b": "objection",
    "t": "restriction",
    "o": "other",
}
HELP = {
    "a": "approve the letter: exactly the words above go out with the next round",
    "e": "edit the letter in $EDITOR; an approval that stood is void",
    "r": "relabel: say what is really asked for; the letter is drafted anew",
    "k": "confirm: the held case is what it was taken for",
    "d": "dismiss: the held case asks for nothing",
    "n": "no answer needed (thanks, spam): counted apart in the report",
    "s": "skip: look at it another time",
    "q": "quit",
}


class Next(Enum):
    """What comes after a key: this case again, the next one, or the end."""

    AGAIN = "again"
    ON = "on"
    END = "end"


@click.command()
@click.option("--by", "by", metavar="NAME", help="Who approves; asked for once if left out.")
@click.pass_obj
def review(context: Context, by: str | None) -> None:
    """Go through what waits for a person, most urgent first: read, approve, edit, relabel, dismiss.

    For each case: its clocks, the mail with the decisive words marked, the letter that is ready, and what the letter
    check says of it. One key does one thing; ? tells which.
    """
    with context.desk() as desk:
        waiting = _queue(desk)
        if not waiting:
            click.echo("Nothing waits for a person. Everything is looked after.")
            return
        session = _Session(context, desk, by)
        for number, case_id in enumerate(waiting, 1):
            if session.look_at(case_id, number, len(waiting)) is Next.END:
                break
        click.echo()
        click.echo(session.summary(len(_queue(desk))))


def _queue(desk: Desk) -> list[int]:
    """Return the cases that wait for a person, most urgent first: held and open ones, and letters to approve."""
    from inboxbot.cases.values import LIVE, CaseState, DraftState
    from inboxbot.desk.view import urgency
    from inboxbot.store.cases import load_cases
    from inboxbot.store.drafts import load_drafts

    moment = now()
    with desk.store.read() as connection:
        found = load_cases(connection, states=LIVE)
        proposed = {one.case_id for one in load_drafts(connection, states=[DraftState.PROPOSED])}
        leaving = {one.case_id for one in load_drafts(connection, states=[DraftState.APPROVED])}
    shown = [
        case
        for case in found
        if case.id in proposed or (case.state is not CaseState.WAITING and case.id not in leaving)
    ]
    return [case.id for case in sorted(shown, key=lambda case: urgency(case, moment))]


class _Session:
    """One walk through the queue."""

    def __init__(self, context: Context, desk: Desk, by: str | None) -> None:
        self.context, self.desk, self.by = context, desk, by
        self.done: Counter[str] = Counter()
        self.page: Page
        self.seen: Seen | None = None

    def look_at(self, case_id: int, number: int, count: int) -> Next:
        """Show a case until it is done with."""
        from inboxbot.cli.review_page import print_page

        while True:
            self._load(case_id, number, count)
            print_page(self.page, now=now(), zone=self._zone())
            after = self._ask()
            if after is not Next.AGAIN:
                return after

    def _load(self, case_id: int, number: int, count: int) -> None:
        """Read the case, its newest mail and its first letter, and remember exactly which words are shown."""
        from inboxbot.cases.values import DraftState
        from inboxbot.cli.review_page import Page
        from inboxbot.desk.approve import seen_now
        from inboxbot.desk.view import draft_with_checks
        from inboxbot.store.cases import load_case
        from inboxbot.store.drafts import load_drafts
        from inboxbot.store.mails import mails_of

        with self.desk.store.read() as connection:
            case = load_case(connection, case_id)
            mails = [one for one in mails_of(connection, case_id) if one["direction"] == "in"]
            letters = load_drafts(connection, case_ids=[case_id])
            proposed = next((one for one in letters if one.state is DraftState.PROPOSED), None)
            self.seen = seen_now(connection, proposed) if proposed else None
        shown, findings = draft_with_checks(self.desk, proposed.id, now=now()) if proposed else (None, [])
        troubled = [one for one in letters if one.state in (DraftState.FAILED, DraftState.UNKNOWN)]
        mail = mails[-1] if mails else None
        self.page = Page(case, mail, max(0, len(mails) - 1), shown, findings, troubled, number, count)

    def _zone(self) -> ZoneInfo:
        place = self.desk.find_mailbox(self.page.case.mailbox)
        return place[0].zone if place else self.context.zone()

    # --- keys ---------------------------------------------------------------------------------------------------

    def _keys(self) -> dict[str, str]:
        """Return the keys that are possible now, with a word for each."""
        held = self.page.case.state.value == "held"
        rights = any(one.kind.is_right and one.outcome is None for one in self.page.case.requests)
        letter = {"a": "approve", "e": "edit"} if self.page.letter else {}
        ending = {"k": "confirm", "d": "dismiss"} if held else {} if rights else {"n": "no answer needed"}
        return {**letter, "r": "relabel", **ending, "s": "skip", "q": "quit", "?": "help"}

    def _ask(self) -> Next:
        """Take keys until one of them did something."""
        from inboxbot.cli.review_page import print_menu
        from inboxbot.desk.approve import ChangedError

        actions: dict[str, Callable[[], Next]] = {
            "a": self._approve,
            "e": self._edit,
            "r": self._relabel,
            "k": self._confirm,
            "d": self._dismiss,
            "n": self._no_answer,
            "s": self._skip,
            "q": lambda: Next.END,
            "?": self._help,
        }
        keys = self._keys()
        print_menu(keys.items())
        while True:
            key = _key()
            if key not in keys:
                click.echo(f"{safe(key)!s} does nothing here; ? tells what the keys do")
                continue
            try:
                after = actions[key]()
            except InboxbotError as error:
                click.echo(safe(str(error)))
                if isinstance(error, ChangedError):
                    return Next.AGAIN
                if isinstance(error, IllegalMoveError):
                    return Next.ON  # somebody else was quicker
                print_menu(keys.items())
                continue
            if key != "?":
                return after

    def _actor(self) -> Actor:
        return terminal_actor(self.by)

    def _approve(self) -> Next:
        from inboxbot.desk.approve import approve

        if self.by is None:
            self.by = click.prompt("Your name, as it will stand under the letters").strip() or None
        letter = self.page.letter
        if letter is None or self.by is None:
            return Next.AGAIN
        done = approve(self.desk, letter.id, actor=self._actor(), now=now(), seen=self.seen)
        if done.needs_second:
            return self._did("noted", f"noted: a second person has to approve letter {letter.id}")
        return self._did("approved", f"approved by {safe(self.by)}; letter {letter.id} goes out with the next round")

    def _edit(self) -> Next:
        from inboxbot.desk.edit import edit
        from inboxbot.store.drafts import load_draft

        letter = self.page.letter
        if letter is None:
            return Next.AGAIN
        with self.desk.store.read() as connection:
            body = load_draft(connection, letter.id).body
        changed = click.edit(body)
        if changed is None:
            click.echo("nothing was changed")
        else:
            edit(self.desk, letter.id, actor=self._actor(), now=now(), body=changed)
        return Next.AGAIN

    def _relabel(self) -> Next:
        from inboxbot.cli.review_page import print_menu
        from inboxbot.desk.relabel import relabel
        from inboxbot.sorting.kinds import Kind

        print_menu(KIND_KEYS.items())
        keys = click.prompt("What is asked for? Letters, or Enter to leave it", default="", show_default=False)
        wanted = [KIND_KEYS.get(key, "") for key in keys.lower() if not key.isspace() and key != ","]
        if not wanted:
            return Next.AGAIN
        if "" in wanted:
            raise UsageError(f"{keys!r} are not letters of kinds")
        kinds = [Kind(one) for one in wanted]
        relabel(self.desk, self.page.case.id, kinds, actor=self._actor(), now=now())
        self.done["relabelled"] += 1
        return Next.AGAIN

    def _confirm(self) -> Next:
        from inboxbot.desk.settle import confirm

        confirm(self.desk, self.page.case.id, actor=self._actor(), now=now())
        self.done["confirmed"] += 1
        return Next.AGAIN

    def _dismiss(self) -> Next:
        from inboxbot.desk.settle import dismiss

        dismiss(self.desk, self.page.case.id, actor=self._actor(), now=now())
        return self._did("dismissed", "dismissed: it asks for nothing")

    def _no_answer(self) -> Next:
        from inboxbot.desk.settle import no_answer_needed

        no_answer_needed(self.desk, self.page.case.id, actor=self._actor(), now=now())
        return self._did("without an answer", "closed: nobody waits for an answer")

    def _skip(self) -> Next:
        self.done["skipped"] += 1
        return Next.ON

    def _help(self) -> Next:
        for key, what in self._keys().items():
            click.echo(f"  {key}  {HELP.get(key, what)}")
        return Next.AGAIN

    def _did(self, what: str, line: str) -> Next:
        self.done[what] += 1
        click.echo(line)
        return Next.ON

    def summary(self, left: int) -> str:
        """Return what was done and what is left, on one line."""
        did = ", ".join(f"{count} {what}" for what, count in self.done.items()) or "nothing done"
        return f"{did}; {f'{left} still wait' if left > 1 else '1 still waits' if left else 'nothing waits any more'}"


def _key() -> str:
    """Return the next key in lower case; Ctrl-C, Ctrl-D and the end of input quit."""
    try:
        return click.getchar().lower()
    except (KeyboardInterrupt, EOFError):
        return "q"
    except OSError:
        raise UsageError("`review` needs a terminal", cure="use `cases` and `drafts` in scripts") from None
