"""One scripted story through each door of this folder gives the same history, but for the door's name (issue 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pytest
from tests.doors.conftest import DOORS, Opened
from tests.doors.mail_program import SENT, MailProgram
from tests.servers.installation import Office
from tests.servers.offices import DATABASES, fresh_database
from tests.servers.sink import Sink
from tests.servers.writing import access, letter
from tests.web.house import add_person, app_of, signed_in

from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import PromiseStatus
from inboxbot.store.history import load_history

Open = Callable[..., Opened]
# What differs by nature: the words signed at a door, and which part was changed, which a mailbox does not tell.
OF_THE_DOOR = {"digest", "parts"}
OLD, NEW = "Vänliga hälsningar", "Hör gärna av dig.\n\nVänliga hälsningar"


class Door(Protocol):
    """What staff do, through one door."""

    def edit(self, draft_id: int) -> None: ...
    def send(self, draft_id: int) -> None: ...
    def decline(self, draft_id: int) -> None: ...


class Terminal:
    def __init__(self, office: Office, program: MailProgram) -> None:
        self.office = office

    def _drafts(self, *arguments: str) -> None:
        self.office.installation.run("drafts", *arguments, "--by", "Eva Ek")

    def edit(self, draft_id: int) -> None:
        body = self.office.draft(draft_id).body.replace(OLD, NEW)
        self._drafts("edit", str(draft_id), "--body", body)

    def send(self, draft_id: int) -> None:
        self._drafts("approve", str(draft_id))
        self.office.once()

    def decline(self, draft_id: int) -> None:
        self._drafts("decline", str(draft_id))


class DraftsFolder:
    def __init__(self, office: Office, program: MailProgram) -> None:
        self.office, self.program = office, program

    def edit(self, draft_id: int) -> None:
        self.program.edit(OLD, NEW)
        self.office.once()

    def send(self, draft_id: int) -> None:
        self.program.send(sender="Eva Ek <eva@example.se>")
        self.office.once()

    def decline(self, draft_id: int) -> None:
        self.program.delete()
        self.office.once()
        self.office.clock.advance(minutes=3)
        self.office.once()


class Web:
    """The forms of the desk, sent as a browser does; a letter leaves at once."""

    def __init__(self, office: Office, program: MailProgram) -> None:
        self.office = office
        add_person(office, "Eva Ek")
        self.eva = signed_in(app_of(office, hold_s=0), "Eva Ek")

    def _letter(self, draft_id: int) -> str:
        case = self.office.draft(draft_id).reference
        self.eva.get(f"/cases/{case}")
        return f"/cases/{case}/letters/{draft_id}"

    def edit(self, draft_id: int) -> None:
        path, draft = self._letter(draft_id), self.office.draft(draft_id)
        fields = {"recipient": draft.recipient, "subject": draft.subject, "version": str(draft.version)}
        body = draft.body.replace(OLD, NEW).replace("\n", "\r\n")  # as browsers send it
        assert self.eva.post(f"{path}/edit", body=body, **fields).status_code == 303

    def send(self, draft_id: int) -> None:
        path = self._letter(draft_id)
        assert self.eva.post(f"{path}/approve", **self.eva.seen(draft_id)).status_code == 303
        self.office.once()

    def decline(self, draft_id: int) -> None:
        assert self.eva.post(f"{self._letter(draft_id)}/decline").status_code == 303


def tell(office: Office, program: MailProgram, door: Door) -> list[list[tuple[str, dict[str, Any]]]]:
    """Tell the story and return each case's history without who and which door."""
    program.save(access("Anna Berg"), "INBOX")
    office.once()
    door.edit(1)
    door.send(1)
    program.save(access("Bo Ek"), "INBOX")
    office.once()
    door.decline(2)
    program.save(
        letter(
            "Nyhetsbrev",
            "Hej, avregistrera mig från ert nyhetsbrev. Jag vill inte ha mer reklam från er.\nCia",
            sender="Cia Dahl <cia.dahl@example.org>",
        ),
        "INBOX",
    )
    office.once()
    door.send(3)
    told = []
    with office.desk.store.read() as connection:
        for case in office.cases():
            entries = load_history(connection, case.id)
            told.append(
                [
                    (one["event"], {key: value for key, value in one["detail"].items() if key not in OF_THE_DOOR})
                    for one in entries
                ]
            )
    return told


@pytest.fixture
def by_terminal(shared_mailbox: Open, sink: Sink) -> list[list[tuple[str, dict[str, Any]]]]:
    office, program = shared_mailbox(mailbox_lines='approval = ["web", "terminal"]')
    told = tell(office, program, Terminal(office, program))
    assert [one.recipients for one in sink.box] == [["anna.berg@example.org"], ["cia.dahl@example.org"]]
    sink.box.clear()
    return told


@pytest.mark.parametrize("kind", DATABASES)
def test_the_drafts_folder_tells_what_the_terminal_tells(
    by_terminal: list[list[tuple[str, dict[str, Any]]]], shared_mailbox: Open, sink: Sink, kind: str
) -> None:
    office, program = shared_mailbox(mailbox_lines=DOORS, database=fresh_database(kind))
    told = tell(office, program, DraftsFolder(office, program))
    for here, there in zip(told, by_terminal, strict=True):
        assert [_plain(one) for one in here] == [_plain(one) for one in there]
    assert sink.box == [], "staff sent them themselves"
    assert len(program.mails(SENT)) == 2
    assert program.mails() == []
    statuses = [promise_status(case.promises, office.clock())[0] for case in office.cases()]
    assert statuses == [PromiseStatus.MET, PromiseStatus.RUNNING, PromiseStatus.MET]
    doors = {
        one["door"]
        for case in (1, 2, 3)
        for one in history(office, case)
        if one["event"] in {"draft_edited", "draft_approved", "letter_sent", "draft_declined"}
    }
    assert doors == {"drafts"}


@pytest.mark.parametrize("kind", DATABASES)
def test_the_desk_in_the_browser_tells_what_the_terminal_tells(
    by_terminal: list[list[tuple[str, dict[str, Any]]]], shared_mailbox: Open, sink: Sink, kind: str
) -> None:
    office, program = shared_mailbox(mailbox_lines='approval = ["web", "terminal"]', database=fresh_database(kind))
    told = tell(office, program, Web(office, program))
    for here, there in zip(told, by_terminal, strict=True):
        assert [_plain(one) for one in here] == [_plain(one) for one in there]
    assert [one.recipients for one in sink.box] == [["anna.berg@example.org"], ["cia.dahl@example.org"]]
    assert b"av dig" in sink.box[0].content
    by_whom = {
        (one["door"], one["actor"])
        for case in (1, 2, 3)
        for one in history(office, case)
        if one["event"] in {"draft_edited", "draft_approved", "draft_declined"}
    }
    assert by_whom == {("web", "Eva Ek")}


def history(office: Office, case_id: int) -> list[dict[str, Any]]:
    with office.desk.store.read() as connection:
        return load_history(connection, case_id)


def _plain(one: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Leave out the keyed digest of an address: each installation has its own key."""
    return one[0], {key: value for key, value in one[1].items() if key != "suppression"}
