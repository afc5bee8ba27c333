"""At most once per approval, whatever happens between (promises.md S1, S2, S4, S6, S8, F62, F79); on both databases."""

from __future__ import annotations

import re
import threading
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.servers.offices import NewOffice
from tests.servers.postgresql import shared_postgresql
from tests.servers.scripted_smtp import Script
from tests.servers.writing import access, bounce_of, fresh_id, letter

from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import CaseState, DraftState, PromiseStatus
from inboxbot.desk.approve import approve, call_back, decline
from inboxbot.desk.context import Actor
from inboxbot.desk.edit import edit
from inboxbot.errors import InboxbotError, RefusedError, StoreError
from inboxbot.outbox.journal import Journal
from inboxbot.outbox.smtp import Limits
from inboxbot.store.drafts import Turn
from inboxbot.store.tables import drafts

EVA = Actor("Eva Ek", "terminal")


def test_an_approved_letter_leaves_once_and_meets_the_promise(
    new_office: NewOffice, smtp: Script, database: str
) -> None:
    office = new_office(database)
    office.receive(access())
    (draft,) = office.drafts()
    assert office.send().sent == 0, "nothing leaves without an approval"
    office.approve(draft.id)

    assert office.send().sent == 1
    assert office.send().sent == 0

    assert len(smtp.taken) == 1
    (case,) = office.cases()
    assert promise_status(case.promises, office.clock())[0] is PromiseStatus.MET
    assert case.state is CaseState.WAITING, "the identity question waits for its answer"
    ((digest, approver, void),) = office.rows("SELECT digest, actor, void_at FROM approvals")
    assert (digest, approver, void) == (office.draft(draft.id).digest, "Eva Ek", None)
    assert office.rows("SELECT digest FROM attempts") == [(digest,)]


def test_fifty_approvals_at_once_give_one_mail(new_office: NewOffice, smtp: Script, database: str) -> None:
    """F100."""
    office = new_office(database)
    office.receive(access())
    (draft,) = office.drafts()
    won: list[str] = []
    lost: list[Exception] = []
    start = threading.Barrier(50)

    def press(name: str) -> None:
        start.wait()
        try:
            approve(office.desk, draft.id, actor=Actor(name, "web"), now=office.clock())
            won.append(name)
        except InboxbotError as error:
            lost.append(error)

    people = [threading.Thread(target=press, args=(f"Person {number}",)) for number in range(50)]
    for one in people:
        one.start()
    for one in people:
        one.join()

    assert len(won) == 1
    assert len(lost) == 49
    assert all("only a proposed letter is approved" in str(error) for error in lost)
    assert office.send().sent == 1
    assert len(smtp.taken) == 1
    assert office.rows("SELECT actor FROM approvals") == [(won[0],)]


def test_an_edit_after_the_approval_voids_it(new_office: NewOffice, smtp: Script) -> None:
    """F100, E52."""
    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    edit(office.desk, draft.id, actor=EVA, now=office.clock(), body=draft.body + "\nPS: Hör gärna av dig.")

    assert office.draft(draft.id).state is DraftState.PROPOSED
    assert office.send().sent == 0
    assert smtp.connections == 0
    ((void,),) = office.rows("SELECT void_at FROM approvals")
    assert void is not None
    office.approve(draft.id)
    assert office.send().sent == 1
    assert b"PS: H=C3=B6r" in smtp.taken[0]


@pytest.mark.parametrize("act", ["call_back", "decline"])
def test_what_is_called_back_or_declined_does_not_leave(new_office: NewOffice, smtp: Script, act: str) -> None:
    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    if act == "call_back":
        office.approve(draft.id)
        call_back(office.desk, draft.id, actor=EVA, now=office.clock())
    else:
        decline(office.desk, draft.id, actor=EVA, now=office.clock())
    assert office.send().sent == 0
    assert smtp.connections == 0


def test_words_changed_behind_the_desk_do_not_leave(new_office: NewOffice, smtp: Script) -> None:
    """E52."""
    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    with office.desk.store.write() as connection:
        connection.execute(update(drafts).where(drafts.c.id == draft.id).values(recipient="mallory@example.com"))

    assert office.send().sent == 0

    assert smtp.connections == 0
    found = office.draft(draft.id)
    assert (found.state, found.digest, found.approver) == (DraftState.PROPOSED, None, None)
    assert office.rows("SELECT count(*) FROM approvals WHERE void_at IS NULL") == [(0,)]


def test_a_further_mail_of_the_requester_voids_the_approval(new_office: NewOffice, smtp: Script) -> None:
    office = new_office()
    first = fresh_id()
    office.receive(access(message_id=first))
    (draft,) = office.drafts()
    office.approve(draft.id)
    more = letter("Re: Mina uppgifter", "Jag glömde: även radera allt ni har om mig.", in_reply_to=first)
    assert office.receive(more).followups == 1

    assert office.draft(draft.id).state is DraftState.PROPOSED
    assert office.send().sent == 0
    assert smtp.connections == 0


def test_mail_that_comes_while_a_letter_is_in_transmission_voids_it_should_it_fail(
    new_office: NewOffice, smtp: Script
) -> None:
    """The approval was given without the new mail: what failed must not leave on it later."""
    from inboxbot.desk import sending

    office = new_office()
    first = fresh_id()
    office.receive(access(message_id=first))
    (draft,) = office.drafts()
    office.approve(draft.id)
    waiting = sending.next_letter(office.desk, now=office.clock(), turn=Turn())
    assert waiting is not None
    attempt = sending.begin(office.desk, waiting, phase="connect", now=office.clock())
    sending.claim(office.desk, waiting, attempt, phase="body", now=office.clock())
    office.receive(letter("Re: Mina uppgifter", "Vänta, jag har mer att säga om saken.", in_reply_to=first))
    sending.put_back(office.desk, draft.id, attempt, text="cut", why="retry_after_body", now=office.clock())
    office.clock.advance(minutes=10)

    assert office.send().sent == 0

    assert smtp.taken == []
    assert office.draft(draft.id).state is DraftState.PROPOSED


def test_limits_make_letters_wait_visibly(new_office: NewOffice, smtp: Script) -> None:
    """F66."""
    office = new_office(top_lines="[limits]\nper_recipient_per_day = 1\nper_hour = 2")
    office.receive(
        access(message_id="<one@example.org>"),
        letter("Sluta", "Sluta skicka reklam till mig.", message_id="<two@example.org>"),
        access("Bo Ek"),
        access("Cia Dahl"),
    )
    letters = office.drafts()
    assert [one.recipient for one in letters].count("anna.berg@example.org") == 2
    for one in letters:
        office.approve(one.id)

    assert office.send().sent == 2

    states = {one.id: (one.state, one.waits_because) for one in office.drafts()}
    assert sorted(str(why) for _, why in states.values()) == ["None", "None", "limit_per_hour", "limit_per_recipient"]
    office.clock.advance(hours=1, minutes=1)
    assert office.send().sent == 1, "the hour is over, the day is not"
    office.clock.advance(hours=24)
    assert office.send().sent == 1
    assert len(smtp.taken) == 4
    assert {one.waits_because for one in office.drafts()} == {None}


def test_a_letter_that_cannot_be_composed_stops_only_itself(new_office: NewOffice, smtp: Script) -> None:
    office = new_office()
    office.receive(access("Anna Berg"), access("Bo Ek"))
    anna, bo = office.drafts()
    for one in (anna, bo):
        office.approve(one.id)
    with office.desk.store.write() as connection:
        connection.execute(update(drafts).where(drafts.c.id == anna.id).values(message_id="not an id"))
    office.installation.sound = False

    assert office.send().sent == 1

    assert office.draft(bo.id).state is DraftState.SENT
    found = office.draft(anna.id)
    assert (found.state, found.waits_because) == (DraftState.FAILED, "cannot_be_composed")


def test_a_bounce_reopens_the_promise_and_is_not_answered(new_office: NewOffice, smtp: Script, database: str) -> None:
    """F68, C70."""
    office = new_office(database)
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    office.send()
    office.clock.advance(minutes=2)

    tally = office.receive(bounce_of(draft.message_id, "anna.berg@example.org"))

    assert (tally.followups, tally.drafts, tally.cases_opened) == (1, 0, 0)
    (case,) = office.cases()
    assert case.state is CaseState.OPEN
    assert promise_status(case.promises, office.clock())[0] is PromiseStatus.RUNNING
    assert "bounced" in office.events(case.reference)
    assert [one.state for one in office.drafts()] == [DraftState.SENT]


def test_a_delay_notice_reopens_nothing(new_office: NewOffice, smtp: Script) -> None:
    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    office.send()

    office.receive(bounce_of(draft.message_id, "anna.berg@example.org", action="delayed", status="4.4.1"))

    (case,) = office.cases()
    assert promise_status(case.promises, office.clock())[0] is PromiseStatus.MET


def test_a_forged_bounce_reopens_nothing(new_office: NewOffice, smtp: Script) -> None:
    """C70, E15."""
    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    office.send()
    token = re.sub(r"\.[a-z2-7]{20}@", "." + "a" * 20 + "@", draft.message_id)

    assert office.receive(bounce_of(token, "anna.berg@example.org")).ignored == 1

    (case,) = office.cases()
    assert promise_status(case.promises, office.clock())[0] is PromiseStatus.MET


def test_our_own_letter_coming_back_opens_nothing(new_office: NewOffice, smtp: Script) -> None:
    """C75."""
    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    office.send()

    tally = office.receive(smtp.taken[0])

    assert (tally.ignored, tally.taken) == (1, 1)
    assert office.ledger()[-1]["reason"] == "own_mail"


def test_what_leaves_is_exactly_what_was_approved(new_office: NewOffice, smtp: Script) -> None:
    """F56, E12."""
    long_id = "<" + "AM0PR08MB" + "x" * 70 + "@eurprd08.prod.outlook.example.com>"
    older = "<" + "DB9P" + "y" * 80 + "@prod.outlook.example.com>"
    assert len(long_id) > 88
    office = new_office()
    office.receive(
        access("Åsa Öberg", message_id=long_id, references=[older], in_reply_to=older).replace(
            b"Subject: Mina uppgifter", "Subject: Frågor på åäö".encode()
        )
    )
    (draft,) = office.drafts()
    office.approve(draft.id, by="Örjan Åkesson")
    office.send()

    (raw,) = smtp.taken
    head, _, _ = raw.partition(b"\r\n\r\n")
    assert f"In-Reply-To: {long_id}\r\n".encode() in head
    unfolded = re.sub(rb"\r\n[ \t]+", b" ", head)
    assert f"References: {older} {long_id}\r\n".encode() in unfolded + b"\r\n"
    mail = message_from_bytes(raw, policy=default)
    assert mail["To"] == "asa.oberg@example.org"
    assert mail["Cc"] is None
    assert mail["Bcc"] is None
    assert mail["Subject"] == f"Re: Frågor på åäö [{office.cases()[0].reference}]"
    assert mail["Auto-Submitted"] is None, "a person approved it"
    assert mail.get_content_charset() == "utf-8"
    text = mail.get_content()
    assert text.replace("\r\n", "\n").strip() == (office.draft(draft.id).final or "").strip()
    assert "Hej Åsa" in text
    assert "Örjan Åkesson" in text
    assert [one for one in smtp.said if one.upper().startswith("RCPT")] == ["rcpt TO:<asa.oberg@example.org>"]


def test_after_a_lost_commit_the_side_journal_says_that_it_left(new_office: NewOffice, smtp: Script) -> None:
    """F62: the server took the letter, the database could not write it down."""
    from inboxbot.desk import sending

    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    waiting = sending.next_letter(office.desk, now=office.clock(), turn=Turn())
    assert waiting is not None
    attempt = sending.begin(office.desk, waiting, phase="connect", now=office.clock())
    sending.claim(office.desk, waiting, attempt, phase="body", now=office.clock())
    sending.reach(office.desk, attempt, phase="dot")
    office.journal.note(draft.id, waiting.draft.digest or "", "250 queued as 7")
    with office.journal.path.open("a", encoding="utf-8") as file:
        file.write('{"draft": 99, "dig')  # cut by the crash

    office.send()

    assert office.draft(draft.id).state is DraftState.SENT
    assert smtp.connections == 0
    assert office.rows("SELECT result, server_text FROM attempts") == [("accepted", "250 queued as 7")]
    assert office.journal.accepted() == {}


def test_a_database_that_goes_away_after_the_acceptance_sends_nothing_twice(
    new_office: NewOffice, smtp: Script
) -> None:
    """F79: PostgreSQL cuts the connections when the letter is out and the answer is not written yet."""
    server = shared_postgresql()
    url = server.new_database()
    office = new_office(url)
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    note = office.journal.note

    def cut_then_note(draft_id: int, digest: str, server_text: str) -> None:
        note(draft_id, digest, server_text)
        server.kill_connections(url)
        server.run(f"ALTER DATABASE {url.rpartition('/')[2]} ALLOW_CONNECTIONS false")

    office.journal.note = cut_then_note  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        office.send()
    office.journal.note = note  # type: ignore[method-assign]
    server.run(f"ALTER DATABASE {url.rpartition('/')[2]} ALLOW_CONNECTIONS true")

    office.send()

    assert office.draft(draft.id).state is DraftState.SENT
    assert len(smtp.taken) == 1


def test_a_letter_edited_while_it_is_being_sent_is_either_refused_or_sent_as_approved(
    new_office: NewOffice, smtp: Script
) -> None:
    """F100, E52."""
    from inboxbot.desk import sending

    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    waiting = sending.next_letter(office.desk, now=office.clock(), turn=Turn())
    assert waiting is not None
    attempt = sending.begin(office.desk, waiting, phase="connect", now=office.clock())
    edit(office.desk, draft.id, actor=EVA, now=office.clock(), body=draft.body + "\nEtt ord till.")

    with pytest.raises(RefusedError, match="somebody else changed the letter"):
        sending.claim(office.desk, waiting, attempt, phase="body", now=office.clock())
    assert office.send(Limits()).sent == 0


def test_a_line_of_the_journal_that_was_cut_off_spoils_none_after_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "inboxbot.sent")
    journal.path.write_text('{"draft": 1, "dig', encoding="utf-8")
    journal.note(2, "abc", "250 taken")
    assert journal.accepted() == {(2, "abc"): "250 taken"}
