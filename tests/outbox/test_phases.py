"""What becomes of a letter for each way an SMTP server can fail (promises.md B4): rows F50 to F65."""

from __future__ import annotations

import dataclasses
import itertools
import socket
from pathlib import Path

import pytest
from tests.servers.dovecot import make_certificate
from tests.servers.installation import Office
from tests.servers.offices import NewOffice
from tests.servers.scripted_smtp import DRIP, DROP, ENDLESS, GARBAGE, LINES, RESET, STALL, Script, server_context
from tests.servers.writing import access

from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import DraftState, PromiseStatus
from inboxbot.config.model import SmtpSettings
from inboxbot.desk.sending import MOST_ATTEMPTS
from inboxbot.outbox.smtp import Limits, Phase, Result, deliver

IMPATIENT = Limits(connect_s=2, command_s=0.4, final_s=0.4)


def approved(office: Office) -> int:
    """Take a request and approve its letter; return the letter's id."""
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    return draft.id


def promise(office: Office) -> PromiseStatus:
    (case,) = office.cases()
    return promise_status(case.promises, office.clock())[0]


def script_it(script: Script, **steps: object) -> None:
    for name, value in steps.items():
        setattr(script, name, value)


# Each: the step and its fault · the words that staff see on the letter · what the try's row says.
BEFORE_THE_DOT = [
    ({"banner": DROP}, "retry_after_connect", "connection closed"),
    ({"banner": STALL}, "retry_after_connect", "timed out"),
    ({"banner": DRIP}, "retry_after_connect", "timed out"),
    ({"banner": ENDLESS}, "retry_after_connect", "not SMTP"),
    ({"banner": GARBAGE}, "retry_after_connect", "not SMTP"),
    ({"banner": "421 too many connections"}, "retry_after_connect", "421 too many connections"),
    ({"banner": "554 go away"}, "retry_after_connect", "554 go away"),
    ({"ehlo": DROP}, "retry_after_connect", "connection closed"),
    ({"ehlo": LINES}, "retry_after_connect", "not SMTP"),
    ({"ehlo": STALL}, "retry_after_connect", "timed out"),
    ({"mail": "451 later"}, "retry_after_envelope", "451 later"),
    ({"mail": "421 closing"}, "retry_after_envelope", "421 closing"),
    ({"mail": DROP}, "retry_after_envelope", "connection closed"),
    ({"mail": RESET}, "retry_after_envelope", ""),
    ({"rcpt": "450 4.2.0 greylisted"}, "retry_after_envelope", "450 4.2.0 greylisted"),
    ({"rcpt": DROP}, "retry_after_envelope", "connection closed"),
    ({"rcpt": STALL}, "retry_after_envelope", "timed out"),
    ({"rcpt": GARBAGE}, "retry_after_envelope", "not SMTP"),
    ({"data": "451 busy"}, "retry_after_body", "451 busy"),
    ({"data": DROP}, "retry_after_body", "connection closed"),
    ({"data": STALL}, "retry_after_body", "timed out"),
    ({"data": "250 what?"}, "retry_after_body", "250 what?"),
    ({"dot": "451 4.3.0 try again"}, "retry_after_done", "451 4.3.0 try again"),
    ({"dot": "421 shutting down"}, "retry_after_done", "421 shutting down"),
]


@pytest.mark.parametrize(("steps", "waits", "words"), BEFORE_THE_DOT, ids=lambda value: str(value)[:40])
def test_a_letter_that_certainly_did_not_leave_is_tried_again_later(
    new_office: NewOffice, smtp: Script, steps: dict[str, str], waits: str, words: str
) -> None:
    """F50, F53, F54, F57, F60, F65, F66."""
    office = new_office()
    letter = approved(office)
    script_it(smtp, **steps)

    done = office.send(IMPATIENT)

    found = office.draft(letter)
    assert done.sent == 0
    assert (found.state, found.waits_because, found.attempts) == (DraftState.APPROVED, waits, 1)
    ((result, told, ended),) = office.rows("SELECT result, server_text, ended_at FROM attempts")
    assert result == "retry"
    assert words in str(told)
    assert ended is not None
    assert promise(office) is PromiseStatus.RUNNING
    tries = smtp.connections
    assert office.send(IMPATIENT).sent == 0
    assert smtp.connections == tries, "it was tried again before its pause was over"

    script_it(smtp, **{name: getattr(Script(), name) for name in steps})
    office.clock.advance(minutes=6)
    before = len(smtp.taken)  # what a 4yz was answered to is not delivered
    assert office.send(IMPATIENT).sent == 1
    assert len(smtp.taken) == before + 1
    assert office.draft(letter).state is DraftState.SENT
    assert promise(office) is PromiseStatus.MET


REFUSED = [
    {"mail": "550 5.7.1 not from you"},
    {"rcpt": "550 5.1.1 no such user"},
    {"data": "554 no"},
    {"dot": "552 too much"},
    {"dot": "554 5.7.1 looks like spam"},
    {"features": ("smtp.example.com", "SIZE 200")},
]


@pytest.mark.parametrize("steps", REFUSED, ids=str)
def test_a_refused_letter_waits_for_a_person(new_office: NewOffice, smtp: Script, steps: dict[str, str]) -> None:
    """F53, F55, F60, F63."""
    office = new_office()
    letter = approved(office)
    script_it(smtp, **steps)

    assert office.send(IMPATIENT).sent == 0

    found = office.draft(letter)
    assert (found.state, found.waits_because) == (DraftState.FAILED, "refused_by_server")
    ((result, told),) = office.rows("SELECT result, server_text FROM attempts")
    assert result == "refused"
    assert told == next((str(value) for name, value in steps.items() if name != "features"), told)
    if "features" in steps:
        assert "MAIL" not in " ".join(smtp.said), "it was refused before MAIL"
    assert promise(office) is PromiseStatus.RUNNING
    assert "letter_failed" in office.events("EX-" + office.cases()[0].reference.partition("-")[2])
    office.clock.advance(days=2)
    tries = smtp.connections
    assert office.send(IMPATIENT).sent == 0
    assert smtp.connections == tries, "a refused letter is never tried again by itself"


UNKNOWN = [
    {"dot": DROP},
    {"dot": RESET},
    {"dot": STALL},
    {"dot": DRIP},
    {"dot": GARBAGE},
    {"dot": LINES},
    {"dot": "354 more?"},
]


@pytest.mark.parametrize("steps", UNKNOWN, ids=str)
def test_a_letter_cut_after_the_final_dot_is_never_sent_again_by_itself(
    new_office: NewOffice, smtp: Script, steps: dict[str, str]
) -> None:
    """F59, F65."""
    office = new_office()
    letter = approved(office)
    script_it(smtp, **steps)

    office.send(IMPATIENT)

    found = office.draft(letter)
    assert (found.state, found.waits_because) == (DraftState.UNKNOWN, "outcome_unknown")
    assert office.rows("SELECT result FROM attempts") == [("unknown",)]
    assert promise(office) is PromiseStatus.RUNNING
    smtp.dot = Script().dot
    office.clock.advance(days=2)
    office.send(IMPATIENT)
    assert len(smtp.taken) == 1
    assert office.draft(letter).state is DraftState.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "result"),
    [(DROP, Result.RETRY), (RESET, Result.RETRY), ("421 enough", Result.RETRY), ("552 too much", Result.REFUSED)],
)
def test_when_the_server_cuts_in_while_the_text_goes_out_the_dot_is_never_sent(
    smtp: Script, fault: str, result: Result
) -> None:
    """F58."""
    smtp.mid_body = fault
    phases: list[Phase] = []

    def reached(phase: Phase) -> None:
        phases.append(phase)
        if phase is Phase.DOT:  # the text lies in the sockets' buffers; the server has cut in by now
            assert smtp.cut_in.wait(10)

    done = deliver(
        SmtpSettings(host="127.0.0.1", port=smtp.port, security="none"),
        username=None,
        password=None,
        sender="kontakt@example.se",
        recipient="anna@example.org",
        message=b"Subject: x\r\n\r\n" + b"words and words\r\n" * 200,
        reached=reached,
        limits=IMPATIENT,
    )

    assert (done.result, done.phase) == (result, Phase.BODY)
    assert smtp.taken == []
    assert phases == [Phase.CONNECT, Phase.BODY, Phase.DOT]


@pytest.mark.parametrize("steps", [{"quit": "421 bye"}, {"quit": DROP}, {"quit": GARBAGE}, {"dot": "251 ok"}], ids=str)
def test_what_follows_the_acceptance_means_nothing(new_office: NewOffice, smtp: Script, steps: dict[str, str]) -> None:
    """F61, F65."""
    office = new_office()
    letter = approved(office)
    script_it(smtp, **steps)

    assert office.send(IMPATIENT).sent == 1

    assert office.draft(letter).state is DraftState.SENT
    assert promise(office) is PromiseStatus.MET
    assert len(smtp.taken) == 1


def test_a_server_that_refuses_the_connection_is_an_error_and_the_letter_waits(new_office: NewOffice) -> None:
    """F50."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    office = new_office(smtp_port=port)
    letter = approved(office)

    done = office.send(IMPATIENT)

    assert done.errors == [{"where": f"127.0.0.1:{port}", "what": done.errors[0]["what"]}]
    assert "refused" in done.errors[0]["what"].lower()
    assert office.draft(letter).waits_because == "retry_after_connect"


def test_a_host_that_does_not_exist_is_an_error_and_the_letter_waits(new_office: NewOffice) -> None:
    """F50."""
    office = new_office()
    letter = approved(office)
    config = office.installation.config
    company = office.desk.settings.company[0]
    smtp_settings = company.mailbox[0].smtp.model_copy(update={"host": "mail.invalid", "security": "tls"})
    mailbox = company.mailbox[0].model_copy(update={"smtp": smtp_settings})
    settings = office.desk.settings.model_copy(update={"company": [company.model_copy(update={"mailbox": [mailbox]})]})
    office.desk = dataclasses.replace(office.desk, settings=settings)

    done = office.send(IMPATIENT)

    assert [one["where"].partition(":")[0] for one in done.errors] == ["mail.invalid"]
    assert office.draft(letter).state is DraftState.APPROVED
    assert config.exists()


def test_after_many_failures_a_person_decides(new_office: NewOffice, smtp: Script) -> None:
    """F54, F67."""
    office = new_office()
    letter = approved(office)
    smtp.rcpt = "450 later"

    pauses = []
    for _ in range(MOST_ATTEMPTS):
        office.send(IMPATIENT)
        found = office.draft(letter)
        if found.state is DraftState.APPROVED and found.next_try_at:
            pauses.append((found.next_try_at - office.clock()).total_seconds())
        office.clock.advance(hours=1, seconds=5)

    assert all(earlier <= later + 1 for earlier, later in itertools.pairwise(pauses))
    assert 200 < pauses[0] < 310
    assert max(pauses) <= 3600
    found = office.draft(letter)
    assert (found.state, found.waits_because) == (DraftState.FAILED, "gave_up_after_many_tries")
    assert promise(office) is PromiseStatus.RUNNING


def test_one_dead_server_is_asked_once_a_pass(new_office: NewOffice, smtp: Script) -> None:
    """F50, F66."""
    office = new_office()
    office.receive(access("Anna Berg"), access("Bo Ek"), access("Cia Dahl"))
    for draft in office.drafts():
        office.approve(draft.id)
    smtp.banner = "421 no"

    done = office.send(IMPATIENT)

    assert smtp.connections == 1
    assert len(done.errors) == 1
    assert {one.state for one in office.drafts()} == {DraftState.APPROVED}


# --- signing in and TLS ----------------------------------------------------------------------------------------------

WITH_AUTH = ("smtp.example.com", "8BITMIME", "AUTH PLAIN LOGIN")


@pytest.mark.parametrize("ways", ["PLAIN", "LOGIN", "CRAM-MD5 PLAIN"])
def test_the_password_may_hold_swedish_letters(new_office: NewOffice, smtp: Script, ways: str) -> None:
    import base64

    smtp.features = ("smtp.example.com", f"AUTH {ways}")
    smtp.auth = "334 VXNlcm5hbWU6" if ways == "LOGIN" else "235 welcome"
    office = new_office()
    letter = approved(office)

    sent = office.send(IMPATIENT).sent

    said = " ".join(smtp.said)
    wanted = "hemligt å lösen" if ways == "LOGIN" else "\0kontakt\0hemligt å lösen"
    if ways == "LOGIN":  # the script answers the two words with a plain 250, which is no welcome
        assert base64.b64encode(b"kontakt").decode() in said
    else:
        assert base64.b64encode(wanted.encode()).decode() in said
        assert sent == 1
        assert office.draft(letter).state is DraftState.SENT


def test_a_refused_sign_in_stops_the_pass_and_is_named(new_office: NewOffice, smtp: Script) -> None:
    """F52."""
    smtp.features, smtp.auth = WITH_AUTH, "535 5.7.8 wrong password"
    office = new_office()
    office.receive(access("Anna Berg"), access("Bo Ek"))
    for draft in office.drafts():
        office.approve(draft.id)

    done = office.send(IMPATIENT)

    assert smtp.connections == 1, "a wrong password is not hammered"
    assert "535 5.7.8 wrong password" in done.errors[0]["what"]
    first = office.drafts()[0]
    assert (first.state, first.waits_because) == (DraftState.APPROVED, "server_refuses_sign_in")
    assert smtp.senders == []


def test_a_sign_in_that_cannot_be_made_now_is_tried_again(new_office: NewOffice, smtp: Script) -> None:
    smtp.features, smtp.auth = WITH_AUTH, "454 4.7.0 temporary failure"
    office = new_office()
    letter = approved(office)
    office.send(IMPATIENT)
    assert office.draft(letter).waits_because == "retry_after_connect"


def test_a_server_that_wants_a_sign_in_first_is_at_fault_not_the_letter(new_office: NewOffice, smtp: Script) -> None:
    smtp.mail = "530 5.7.0 authentication required"
    office = new_office()
    letter = approved(office)
    done = office.send(IMPATIENT)
    assert office.draft(letter).state is DraftState.APPROVED
    assert "530" in done.errors[0]["what"]


def test_without_starttls_no_password_and_no_letter_leaves(new_office: NewOffice, smtp: Script) -> None:
    """F51."""
    smtp.features = WITH_AUTH
    office = new_office(smtp_security="starttls")
    letter = approved(office)

    done = office.send(IMPATIENT)

    assert not any(one.startswith(("AUTH", "MAIL")) for one in smtp.said)
    assert len(done.errors) == 1
    assert office.draft(letter).state is DraftState.APPROVED


@pytest.mark.parametrize("way", ["tls", "starttls"])
def test_letters_go_over_tls_when_the_certificate_is_trusted(
    new_office: NewOffice, smtp: Script, tmp_path: Path, way: str
) -> None:
    certificate = make_certificate(tmp_path)
    setattr(smtp, "tls" if way == "tls" else "start_tls", server_context(tmp_path))
    smtp.features = WITH_AUTH
    office = new_office(smtp_security=way, smtp_lines=f'ca_file = "{certificate}"')
    letter = approved(office)

    assert office.send(IMPATIENT).errors == []

    assert office.draft(letter).state is DraftState.SENT
    verbs = [one.partition(" ")[0].upper() for one in smtp.said]
    if way == "starttls":
        assert verbs.index("STARTTLS") < verbs.index("AUTH")


@pytest.mark.parametrize("way", ["tls", "starttls"])
def test_an_unknown_certificate_ends_the_talk_before_the_password(
    new_office: NewOffice, smtp: Script, tmp_path: Path, way: str
) -> None:
    """F51."""
    make_certificate(tmp_path)
    setattr(smtp, "tls" if way == "tls" else "start_tls", server_context(tmp_path))
    smtp.features = WITH_AUTH
    office = new_office(smtp_security=way)
    letter = approved(office)

    done = office.send(IMPATIENT)

    assert "certificate" in done.errors[0]["what"].lower()
    assert not any(one.startswith(("AUTH", "MAIL")) for one in smtp.said)
    assert office.draft(letter).state is DraftState.APPROVED
