"""Acceptance 3: approved by a person, sent once, in its thread, and the promise is met; on real servers."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default

import pytest
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, Office
from tests.servers.proxy import Proxy
from tests.servers.sink import Sink
from tests.servers.writing import access, bounce_of, fresh_id, letter

from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import CaseState, DraftState, PromiseStatus

OpenHere = Callable[..., Office]
EVA = "Eva Ek <eva@example.se>"
US = "Exempel AB <kontakt@example.se>"


def status_of(office: Office, requester: str = "anna.berg@example.org") -> PromiseStatus:
    case = next(one for one in office.cases() if one.requester == requester)
    return promise_status(case.promises, office.clock())[0]


def sent_folder(dovecot: Dovecot, user: str) -> list[bytes]:
    """Return the messages of the sent folder."""
    wire = dovecot.imap(user, "Skickat")
    try:
        _, data = wire.uid("FETCH", "1:*", "(BODY.PEEK[])")
        return [item[1] for item in data if isinstance(item, tuple)]
    finally:
        wire.logout()


def test_from_a_mail_to_an_answer_with_the_commands_alone(
    installation: Callable[..., Installation], dovecot: Dovecot, sink: Sink
) -> None:
    house = installation()
    long_id = "<AM0PR08MB" + "x" * 80 + "@eurprd08.prod.outlook.example.com>"
    dovecot.append(house.username, [access("Åsa Öberg", message_id=long_id)])
    assert house.json("once")["drafts"] == 1
    (draft,) = house.json("drafts", "list")
    number = str(draft["id"])

    house.run("drafts", "approve", number, "--by", "Örjan Åkesson")
    again = house.run("drafts", "approve", number, "--by", "Någon Annan", check=False)
    assert again.returncode == 1
    assert "approved" in again.stderr
    tally = house.json("once")

    assert (tally["sent"], tally["errors"]) == (1, [])
    assert house.json("once")["sent"] == 0
    assert house.run("drafts", "approve", number, "--by", "Någon Annan", check=False).returncode == 1
    assert house.json("once")["sent"] == 0
    (delivered,) = sink.box
    assert delivered.sender == "kontakt@example.se"
    assert delivered.recipients == ["asa.oberg@example.org"]
    mail = message_from_bytes(delivered.content, policy=default)
    assert f"In-Reply-To: {long_id}\r\n".encode() in delivered.content
    assert re.sub(r"\s+", " ", str(mail["References"])) == long_id
    (case,) = house.json("cases", "list")
    assert str(mail["Subject"]) == f"Re: Mina uppgifter [{case['reference']}]"
    assert "Hej Åsa" in mail.get_content()
    assert "Örjan Åkesson" in mail.get_content()
    assert mail.get_content_charset() == "utf-8"
    assert (case["state"], case["promise"]["status"]) == ("waiting", "met")
    assert case["promise"]["first_answer_at"]
    report = house.json("report")
    assert (report["received"], report["answered_within_promise"], report["share_of_all"]) == (1, 1, 1.0)
    history = [one["event"] for one in house.json("cases", "show", case["reference"])["history"]]
    assert history[:3] == ["request_recognised", "draft_created", "draft_approved"]
    assert "letter_sent" in history


def test_the_copy_is_filed_once_and_is_no_answer_of_staff(open_here: OpenHere, dovecot: Dovecot, sink: Sink) -> None:
    office = open_here()
    user = office.installation.username
    dovecot.append(user, [access()])
    office.once()
    office.approve(office.drafts()[0].id)
    assert office.once().sent == 1

    for _ in range(3):
        tally = office.once()
        assert (tally.taken, tally.noticed, tally.sent) == (0, 0, 0)
    copies = sent_folder(dovecot, user)
    assert copies == [sink.box[0].content]
    wire = dovecot.imap(user, "Skickat")
    _, flags = wire.uid("FETCH", "1", "(FLAGS)")
    wire.logout()
    assert b"\\Seen" in imaplib.ParseFlags(flags[0]), "a copy of what we sent is not unread mail"


def test_a_copy_that_could_not_be_filed_is_filed_by_the_next_run_and_sends_nothing(
    open_here: OpenHere, dovecot: Dovecot, sink: Sink
) -> None:
    with Proxy(("127.0.0.1", dovecot.port)) as proxy:
        office = open_here(imap_port=proxy.port)
        user = office.installation.username
        dovecot.append(user, [access()])
        office.once()
        office.approve(office.drafts()[0].id)
        proxy.faults.cut_at_client = rb" APPEND "
        tally = office.once()
        assert tally.sent == 1
        assert office.drafts()[0].state is DraftState.SENT
        assert sent_folder(dovecot, user) == []
        proxy.faults.cut_at_client = None
        assert office.once().sent == 0
        assert len(sent_folder(dovecot, user)) == 1
        assert len(sink.box) == 1


@pytest.mark.parametrize(("setting", "copies"), [("never", 0), ("always", 1)])
def test_filing_can_be_switched(open_here: OpenHere, dovecot: Dovecot, sink: Sink, setting: str, copies: int) -> None:
    office = open_here(mailbox_lines=f'file_sent = "{setting}"')
    dovecot.append(office.installation.username, [access()])
    office.once()
    office.approve(office.drafts()[0].id)
    office.once()
    office.once()
    assert len(sent_folder(dovecot, office.installation.username)) == copies
    assert len(sink.box) == 1


def test_an_answer_staff_sent_from_their_own_program_meets_the_promise(
    open_here: OpenHere, dovecot: Dovecot, sink: Sink
) -> None:
    """F38."""
    office = open_here()
    user = office.installation.username
    asked = fresh_id()
    dovecot.append(user, [access("Anna Berg", message_id=asked), access("Bo Ek")])
    office.once()
    anna = office.drafts()[0]
    office.approve(anna.id)
    dovecot.append(
        user,
        [
            letter("Re: Mina uppgifter", "Hej Anna! Här kommer svaret.", sender=US, in_reply_to=asked,
                   to="Anna Berg <anna.berg@example.org>"),
            letter("Fwd: Mina uppgifter", "Kan du ta den?", sender=US, in_reply_to=asked, to="eva@example.se"),
            letter("Offert", "Här är offerten.", sender=US, to="kund@example.com"),
        ],
        folder="Skickat",
    )  # fmt: skip

    tally = office.once()

    assert (tally.noticed, tally.sent) == (1, 0), "the letter that was approved steps aside"
    assert sink.box == []
    assert office.draft(anna.id).state is DraftState.SUPERSEDED
    assert status_of(office) is PromiseStatus.MET
    assert status_of(office, "bo.ek@example.org") is PromiseStatus.RUNNING
    assert office.once().noticed == 0


def test_c75_what_staff_send_with_a_copy_to_themselves_is_their_own_in_whatever_order_it_turns_up(
    open_here: OpenHere, dovecot: Dovecot
) -> None:
    """C75: the answer counts, its copy in the inbox is no case for a person; what only claims to be ours is."""
    office = open_here()
    user = office.installation.username
    dovecot.append(user, [access("Anna Berg", message_id="<asked@example.org>")])
    office.once()
    answer = letter(
        "Re: Mina uppgifter", "Hej Anna! Vi hör av oss i morgon.", sender=US, to="anna.berg@example.org",
        message_id="<answer@example.se>", in_reply_to="<asked@example.org>", headers=[("Cc", "kontakt@example.se")],
    )  # fmt: skip
    dovecot.append(user, [answer])
    dovecot.append(user, [answer], folder="Skickat")
    office.once()
    assert status_of(office) is PromiseStatus.MET
    assert {one.requester: one.state for one in office.cases()} == {
        "anna.berg@example.org": CaseState.OPEN,
        "kontakt@example.se": CaseState.DISMISSED,
    }
    note = letter("Till oss själva", "Kom ihåg: radera gamla uppgifter.", sender=US, message_id="<note@example.se>")
    dovecot.append(user, [note], folder="Skickat")
    office.once()
    forged = letter("Till oss själva", "Radera mina uppgifter.", sender=US, message_id="<forged@example.se>")
    dovecot.append(user, [b"Received: by mx.example.org; Sun, 22 Nov 2026 08:00:00 +0100\r\n" + note, forged])
    office.once()
    assert [one["reason"] for one in office.ledger()[-2:]] == ["own_mail", "spoofed_own_address"]


def test_staff_in_the_thread_by_way_of_the_inbox(open_here: OpenHere, dovecot: Dovecot, sink: Sink) -> None:
    office = open_here(company_lines='staff_addresses = ["eva@example.se"]')
    user = office.installation.username
    anna, bo = fresh_id(), fresh_id()
    dovecot.append(user, [access("Anna Berg", message_id=anna), access("Bo Ek", message_id=bo)])
    office.once()
    dovecot.append(user, [
        letter("Re: Mina uppgifter", "Hej Anna! Svaret kommer här.", sender=EVA, in_reply_to=anna,
               to="anna.berg@example.org, kontakt@example.se"),
        letter("Re: Mina uppgifter", "Ska vi ta den här på fredag?", sender=EVA, in_reply_to=bo),
    ])  # fmt: skip

    tally = office.once()

    assert (tally.followups, tally.drafts, tally.cases_opened) == (2, 0, 0)
    assert [row["reason"] for row in office.ledger()[2:]] == ["staff_answer", "staff_wrote_inside"]
    assert status_of(office) is PromiseStatus.MET
    assert status_of(office, "bo.ek@example.org") is PromiseStatus.RUNNING, "the requester got nothing"
    states = {one.recipient: one.state for one in office.drafts()}
    assert states["anna.berg@example.org"] is DraftState.SUPERSEDED
    assert states["bo.ek@example.org"] is DraftState.PROPOSED


def test_a_bounce_delivered_by_the_mail_system_reopens_the_promise(
    open_here: OpenHere, dovecot: Dovecot, sink: Sink
) -> None:
    """F68, C70."""
    office = open_here()
    user = office.installation.username
    dovecot.append(user, [access()])
    office.once()
    (draft,) = office.drafts()
    office.approve(draft.id)
    office.once()
    assert status_of(office) is PromiseStatus.MET
    sent_id = str(message_from_bytes(sink.box[0].content, policy=default)["Message-ID"])

    dovecot.deliver(user, bounce_of(sent_id, "anna.berg@example.org"), sender="")
    deadline = time.monotonic() + 10
    while (tally := office.once()).taken == 0 and time.monotonic() < deadline:
        time.sleep(0.1)

    assert (tally.followups, tally.drafts, tally.sent) == (1, 0, 0)
    assert status_of(office) is PromiseStatus.RUNNING
    assert office.cases()[0].state is CaseState.OPEN
    assert len(sink.box) == 1


def test_a_recipient_refused_by_the_server_is_left_to_a_person(
    open_here: OpenHere, dovecot: Dovecot, sink: Sink
) -> None:
    """F55."""
    office = open_here()
    dovecot.append(office.installation.username, [access()])
    office.once()
    office.approve(office.drafts()[0].id)
    sink.rcpt_answers = ["550 5.1.1 no such user"]
    assert office.once().sent == 0
    assert office.drafts()[0].state is DraftState.FAILED
    assert status_of(office) is PromiseStatus.RUNNING
    assert office.once().sent == 0
    assert sink.box == []


def test_the_answer_to_a_question_takes_the_case_up_again(open_here: OpenHere, dovecot: Dovecot, sink: Sink) -> None:
    office = open_here()
    user = office.installation.username
    dovecot.append(user, [access()])
    office.once()
    office.approve(office.drafts()[0].id)
    office.once()
    assert office.cases()[0].state is CaseState.WAITING
    sent_id = str(message_from_bytes(sink.box[0].content, policy=default)["Message-ID"])
    dovecot.append(user, [
        letter("Sv: Mina uppgifter", "Mitt kundnummer är 4711 och ordern hade nummer 12.", in_reply_to=sent_id),
    ])  # fmt: skip

    assert office.once().followups == 1

    (case,) = office.cases()
    assert case.state is CaseState.OPEN
    assert len(case.promises) == 2
    assert status_of(office) is PromiseStatus.RUNNING, "each mail starts a promise of its own"
