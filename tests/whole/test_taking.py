"""Acceptance 2: `once` on a real Dovecot takes every mail, whatever it is, and touches nothing."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, Office
from tests.servers.proxy import Proxy
from tests.servers.writing import access, fresh_id, letter
from tests.whole.mailbag import COMPANY_LINES, MAILBOX_LINES, Sent, mailbag

from inboxbot.cases.values import CaseState

OpenHere = Callable[..., Office]
Install = Callable[..., Installation]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
Taken = tuple[Installation, list[Sent], Any, Any]
KINDS = {
    "access", "erasure", "unsubscribe", "complaint", "rectification", "portability", "objection", "restriction",
    "other",
}  # fmt: skip


def fill(dovecot: Dovecot, user: str, mails: list[Sent]) -> None:
    for folder in dict.fromkeys(one.folder for one in mails):
        name = "Skr&AOQ-ppost" if folder == "Skräppost" else folder
        dovecot.append(user, [one.message for one in mails if one.folder == folder], folder=name)


def tell(dovecot: Dovecot, user: str, *commands: tuple[str, ...], folder: str = "INBOX") -> None:
    """Do to a mailbox what staff do in their own mail program."""
    wire = dovecot.imap(user, folder)
    for command in commands:
        typ, data = wire.uid(*command)
        assert typ == "OK", data
    wire.logout()


@pytest.fixture(scope="module")
def taken(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """The mailbag, taken once by the real command; with the mailbox's state before."""
    from tests.servers.dovecot import free_port

    user = dovecot.new_user()
    mails = mailbag()
    fill(dovecot, user, mails)
    tell(dovecot, user, ("STORE", "3", "+FLAGS", "(\\Seen \\Flagged)"))
    before = {folder: dovecot.state(user, folder) for folder in ("INBOX", "Skr&AOQ-ppost", "Skickat")}
    installation = Installation(
        tmp_path_factory.mktemp("taken"), dovecot.port, free_port(), user, dovecot.password,
        company_lines=COMPANY_LINES, mailbox_lines=MAILBOX_LINES,
    )  # fmt: skip
    return installation, mails, before, installation.json("once")


def test_every_mail_is_taken_with_a_reason(taken: Taken) -> None:
    installation, mails, _, tally = taken
    assert len(mails) >= 30
    assert set(tally) == {
        "taken", "cases_opened", "followups", "ignored", "held", "ordinary", "drafts", "sent", "noticed", "errors",
    }  # fmt: skip
    assert tally["taken"] == len(mails)
    parts = ("cases_opened", "followups", "ignored", "held", "ordinary")
    assert tally["taken"] == sum(tally[name] for name in parts)
    assert (tally["sent"], tally["noticed"], tally["errors"]) == (0, 0, [])

    rows = {(row["folder"], row["uid"]): row for row in installation.json("ledger")}
    places: Counter[str] = Counter()
    for one in mails:
        places[one.folder] += 1
        row = rows.pop((one.folder, places[one.folder]))
        subject = one.message.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()
        if row["state"] == "held" and row["reason"] == "unsure" and one.state == "case":
            continue  # a person is asked: allowed for any mail that is a case
        assert row["state"] == one.state, (subject, row)
        assert row["reason"], subject
        if one.reason:
            assert row["reason"] == one.reason, subject
    assert rows == {}


def test_whose_case_each_is_and_what_it_asks(taken: Taken) -> None:
    installation, mails, _, tally = taken
    cases = installation.json("cases", "list")
    assert len(cases) == tally["cases_opened"] + tally["held"]
    by_requester: dict[Any, list[Any]] = {}
    for case in cases:
        by_requester.setdefault(case["requester"], []).append(case)
    for one in mails:
        if one.requester:
            found = by_requester[one.requester]
            assert len(found) == 1, one.requester
            if one.kinds and found[0]["state"] != "held":
                assert one.kinds <= {request["kind"] for request in found[0]["requests"]}, one.requester
    assert None in by_requester, "the mail without a sender has a case without a requester"


def test_cases_list_has_the_shape_of_the_contract(taken: Taken) -> None:
    installation, *_ = taken
    drafts = {one["id"]: one for one in installation.json("drafts", "list")}
    for case in installation.json("cases", "list"):
        assert re.fullmatch(r"EX-2026-\d{4}", case["reference"])
        assert case["state"] in {state.value for state in CaseState}
        assert case["mailbox"] == "kontakt@example.se"
        assert case["requester"] is None or case["requester"] == case["requester"].lower()
        assert re.fullmatch(r"[a-z]{2}", case["language"])
        assert MOMENT.fullmatch(case["opened_at"])
        assert case["requests"]
        for request in case["requests"]:
            assert request["kind"] in KINDS
            assert request["outcome"] is None
            for date in ("due_hard", "due_paused"):
                assert (request[date] is None) is (request["kind"] == "other")
                assert request[date] is None or DAY.fullmatch(request[date])
        assert set(case["promise"]) == {"due_at", "status", "first_answer_at"}
        assert case["promise"]["status"] == "running"
        assert MOMENT.fullmatch(case["promise"]["due_at"])
        assert case["promise"]["first_answer_at"] is None
        assert all(drafts[number]["case"] == case["reference"] for number in case["drafts"])
        if case["state"] == "open":
            assert len(case["drafts"]) == 1, "a new request has exactly one draft"


def test_drafts_list_and_show_have_the_shape_of_the_contract(
    taken: Taken,
) -> None:
    installation, _, _, tally = taken
    drafts = installation.json("drafts", "list")
    assert len(drafts) == tally["drafts"]
    for one in drafts:
        assert {"id", "case", "state", "template", "language", "to", "subject"} <= set(one)
        assert one["state"] == "proposed"
        assert one["case"] in one["subject"]
    shown = installation.json("drafts", "show", str(drafts[0]["id"]))
    assert {*drafts[0], "body", "checks"} <= set(shown)
    assert shown["body"].strip()
    assert isinstance(shown["checks"], list)


def test_the_report_has_the_figures_of_the_contract(taken: Taken) -> None:
    installation, *_ = taken
    report = json.loads(installation.run("report", "--json").stdout)
    assert {
        "from", "to", "received", "answered_within_promise", "answered_late", "unanswered_overdue", "running",
        "excused",
        "without_promise", "share_within_promise", "share_of_all", "median_first_answer_s", "p90_first_answer_s",
        "by_kind", "by_mailbox", "legal",
    } <= set(report)  # fmt: skip
    assert set(report["legal"]) >= {"due", "met", "missed", "running"}
    parts = ("answered_within_promise", "answered_late", "unanswered_overdue", "running")
    assert report["received"] == sum(report[name] for name in parts) + sum(report["excused"].values())
    assert report["running"] == report["received"] > 25
    assert report["share_within_promise"] is None
    assert report["share_of_all"] == 0


def test_classify_has_the_shape_of_the_contract(tmp_path: Path, taken: Taken) -> None:
    installation, mails, *_ = taken
    files = []
    for number, one in enumerate(mails[:3]):
        (tmp_path / f"{number}.eml").write_bytes(one.message)
        files.append(str(tmp_path / f"{number}.eml"))
    verdicts = installation.json("classify", *files)
    assert len(verdicts) == 3
    for verdict in verdicts:
        assert {"kinds", "confidence", "unsure", "reminder", "language", "robot", "evidence", "subject", "text"} <= set(
            verdict
        )
        assert set(verdict["kinds"]) <= KINDS
        assert verdict["kinds"]
        assert set(verdict["confidence"]) == KINDS
        assert verdict["language"] == "sv"
        assert verdict["robot"] is None
        for words in verdict["evidence"]:
            assert (
                verdict[{"subject": "subject", "body": "text"}[words["part"]]][words["start"] : words["end"]]
                == (words["text"])
            )


def test_nothing_in_the_mailbox_changed_and_a_second_run_takes_nothing(taken: Taken, dovecot: Dovecot) -> None:
    installation, _, before, _ = taken
    again = installation.json("once")
    assert {name: count for name, count in again.items() if count} == {}
    for folder, state in before.items():
        assert dovecot.state(installation.username, folder) == state


def test_only_reading_commands_are_spoken(open_here: OpenHere, dovecot: Dovecot) -> None:
    """E1."""
    with Proxy(("127.0.0.1", dovecot.port)) as proxy:
        office = open_here(imap_port=proxy.port)
        dovecot.append(office.installation.username, [access()])
        assert office.once().taken == 1
        assert set(proxy.verbs()) <= {
            "CAPABILITY", "AUTHENTICATE", "LIST", "EXAMINE", "UID SEARCH", "UID FETCH", "LOGOUT", "NOOP", "ID",
            "ENABLE",
        }  # fmt: skip


def test_the_first_look_is_silent_and_later_mail_is_taken(open_here: OpenHere, dovecot: Dovecot) -> None:
    """F38, F41."""
    office = open_here(start="now")
    user = office.installation.username
    dovecot.append(user, [access("Anna Berg"), access("Bo Ek")])
    first = office.once()
    assert (first.taken, first.cases_opened, first.drafts) == (0, 0, 0)
    assert Counter(row["state"] for row in office.ledger()) == {"baseline": 2}

    dovecot.append(user, [access("Cia Dahl")])
    assert office.once().cases_opened == 1
    flags = (("STORE", "1:*", "+FLAGS", "(\\Seen \\Answered)"), ("STORE", "2", "-FLAGS", "(\\Seen)"))
    tell(dovecot, user, *flags)
    assert office.once().taken == 0, "flags mean nothing"


def test_mail_from_before_the_start_date_is_listed_and_never_answered(open_here: OpenHere, dovecot: Dovecot) -> None:
    today = dt.datetime.now(dt.UTC).date()
    office = open_here(start=str(today))
    user = office.installation.username
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
    dovecot.append(user, [access("Anna Berg")], at=long_ago)
    dovecot.append(user, [access("Bo Ek")])

    tally = office.once()

    assert (tally.taken, tally.cases_opened, tally.drafts) == (1, 1, 1)
    assert [one.requester for one in office.cases()] == ["bo.ek@example.org"]
    assert Counter(row["state"] for row in office.ledger()) == {"baseline": 1, "case": 1}


@pytest.mark.parametrize("start", ["beginning", "now"])
def test_a_renumbered_mailbox_opens_no_case_again(open_here: OpenHere, dovecot: Dovecot, start: str) -> None:
    """F30."""
    office = open_here(start=start)
    user = office.installation.username
    dovecot.append(user, [one.message for one in mailbag(1_000) if one.folder == "INBOX"])
    office.once()
    cases, drafts = len(office.cases()), len(office.drafts())

    dovecot.append(user, [access("Zoe Ny")])
    dovecot.doveadm("mailbox", "update", "-u", user, "--uid-validity", "777777", "INBOX")
    tally = office.once()

    assert len(office.cases()) == cases + 1, "the mail from the blind window is taken, the others are known"
    assert len(office.drafts()) == drafts + 1
    assert tally.cases_opened == 1
    assert office.once().taken == 0


def test_moved_and_copied_mail_opens_no_case_again(open_here: OpenHere, dovecot: Dovecot) -> None:
    """F38."""
    office = open_here()
    user = office.installation.username
    dovecot.append(
        user, [access("Anna Berg"), access("Bo Ek"), letter("Hej", "När kommer paketet?", sender="x@example.org")]
    )
    assert office.once().cases_opened == 3

    tell(dovecot, user, ("COPY", "1", "INBOX"), ("MOVE", "2", "Skr&AOQ-ppost"), ("COPY", "3", "INBOX"))
    tally = office.once()

    assert (tally.cases_opened, tally.held, tally.followups) == (0, 0, 3)
    assert {row["reason"] for row in office.ledger()[3:]} == {"same_mail"}
    assert len(office.cases()) == 3
    assert len(office.drafts()) == 3
    tell(dovecot, user, ("MOVE", "1:*", "Utkast"))
    office.once()
    assert {one.state for one in office.cases()} == {CaseState.OPEN}, "a mail that goes away closes nothing"


def test_two_copies_that_come_together_are_one_case(open_here: OpenHere, dovecot: Dovecot) -> None:
    office = open_here()
    same = access("Anna Berg")
    dovecot.append(office.installation.username, [same, access("Bo Ek"), same])
    tally = office.once()
    assert (tally.taken, tally.cases_opened, tally.followups) == (3, 2, 1)


def test_spam_that_staff_move_to_the_inbox_is_taken_as_new(open_here: OpenHere, dovecot: Dovecot) -> None:
    """F39."""
    office = open_here()
    user = office.installation.username
    dovecot.append(user, [letter("Paket", "När kommer mitt paket? Jag väntar.", sender="x@example.org")],
                   folder="Skr&AOQ-ppost")  # fmt: skip
    first = office.once()
    assert first.taken == 1
    if first.ignored:  # a mail that may ask for something is held at once, and is then the same mail
        tell(dovecot, user, ("MOVE", "1", "INBOX"), folder="Skr&AOQ-ppost")
        assert office.once().cases_opened == 1


def test_one_bad_mail_stops_only_itself(open_here: OpenHere, dovecot: Dovecot) -> None:
    """C, general rule: one mail stops only itself; E19."""
    office = open_here()
    bad = sorted((Path(__file__).parents[1] / "mails").glob("*.eml"))
    assert len(bad) > 80
    good = [access(f"Person Nummer{number}") for number in range(len(bad))]
    mails = [one for pair in zip([file.read_bytes() for file in bad], good, strict=True) for one in pair]
    usable = [one.replace(b"\0", b"") for one in mails]
    dovecot.append(office.installation.username, usable)

    tally = office.once()

    assert tally.taken == len(mails)
    wanted = {f"person.nummer{number}@example.org" for number in range(len(bad))}
    assert wanted <= {one.requester for one in office.cases()}
    assert all(row["reason"] for row in office.ledger())


def test_several_companies_and_an_unreachable_server(installation: Install, dovecot: Dovecot) -> None:
    other = dovecot.new_user()
    more = f'''
[[company.mailbox]]
address = "support@example.se"
start = "beginning"
[company.mailbox.imap]
host = "127.0.0.1"
port = 1
security = "none"
username = "x"
password_file = "imap-password"
[company.mailbox.smtp]
host = "127.0.0.1"
port = 1
security = "none"

[[company]]
name = "Andra AB"
organisation_number = "556000-0001"
reference_prefix = "AN"
[[company.mailbox]]
address = "info@example.com"
start = "beginning"
[company.mailbox.imap]
host = "127.0.0.1"
port = {dovecot.port}
security = "none"
username = "{other}"
password_file = "imap-password"
[company.mailbox.smtp]
host = "127.0.0.1"
port = 1
security = "none"
'''
    house = installation(more=more)
    dovecot.append(house.username, [access("Anna Berg")])
    ordinary = letter("Hej", "När har ni öppet i helgen? Mvh Per", sender="per@example.org", to="info@example.com")
    dovecot.append(other, [access("Bo Ek", to="info@example.com"), ordinary])

    done = house.run("once", "--json", check=False)

    assert done.returncode == 1
    tally = json.loads(done.stdout)
    assert [(one["mailbox"], one["where"]) for one in tally["errors"]] == [("support@example.se", "127.0.0.1:1")]
    assert tally["errors"][0]["what"]
    cases = {one["requester"]: one for one in house.json("cases", "list")}
    assert cases["anna.berg@example.org"]["reference"] == "EX-2026-0001"
    assert cases["bo.ek@example.org"]["reference"] == "AN-2026-0001"
    assert cases["bo.ek@example.org"]["promise"] == {"due_at": None, "status": "none", "first_answer_at": None}
    assert (tally["taken"], tally["ordinary"]) == (3, 1), "ordinary mail to a mailbox without a promise is no case"
    assert "Traceback" not in done.stderr
    told = house.run("once", check=False)
    assert "127.0.0.1:1" in told.stderr


@pytest.mark.parametrize(
    ("fault", "words"),
    [({"password": "fel"}, ("refused", "password")), ({"imap_port": 1}, ("127.0.0.1:1",)),
     ({"mailbox_lines": 'folders = {sent = "Finns inte"}'}, ("Finns inte",))],
    ids=["password", "port", "folder"],
)  # fmt: skip
def test_a_mailbox_that_cannot_be_served_is_named_in_one_message(
    installation: Install, fault: dict[str, Any], words: tuple[str, ...]
) -> None:
    done = installation(**fault).run("once", check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_followups_join_by_headers_token_and_reference_only_for_the_requester(
    open_here: OpenHere, dovecot: Dovecot
) -> None:
    """C19, C20, E13."""
    office = open_here()
    user = office.installation.username
    first = fresh_id()
    dovecot.append(user, [access("Anna Berg", message_id=first)])
    office.once()
    (draft,) = office.drafts()
    reference = office.cases()[0].reference
    anna = "Anna Berg <anna.berg@example.org>"
    words = "Här kommer lite mer om mitt ärende, som ni bad om."
    dovecot.append(user, [
        letter("Re: Mina uppgifter", words, sender=anna, in_reply_to=first),
        letter("Re: nånting", words, sender=anna, in_reply_to=draft.message_id),
        letter(f"SV: fråga [{reference}]", words, sender=anna),
        letter(f"SV: fråga [{reference}]", words, sender="Mallory <mallory@example.com>"),
        letter("Re: Mina uppgifter", words, sender="Mallory <mallory@example.com>", in_reply_to=first,
               references=[draft.message_id]),
    ])  # fmt: skip

    tally = office.once()

    assert tally.followups == 3
    reasons = [row["reason"] for row in office.ledger()[1:]]
    assert reasons[:3] == ["followup"] * 3
    assert set(reasons[3:]) <= {"stranger_quotes_reference", "unsure"}, "a case of their own, or a person looks"
    assert {row["case"] for row in office.ledger()[:4]} == {reference}
    assert reference not in {row["case"] for row in office.ledger()[4:]}
    assert [one.requester for one in office.cases()][1:] == ["mallory@example.com"] * 2


def test_what_staff_answered_before_the_first_look_is_answered(open_here: OpenHere, dovecot: Dovecot) -> None:
    office = open_here(start="beginning")
    user = office.installation.username
    question = access("Anna Berg")
    dovecot.append(user, [question], at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=3))
    asked = re.search(rb"(?im)^Message-ID:\s*(<[^>]+>)", question)
    assert asked
    answer = (
        b"From: kontakt@example.se\r\nTo: anna.berg@example.org\r\nSubject: Re: svar\r\n"
        b"Message-ID: <svar1@example.se>\r\nIn-Reply-To: " + asked.group(1) + b"\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n\r\nHej Anna!\r\n"
    )
    dovecot.append(user, [answer], folder="Skickat", at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))

    tally = office.once()

    assert (tally.cases_opened, tally.noticed) == (1, 1)
    assert office.cases()[0].promises[0].answered_at is not None
