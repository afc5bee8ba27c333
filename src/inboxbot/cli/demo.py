"""`inboxbot demo`: the whole job on an invented inbox, with mail servers that run inside this program."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import shlex
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from inboxbot.cli.output import cut, local_text, print_json, print_table, safe, width_of
from inboxbot.errors import UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from inboxbot.demo.stage import Outgoing, Stage
    from inboxbot.desk.arrivals import Tally
    from inboxbot.wiring import House

_NEEDED = ("aiosmtpd", "pymap")
_SHOWN_LETTERS = 12
# Reasons of `cases.disposition` in plain words, where the code alone says too little to a newcomer.
_REASONS = {
    "ordinary": "nothing about personal data, and this mailbox promises no answer",
    "ordinary_with_promise": "nothing about personal data, but every mail here is promised an answer",
    "followup": "belongs to this case: same thread, same person",
    "junk": "in the junk folder, and asks for nothing",
    "junk_may_ask": "in the junk folder, but may ask for something",
    "robot_asks": "sent by a program, but may ask for something",
    "bounce_not_ours": "a bounce of a mail that inboxbot did not send",
    "auto_replied": "an automatic reply",
    "list_id": "a mailing list",
    "stranger_quotes_reference": "quotes the case of somebody else",
    "invalid_sender": "cannot be told from whom it comes",
    "unsure": "a person decides",
    "deceased": "about a person who has died",
}
_COLOURS = {"case": "cyan", "held": "yellow"}


@click.command()
@click.option("--once", is_flag=True, help="Do the whole job once, show what came of it, and exit.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep everything in this folder and go on from it the next time; else it is thrown away at the end.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: what `once --json` has, and all that is shown.")
def demo(once: bool, folder: Path | None, as_json: bool) -> None:
    """Show the whole job on an invented inbox of two companies; nothing to configure, nothing leaves this machine.

    Two mail servers run inside this program. The sample mails are taken, sorted and given a case and a letter, exactly
    as `inboxbot run` does it. Without --once it goes on until Ctrl-C: mails keep coming, the desk is served on
    http://127.0.0.1:8025, approved letters are sent.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the demo needs {' and '.join(missing)}", where="demo", cure="pip install 'inboxbot[demo]', then try again"
        )
    with contextlib.suppress(KeyboardInterrupt), _ended_by_signals() as ending, _folder(folder) as place:
        failed = _play(place, ending, once=once, kept=folder is not None, as_json=as_json)
        if failed:
            raise click.exceptions.Exit(1)


class _Ending:
    """Whether the demo was told to end, and who has to be told of it; at the second time it is cut short."""

    def __init__(self) -> None:
        self.told = False
        self._tell: list[Callable[[], None]] = []

    def also_tell(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when it is told to end, at once when it was told already."""
        self._tell.append(listener)
        if self.told:
            listener()

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if self.told:
            raise KeyboardInterrupt
        self.told = True
        for listener in self._tell:
            listener()


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[_Ending]:
    """Let SIGTERM and Ctrl-C end the demo tidily from its first moment on: between two steps, never within one."""
    ending = _Ending()
    before = {one: signal.signal(one, ending) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ending
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def _folder(wished: Path | None) -> Iterator[Path]:
    if wished is not None:
        yield wished.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="inboxbot-demo-") as scratch:
        yield Path(scratch)


def _play(folder: Path, ending: _Ending, *, once: bool, kept: bool, as_json: bool) -> bool:
    """Do the job on the demo in ``folder``; return whether something could not be served."""
    from inboxbot.daemon.once import run_once
    from inboxbot.demo.picture import picture
    from inboxbot.demo.stage import open_stage
    from inboxbot.logs import configure
    from inboxbot.wiring import open_house, utc_now

    def sent(letter: Outgoing) -> None:
        if not as_json:
            click.secho(f"✉ sent to {safe(', '.join(letter.recipients))}: {letter.file}", fg="green")

    with open_stage(folder, now=utc_now, sent=sent) as stage:
        configure(level=stage.settings.log.level)
        with open_house(stage.settings, lock_wait_s=5) as house:
            if ending.told:
                return False
            tally = run_once(house.desk, house.pool, house.journal, now=utc_now)
            with _in_browser(house, once=once) as login:
                shown = picture(stage, house.desk, utc_now())
                if as_json:
                    web = {"desk": login} if login else {}
                    print_json({**tally.as_json(), **shown, "folder": str(folder) if kept else None, **web})
                else:
                    _show(stage, tally, shown)
                    _show_next(folder, once=once, kept=kept, shown=shown, login=login)
                if not once and not ending.told:
                    _go_on(stage, house, ending, as_json=as_json)
    return bool(tally.errors)


@contextlib.contextmanager
def _in_browser(house: House, *, once: bool) -> Iterator[dict[str, str] | None]:
    """Serve the desk in a browser and give its address with a ready login; not with --once."""
    if once:
        yield None
        return
    from inboxbot.demo.login import ready_login
    from inboxbot.wiring import utc_now, web_desk

    name, password = ready_login(house.desk, now=utc_now())
    with web_desk(house.desk, else_any_port=True) as address:
        yield {"address": address, "name": name, "password": password} if address else None


def _go_on(stage: Stage, house: House, ending: _Ending, *, as_json: bool) -> None:
    """Work as the daemon does until a signal comes, while mails keep coming."""
    from inboxbot.daemon.service import Service
    from inboxbot.demo.live import Live
    from inboxbot.wiring import utc_now

    live = Live(stage, house.desk, _Silence() if as_json else _Aloud(stage.settings.company[0].zone), utc_now)
    service = Service(house.desk, house.pool, house.journal, now=utc_now)
    ending.also_tell(service.stopping.set)
    live.start()
    try:
        service.run()
    finally:
        live.stop()
    if not as_json:
        click.echo("stopped")


class _Aloud:
    """Prints what happens while the demo runs."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def mail(self, one: dict[str, Any]) -> None:
        click.echo()
        _print_mail(one, self._zone)

    def answered(self, case: dict[str, Any]) -> None:
        at = _local(case["promise"]["first_answer_at"], self._zone)
        click.secho(f"{at}  {case['reference']} was answered: the promise is {case['promise']['status']}", fg="green")


class _Silence:
    """Prints nothing: with --json one document is all there is."""

    def mail(self, one: dict[str, Any]) -> None: ...

    def answered(self, case: dict[str, Any]) -> None: ...


def _print_mail(one: dict[str, Any], zone: ZoneInfo) -> None:
    """Print one mail on two lines: what came, and what it was taken for and why."""
    columns = shutil.get_terminal_size((120, 40)).columns
    when = _local(one["received_at"], zone)
    who = one["requester"] or one["sender"] or "(unreadable)"
    box = one["mailbox"].partition("@")[0]
    click.echo(cut(safe(f"{when}  {box}  {who}  “{one['subject'] or '(no subject)'}”"), columns))
    became = f"{one['became']} {one['case']}" if one["case"] else one["became"]
    kinds = f": {', '.join(one['kinds'])}{' (unsure)' if one['unsure'] else ''}" if one["kinds"] else ""
    indent = " " * (width_of(when) + 2)
    line = cut(f"→ {became}{kinds}  –  {safe(_why(one))}", max(40, columns - width_of(indent)))
    click.echo(indent + click.style(line, fg=_COLOURS.get(one["became"])))


def _show(stage: Stage, tally: Tally, shown: dict[str, Any]) -> None:
    """Print what came, what is due and which letters wait."""
    zone = stage.settings.company[0].zone
    _heading("What came, what it was taken for, and why")
    for one in shown["mails"]:
        _print_mail(one, zone)
    _heading("What is due, most urgent first")
    live = [one for one in shown["cases"] if one["state"] in ("held", "open", "waiting")]
    print_table(
        ["case", "state", "asks for", "requester", "answer by", "promise", "legal date"],
        [
            [
                one["reference"],
                one["state"],
                ", ".join(request["kind"] for request in one["requests"]),
                one["requester"] or "(unknown)",
                _local(one["promise"]["due_at"], zone),
                one["promise"]["status"],
                min((request["due_hard"] for request in one["requests"] if request["due_hard"]), default="–"),
            ]
            for one in live
        ],
        shrink=3,
    )
    waiting = [one for one in shown["letters"] if one["state"] == "proposed"]
    _heading(f"Letters that wait for a person ({len(waiting)})")
    print_table(
        ["id", "case", "letter", "lang", "to", "subject"],
        [[str(one["id"]), one["case"], one["template"], one["language"], one["to"] or "(nobody yet)", one["subject"]]
         for one in waiting[:_SHOWN_LETTERS]],
        shrink=5,
    )  # fmt: skip
    if len(waiting) > _SHOWN_LETTERS:
        click.echo(f"… and {len(waiting) - _SHOWN_LETTERS} more")
    click.echo()
    click.secho(
        f"taken {tally.taken}: {tally.cases_opened} new cases, {tally.followups} follow-ups, {tally.held} held, "
        f"{tally.ordinary} ordinary, {tally.ignored} ignored · {tally.drafts} letters drafted · {tally.sent} sent · "
        f"{tally.noticed} answers noticed",
        bold=True,
    )
    for error in tally.errors:
        click.secho(f"{error['where']}: {error['what']}", fg="red")


def _show_next(
    folder: Path, *, once: bool, kept: bool, shown: dict[str, Any], login: dict[str, str] | None = None
) -> None:
    """Print the address of the desk, and the commands that come next, ready to be copied."""
    _heading("What to do next")
    if once and not kept:
        click.echo("This demo is thrown away now. Keep one, and approve a letter in it:")
        click.echo("  inboxbot demo --once --dir demo-state")
        return
    letter = next((one["id"] for one in shown["letters"] if one["state"] == "proposed"), None)
    config = f"inboxbot --config {shlex.quote(str(folder / 'config.toml'))}"
    if not once:
        click.echo("It goes on until Ctrl-C: mails keep coming. In a second terminal:")
    if letter is not None:
        click.echo(f"  {config} drafts show {letter}")
        click.echo(f"  {config} drafts approve {letter} --by Anna")
    click.echo(f"  {config} cases list")
    if once:
        click.echo(f"  inboxbot demo --once --dir {shlex.quote(str(folder))}    # again: sends what is approved")
    click.echo(f"Nothing leaves this machine: letters that are sent are kept in {folder / 'outgoing'}")
    if login is not None:
        _heading("The desk in your browser")
        click.secho(f"  {login['address']}", fg="cyan", bold=True)
        click.echo(f"  name: {login['name']}   password: {login['password']}")


def _heading(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)


def _why(one: dict[str, Any]) -> str:
    """Return the decisive words, else the reason."""
    words = " · ".join(f"“{' '.join(text.split())}”" for text in one["words"])
    if words and one["reason"] in ("request", "followup"):
        return words
    reason = _REASONS.get(one["reason"], str(one["reason"]).replace("_", " "))
    return f"{reason}: {words}" if words else reason


def _local(moment: str | None, zone: ZoneInfo) -> str:
    return local_text(dt.datetime.fromisoformat(moment) if moment else None, zone)
