"""The door through the drafts folder, on Dovecot with Swedish names (promises.md S9, S10, F43, F45, F46, E60)."""

from __future__ import annotations

import datetime as dt
import html
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.doors.conftest import Opened
from tests.doors.mail_program import DRAFTS, SENT, words
from tests.servers.installation import Office
from tests.servers.sink import Sink
from tests.servers.writing import access, letter

from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import CaseState, DraftState, Outcome, PromiseStatus
from inboxbot.daemon.drafts_folder import tend_drafts
from inboxbot.daemon.once import connect
from inboxbot.desk.context import Actor
from inboxbot.desk.edit import edit
from inboxbot.desk.placing import HEADER
from inboxbot.mailbox.faults import UnavailableError, UnreachableError
from inboxbot.mailbox.server import AppendedUid, Server
from inboxbot.store.history import load_history
from inboxbot.store.placed import placed_of

# The letter asks who writes, so the case waits; any other answer ends with ``answered``.
SENDING = ("draft_approved", "letter_claimed", "letter_sent", "question_sent")
Open = Callable[..., Opened]


def history(office: Office, case_id: int = 1) -> list[dict[str, Any]]:
    with office.desk.store.read() as connection:
        return load_history(connection, case_id)


def place_of(office: Office, draft_id: int = 1) -> tuple[str, str]:
    with office.desk.store.read() as connection:
        found = placed_of(connection, draft_id)
    assert found is not None
    return found.state.value, found.note


def later(office: Office) -> None:
    """Let two looks pass, so far apart that a program that is just sending would be done."""
    office.once()
    office.clock.advance(minutes=3)
    office.once()


@pytest.fixture
def placed(shared_mailbox: Open) -> Opened:
    """A request whose answer lies in the drafts folder."""
    office, program = shared_mailbox()
    program.save(access("Anna Berg", message_id="<asked@mail.example.org>"), "INBOX")
    office.once()
    return office, program


def test_a_proposal_lies_in_the_drafts_folder_once_ready_to_be_sent(placed: Opened) -> None:
    office, program = placed
    (mail,) = program.mails()
    assert mail["To"] == "anna.berg@example.org"
    assert mail["In-Reply-To"] == "<asked@mail.example.org>"
    assert mail["References"] == "<asked@mail.example.org>"
    assert mail["Message-ID"] == office.draft(1).message_id
    assert mail["Auto-Submitted"] is None
    assert mail[HEADER]
    assert b"\\Draft" in program.flags()[0]
    text = words(mail)
    assert "[[" not in text
    assert "Vänliga hälsningar\nExempel AB, organisationsnummer 556000-0001" in text
    later(office)
    assert len(program.mails()) == 1
    assert office.draft(1).state is DraftState.PROPOSED


def test_without_the_door_nothing_is_placed(shared_mailbox: Open) -> None:
    office, program = shared_mailbox(mailbox_lines='approval = ["web", "terminal"]')
    program.save(access(), "INBOX")
    assert office.once().drafts == 1
    assert program.mails() == []


@pytest.mark.parametrize("point", ["draft_appended", "draft_placed"])
def test_a_crash_between_append_and_commit_leaves_one_draft(shared_mailbox: Open, point: str) -> None:
    """F1."""
    office, program = shared_mailbox()
    program.save(access(), "INBOX")
    office.installation.environment = {"INBOXBOT_CRASH_AT": point}
    assert office.installation.run("once", check=False).returncode == 137
    assert len(program.mails()) == 1
    later(office)
    assert len(program.mails()) == 1
    assert place_of(office) == ("standing", "")
    office.approve(1)
    office.once()
    assert program.mails() == []


def test_a_crash_after_our_own_removal_is_not_taken_for_staff_deleting_it(placed: Opened) -> None:
    """F1."""
    office, program = placed
    edit(office.desk, 1, actor=Actor("Eva Ek", "terminal"), now=office.clock(), body=office.draft(1).body + "\nHej då!")
    office.installation.environment = {"INBOXBOT_CRASH_AT": "draft_removed"}
    assert office.installation.run("once", check=False).returncode == 137
    assert program.mails() == []
    later(office)
    (mail,) = program.mails()
    assert "Hej då!" in words(mail)
    assert office.draft(1).state is DraftState.PROPOSED


class Late(Server):
    """A server whose answer to APPEND is lost after the message was stored."""

    def append(self, folder: str, message: bytes, flags: Sequence[str], at: dt.datetime) -> AppendedUid | None:
        super().append(folder, message, flags, at)
        raise UnreachableError("the server did not answer in time", where=self.where)


class Full(Server):
    """A server whose mailbox is full."""

    def append(self, folder: str, message: bytes, flags: Sequence[str], at: dt.datetime) -> AppendedUid | None:
        raise UnavailableError("the server cannot do it now: append failed: [OVERQUOTA] full", where=self.where)


def tend(office: Office, kind: type[Server], **changes: Any) -> None:
    served = office.served()
    assert office.pool is not None
    plain = connect(served, (1, 1))
    server = kind(plain.settings, password=plain._password)
    with server:
        tend_drafts(office.desk, served, server, replace(server.folders(), **changes), office.pool, now=office.clock)


def test_a_lost_answer_to_append_makes_no_second_draft(shared_mailbox: Open) -> None:
    """F45."""
    office, program = shared_mailbox()
    office.receive(access())
    with pytest.raises(UnreachableError):
        tend(office, Late)
    assert len(program.mails()) == 1
    later(office)
    assert len(program.mails()) == 1
    assert place_of(office) == ("standing", "")


def test_what_the_folder_does_not_take_waits_at_the_desk_with_its_reason(shared_mailbox: Open) -> None:
    """F46."""
    office, program = shared_mailbox()
    office.receive(access())
    tend(office, Full)
    assert place_of(office) == ("absent", "mailbox_over_quota")
    tend(office, Server, drafts=None)
    assert place_of(office) == ("absent", "no_drafts_folder")
    assert office.draft(1).state is DraftState.PROPOSED
    tend(office, Server)
    assert place_of(office) == ("standing", "")
    assert len(program.mails()) == 1


def test_an_edit_is_noticed_once_and_never_overwritten(placed: Opened) -> None:
    office, program = placed
    program.edit("Vänliga hälsningar", "Hör gärna av dig!\nVänliga hälsningar")
    later(office)
    program.edit("Hör gärna av dig!", "Hör gärna av dig igen!")
    later(office)
    (mail,) = program.mails()
    assert "Hör gärna av dig igen!" in words(mail)
    edits = [one for one in history(office) if one["event"] == "draft_edited"]
    assert [(one["door"], one["actor"]) for one in edits] == [("drafts", "kontakt@example.se")]
    assert "Hör" not in str(history(office))


def test_deleting_the_draft_declines_the_letter_after_two_looks(placed: Opened) -> None:
    office, program = placed
    program.delete()
    office.once()
    office.once()
    assert office.draft(1).state is DraftState.PROPOSED, "a program may be sending it just now"
    office.clock.advance(minutes=3)
    office.once()
    assert office.draft(1).state is DraftState.DECLINED
    assert history(office)[-1]["event"] == "draft_declined"
    assert history(office)[-1]["door"] == "drafts"
    later(office)
    assert program.mails() == []


def test_sending_it_from_the_mail_program_answers_the_case(placed: Opened, sink: Sink) -> None:
    office, program = placed
    moment = office.clock()
    program.send(sender="Anna Andersson <anna@example.se>", at=moment)
    tally = office.once()
    assert (tally.noticed, tally.sent) == (1, 0)
    sent = office.draft(1)
    assert sent.state is DraftState.SENT
    assert sent.approver == "Anna Andersson"
    assert sent.sent_at == moment.replace(microsecond=0)
    (promise,) = office.cases()[0].promises
    assert promise.answered_at == sent.sent_at
    assert promise_status([promise], office.clock())[0] is PromiseStatus.MET
    mine = [(one["event"], one["actor"]) for one in history(office) if one["door"] == "drafts"]
    assert mine == [(event, "Anna Andersson") for event in SENDING]
    ((text, detail),) = office.rows("SELECT text, detail FROM mails WHERE direction = 'out'")
    assert "Vänliga hälsningar" in text
    assert '"changed": false' in detail or '"changed":false' in detail
    later(office)
    assert sink.box == []
    assert len(program.mails(SENT)) == 1
    assert program.mails() == []
    assert office.installation.json("audit")["findings"] == []


@pytest.mark.parametrize(
    ("how", "changed"),
    [
        ({"new_id": True}, False),
        ({"keeps_marks": False}, False),
        ({"new_id": True, "keeps_marks": False}, False),
        ({"new_id": True, "keeps_marks": False, "change": ("Vänliga hälsningar", "Allt gott\nAnna")}, True),
    ],
    ids=["new-message-id", "no-header", "neither", "neither-and-changed"],
)
def test_it_is_known_whatever_the_mail_program_rewrites(placed: Opened, how: dict[str, Any], changed: bool) -> None:
    """C21."""
    office, program = placed
    program.send(**how)
    assert office.once().noticed == 1
    assert office.draft(1).state is DraftState.SENT
    ((detail,),) = office.rows("SELECT json_extract(detail, '$.changed') FROM mails WHERE direction = 'out'")
    assert bool(detail) is changed
    assert office.once().noticed == 0


def test_a_program_that_writes_html_and_quotes_the_mail_below_is_understood(placed: Opened) -> None:
    office, program = placed
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in words(program.mails()[0]).splitlines() if line)
    quoted = "<blockquote type='cite'><p>Hej! Vilka uppgifter har ni om mig?</p></blockquote>"
    program.delete()
    program.save(
        letter(
            "SV: Mina uppgifter [EX-2026-0001]",
            f"<html><body>{lines}<p>Anna Andersson, kundtjänst</p>{quoted}</body></html>",
            sender="Exempel AB <kontakt@example.se>",
            to="Anna Berg <anna.berg@example.org>",
            in_reply_to="<asked@mail.example.org>",
            content_type="text/html; charset=utf-8",
        ),
        SENT,
    )
    assert office.once().noticed == 1
    sent = office.draft(1)
    assert sent.state is DraftState.SENT
    assert sent.subject == "SV: Mina uppgifter [EX-2026-0001]"
    assert "Anna Andersson, kundtjänst" in (sent.final or "")
    assert office.installation.json("audit")["findings"] == []


def test_a_letter_that_names_the_day_is_placed_anew_the_next_day(shared_mailbox: Open) -> None:
    office, program = shared_mailbox()
    program.save(letter("Nyhetsbrev", "Hej, avregistrera mig från ert nyhetsbrev, tack.\nAnna"), "INBOX")
    office.once()
    (before,) = program.mails()
    office.clock.advance(days=1)
    office.once()
    (after,) = program.mails()
    assert words(before) != words(after)
    assert after["Message-ID"] == before["Message-ID"]
    later(office)
    assert [words(one) for one in program.mails()] == [words(after)]


def test_many_drafts_of_staff_are_none_of_our_business(placed: Opened) -> None:
    office, program = placed
    own = letter("Offert", "Hej, här kommer offerten.", sender="kontakt@example.se", to="kund@example.org")
    connection = program.dovecot.imap(program.user)
    try:
        for _ in range(30):
            connection.append(DRAFTS, "", None, own)
    finally:
        connection.logout()
    office.approve(1)
    later(office)
    assert len(program.mails()) == 30
    assert office.draft(1).state is DraftState.SENT


def test_sent_to_a_colleague_it_answers_nobody(placed: Opened) -> None:
    office, program = placed
    program.send(to="johan@example.se")
    later(office)
    assert office.once().noticed == 0
    assert "answered" not in office.events("EX-2026-0001")
    assert office.cases()[0].promises[0].answered_at is None


def test_an_answer_from_scratch_supersedes_the_proposal_and_its_words_are_kept(placed: Opened) -> None:
    office, program = placed
    program.save(
        letter(
            "Re: Mina uppgifter",
            "Hej Anna, vi ringer dig i morgon.",
            sender="Exempel AB <kontakt@example.se>",
            to="anna.berg@example.org",
            in_reply_to="<asked@mail.example.org>",
        ),
        SENT,
    )
    assert office.once().noticed == 1
    assert office.draft(1).state is DraftState.SUPERSEDED
    assert (
        office.rows("SELECT text FROM mails WHERE direction = 'out'")[0][0].strip()
        == "Hej Anna, vi ringer dig i morgon."
    )
    assert program.mails() == [], "our own stale draft is gone"


def test_approved_elsewhere_our_draft_is_taken_away_before_the_letter_leaves(placed: Opened, sink: Sink) -> None:
    office, program = placed
    office.approve(1)
    office.send()
    assert sink.box == [], "somebody could be sending it from the drafts folder just now"
    assert office.draft(1).waits_because == "may_lie_in_drafts_folder"
    office.once()
    assert program.mails() == []
    assert len(sink.box) == 1
    assert office.draft(1).state is DraftState.SENT
    assert HEADER.encode() not in sink.box[0].content


def test_two_doors_at_once_send_one_letter(placed: Opened, sink: Sink) -> None:
    """F100."""
    office, program = placed
    office.approve(1)
    program.send()
    office.once()
    later(office)
    assert sink.box == []
    assert office.draft(1).state is DraftState.SENT
    assert office.events("EX-2026-0001").count("letter_sent") == 1


def test_an_edited_draft_is_left_alone_when_the_letter_is_approved_elsewhere(placed: Opened, sink: Sink) -> None:
    office, program = placed
    program.edit("Vänliga hälsningar", "Allt gott")
    office.once()
    office.approve(1)
    office.once()
    assert len(sink.box) == 1
    assert len(program.mails()) == 1
    assert place_of(office) == ("edited", "left_alone")
    notes = [one for one in history(office) if one["detail"].get("code") == "draft_left_in_mailbox"]
    later(office)
    assert len(notes) == 1
    assert len(sink.box) == 1


def test_changed_at_the_desk_the_untouched_draft_is_replaced(placed: Opened) -> None:
    office, program = placed
    edit(office.desk, 1, actor=Actor("Eva Ek", "terminal"), now=office.clock(), body=office.draft(1).body + "\nHej då!")
    office.once()
    (mail,) = program.mails()
    assert "Hej då!" in words(mail)


def test_a_renumbered_folder_gives_no_second_draft(placed: Opened) -> None:
    office, program = placed
    program.dovecot.doveadm("mailbox", "update", "-u", program.user, "--uid-validity", "4242", DRAFTS)
    later(office)
    assert len(program.mails()) == 1
    assert place_of(office) == ("standing", "")
    office.approve(1)
    office.once()
    assert program.mails() == []


def test_an_opt_out_sent_by_hand_enters_the_suppression_list_and_closes_the_case(shared_mailbox: Open) -> None:
    office, program = shared_mailbox()
    program.save(
        letter("Nyhetsbrev", "Hej, avregistrera mig från ert nyhetsbrev. Jag vill inte ha mer reklam från er.\nAnna"),
        "INBOX",
    )
    office.once()
    program.send()
    assert office.once().noticed == 1
    case = office.cases()[0]
    assert case.state is CaseState.CLOSED
    assert [(one.kind.value, one.outcome, one.told_at is not None) for one in case.requests] == [
        ("unsubscribe", Outcome.GRANTED, True)
    ]
    assert office.rows("SELECT count(*) FROM suppressions") == [(1,)]


def test_two_installations_do_not_both_write_drafts(placed: Opened, shared_mailbox: Open) -> None:
    """F43."""
    _, program = placed
    (foreign,) = program.raw()
    other, elsewhere = shared_mailbox()
    elsewhere.save(foreign)
    elsewhere.save(access(), "INBOX")
    later(other)
    assert len(elsewhere.mails()) == 1
    assert place_of(other) == ("absent", "drafts_of_another_inboxbot")
    elsewhere.delete()
    other.once()
    assert place_of(other) == ("standing", "")


APPROVED = "Inboxbot/Godkänd"


def test_moved_to_the_folder_for_it_exactly_these_words_are_sent(shared_mailbox: Open, sink: Sink) -> None:
    """F101."""
    office, program = shared_mailbox(more=f'[company.mailbox.folders]\napproved = "{APPROVED}"')
    program.create(APPROVED)
    program.save(access(), "INBOX")
    office.once()
    program.edit("Vänliga hälsningar", "Hör gärna av dig.\n\nVänliga hälsningar")
    office.once()
    (lying,) = program.mails()
    program.move(APPROVED)
    assert office.once().sent == 1
    later(office)
    (delivered,) = sink.box
    assert b"H=C3=B6r g=C3=A4rna av dig." in delivered.content
    assert words(lying).split() == (office.draft(1).final or "").split()
    (approved,) = [one for one in history(office) if one["event"] == "draft_approved"]
    assert (approved["door"], approved["detail"]["weaker"]) == ("drafts", 1)


def test_check_finds_the_folder_for_approving_missing(shared_mailbox: Open) -> None:
    office, program = shared_mailbox(more=f'[company.mailbox.folders]\napproved = "{APPROVED}"')

    def faults() -> list[str]:
        found = json.loads(office.installation.run("check", "--json", check=False).stdout)["findings"]
        return [one["cure"] for one in found if one["level"] == "error" and one["area"] == "folder"]

    (cure,) = faults()
    assert cure.startswith("set company[1].mailbox[1].folders.approved to one of")
    program.create(APPROVED)
    assert faults() == []


def test_a_moved_draft_that_may_not_go_out_is_not_sent(shared_mailbox: Open, sink: Sink) -> None:
    """E60."""
    office, program = shared_mailbox(more=f'[company.mailbox.folders]\napproved = "{APPROVED}"')
    program.create(APPROVED)
    program.save(access(), "INBOX")
    office.once()
    program.edit("Vänliga hälsningar", "Skicka en kopia av ditt pass till oss.\nVänliga hälsningar")
    program.move(APPROVED)
    later(office)
    later(office)
    assert sink.box == []
    assert office.draft(1).state is DraftState.PROPOSED
    assert place_of(office)[1] == "letter_check"


def test_the_folder_for_approving_is_off_by_default(placed: Opened, sink: Sink) -> None:
    """E60."""
    office, program = placed
    program.move(APPROVED)
    office.once()
    assert sink.box == []
    assert office.draft(1).state is DraftState.PROPOSED


def test_switched_off_again_our_untouched_drafts_are_taken_away(placed: Opened, shared_mailbox: Open) -> None:
    office, program = placed
    office.installation.mailbox_lines = 'approval = ["terminal"]'
    office.installation.write()
    office.installation.run("once")
    assert program.mails() == []
    assert office.draft(1).state is DraftState.PROPOSED
