"""A case of each kind goes from the request to its close through commands alone."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.requests.commands import COMPANY, Person
from tests.servers.offices import NewOffice
from tests.servers.scripted_smtp import Script

from inboxbot.cases.legal_date import written_date

REGISTER = """
automated_decisions = false
[[company.systems]]
name = "Register"
holds = "namn"
purpose = "kontakt"
retention = "ett år"
"""

# kind, answers of the lines, outcome that follows, texts for the letter, its template, words it must say
STORIES = [
    (
        "erasure",
        [("Webbutik", "erased"), ("Bokföring", "kept", "--purchase", "2024-05-02"), ("Frakt Exempel AB", "told")],
        "partly_granted",
        [],
        "erasure_partial",
        ["31 december 2031", "7 kap. 2 § bokföringslagen", "Frakt Exempel AB", "domstol", "{backups}"],
    ),
    (
        "erasure",
        [("Webbutik", "erased"), ("Bokföring", "nothing"), ("Frakt Exempel AB", "told")],
        "granted",
        [],
        "erasure",
        [
            "Vi har raderat dina personuppgifter",
            "Webbutik",
            "säkerhetskopior försvinner uppgifterna senast den {backups}",
        ],
    ),
    (
        "rectification",
        [("Webbutik", "corrected"), ("Bokföring", "nothing"), ("Frakt Exempel AB", "told")],
        "granted",
        ["changes=Efternamnet är ändrat från Ek till Eck."],
        "rectification",
        ["Efternamnet är ändrat"],
    ),
    (
        "objection",
        [("Webbutik", "stopped"), ("Bokföring", "nothing")],
        "granted",
        ["use=statistik över köp"],
        "objection",
        ["statistik över köp"],
    ),
    (
        "objection",
        [("Webbutik", "continues", "--detail", "behövs i en tvist"), ("Bokföring", "nothing")],
        "refused",
        ["use=statistik", "reason=att uppgifterna behövs i en tvist", "circumstances=tvisten pågår sedan i mars"],
        "objection_refused",
        ["Integritetsskyddsmyndigheten", "domstol"],
    ),
    (
        "restriction",
        [("Webbutik", "restricted"), ("Bokföring", "nothing"), ("Frakt Exempel AB", "told")],
        "granted",
        ["reason=att du bestrider att uppgifterna är riktiga"],
        "restriction",
        ["innan begränsningen upphör"],
    ),
]


@pytest.mark.parametrize(("kind", "answers", "outcome", "texts", "template", "words"), STORIES)
def test_a_request_is_decided_told_and_closed(
    new_office: NewOffice,
    smtp: Script,
    kind: str,
    answers: list[tuple[str, ...]],
    outcome: str,
    texts: list[str],
    template: str,
    words: list[str],
) -> None:
    office = new_office(company_lines=COMPANY)
    eva = Person(office)
    reference = eva.opens(kind)
    assert "not every line is decided" in eva.is_refused("cases", "outcome", reference, kind)
    for name, answer, *more in answers:
        eva.says("cases", "line", reference, kind, name, answer, *more)
    options = [option for text in texts for option in ("--text", text)]
    eva.says("cases", "outcome", reference, kind, *options)
    letter = eva.letter(reference)
    assert letter["template"] == template
    shown = eva.asks("drafts", "show", str(letter["id"]))
    assert not [one for one in shown["checks"] if one["blocks"]], shown["checks"]
    gone = dt.datetime.now(ZoneInfo("Europe/Stockholm")).date() + dt.timedelta(days=90)
    for wanted in words:
        assert wanted.format(backups=written_date(gone, "sv")) in " ".join(shown["body"].split())
    eva.approves(letter["id"])
    office.send()
    case = eva.case(reference)
    assert case["state"] == "closed"
    assert case["requests"][0]["outcome"] == outcome
    assert len(smtp.taken) == 1
    assert {one["state"] for one in case["drafts"]} == {"sent", "superseded"}


def test_an_opt_out_is_confirmed_and_entered_in_one_step(new_office: NewOffice, smtp: Script) -> None:
    office = new_office()
    eva = Person(office)
    reference = eva.opens("unsubscribe")
    eva.approves(eva.letter(reference)["id"])
    assert len(eva.asks("suppression", "list")) == 1
    office.send()
    case = eva.case(reference)
    assert (case["state"], case["requests"][0]["outcome"]) == ("closed", "granted")
    body = email.message_from_bytes(smtp.taken[0], policy=email.policy.default).get_content()
    assert "spärrlista" in body


def test_portable_data_goes_out_as_a_file_to_the_proven_address(
    new_office: NewOffice, smtp: Script, tmp_path: Path
) -> None:
    office = new_office(company_lines=REGISTER)
    eva = Person(office)
    reference = eva.opens("portability")
    eva.says("cases", "line", reference, "portability", "Register", "found")
    eva.says("cases", "outcome", reference, "portability")
    letter = eva.letter(reference)
    assert letter["template"] == "portability"
    copy = tmp_path / "data.json"
    copy.write_text("{}", encoding="utf-8")
    eva.says("drafts", "attach", str(letter["id"]), str(copy))
    known = ("--address-on-file", "bo@example.org", "--found-in", "Register", "--fact", "facts_confirmed")
    eva.says("cases", "identity", reference, *known)
    eva.approves(letter["id"])
    office.send()
    assert eva.case(reference)["state"] == "closed"
    assert len(smtp.taken) == 1


def test_a_complaint_is_answered_with_what_happened(new_office: NewOffice) -> None:
    office = new_office()
    eva = Person(office)
    reference = eva.opens("complaint")
    texts = ("what_happened=Ett utskick gick fel.", "what_we_do=Listan är rättad.", "decided_by=Eva Ek")
    options = [option for text in texts for option in ("--text", text)]
    eva.says("cases", "outcome", reference, "complaint", "granted", *options)
    eva.approves(eva.letter(reference)["id"])
    office.send()
    assert eva.case(reference)["state"] == "closed"


def test_an_access_letter_goes_only_complete_and_only_to_a_proven_address(
    new_office: NewOffice, smtp: Script, tmp_path: Path
) -> None:
    office = new_office(company_lines=COMPANY)
    eva = Person(office)
    reference = eva.opens("access")
    for line, answer in (("system:Webbutik", "found"), ("Bokföring", "nothing"), ("namn", "found")):
        eva.says("cases", "line", reference, "access", line, answer)
    assert "category:köp" in eva.is_refused("cases", "outcome", reference, "access")
    eva.says("cases", "line", reference, "access", "köp", "found")
    eva.says("cases", "outcome", reference, "access")
    letter = eva.letter(reference)["id"]
    refusal = eva.is_refused("drafts", "approve", str(letter), "--by", "Eva Ek")
    assert "not proven who asks" in refusal
    assert "not attached" in refusal
    copy = tmp_path / "utdrag.json"
    copy.write_text('{"namn": "Bo"}', encoding="utf-8")
    eva.says("drafts", "attach", str(letter), str(copy))
    eva.says("cases", "identity", reference, "--address-on-file", "bo@example.org", "--found-in", "Webbutik")
    assert "not proven" in eva.is_refused("drafts", "approve", str(letter), "--by", "Eva Ek")
    eva.says("cases", "identity", reference, "--fact", "facts_confirmed")
    eva.approves(letter)
    eva.says("drafts", "edit", str(letter), "--subject", f"Ditt registerutdrag [{reference}]")
    assert eva.asks("drafts", "show", str(letter))["state"] == "proposed"
    office.send()
    assert smtp.taken == []
    eva.approves(letter)
    office.send()
    mail = email.message_from_bytes(smtp.taken[0], policy=email.policy.default)
    assert [part.get_filename() for part in mail.iter_attachments()] == ["utdrag.json"]
    assert "utdrag.json" in mail.get_body().get_content()  # type: ignore[union-attr]
    assert eva.case(reference)["state"] == "closed"


def test_what_staff_keep_without_saying_why_is_kept_on_the_ground_of_its_system(new_office: NewOffice) -> None:
    ground = 'holds = "fakturor"\nkeep_ground = "bookkeeping"\nlooked_after_by = "ekonomi"'
    eva = Person(new_office(company_lines=COMPANY.replace('holds = "fakturor"', ground)))
    reference = eva.opens("erasure")
    eva.says("cases", "line", reference, "erasure", "Bokföring", "kept", "--until", "2031-12-31")
    eva.says("cases", "line", reference, "erasure", "Webbutik", "kept", "--until", "2031-12-31")
    shop, books, _ = eva.asks("cases", "checklist", reference)[0]["lines"]
    assert (books["ground"], books["lack"], books["looked_after_by"]) == ("bookkeeping", None, "ekonomi")
    assert (shop["ground"], shop["lack"], shop["looked_after_by"]) == (None, "no_ground", "")


def test_data_goes_to_an_unproven_address_only_when_two_people_say_so(
    new_office: NewOffice, smtp: Script, tmp_path: Path
) -> None:
    """E8, E9."""
    office = new_office(company_lines=REGISTER)
    eva = Person(office)
    reference = eva.opens("access")
    eva.says("cases", "line", reference, "access", "Register", "found")
    eva.says("cases", "outcome", reference, "access", "--text", "no_recipients=Ingen annan har uppgifterna.")
    letter = str(eva.letter(reference)["id"])
    copy = tmp_path / "utdrag.csv"
    copy.write_text("namn\nBo\n", encoding="utf-8")
    eva.says("drafts", "attach", letter, str(copy))
    reason = ("--override", "Hon visade sig i butiken")
    assert "second person" in eva.says("drafts", "approve", letter, "--by", "Eva Ek", *reason)
    assert "second person" in eva.is_refused("drafts", "approve", letter, "--by", "Eva Ek", *reason)
    office.send()
    assert smtp.taken == []
    eva.approves(int(letter), "Bo Chef")
    office.send()
    assert len(smtp.taken) == 1


def test_a_letter_is_made_anew_when_the_checklist_it_was_made_from_changes(new_office: NewOffice) -> None:
    """A-01: it would say "nothing found" of what was found since."""
    office = new_office(company_lines=COMPANY)
    eva = Person(office)
    reference = eva.opens("erasure")
    for name, answer in (("Webbutik", "erased"), ("Bokföring", "nothing"), ("Frakt Exempel AB", "told")):
        eva.says("cases", "line", reference, "erasure", name, answer)
    assert "no text of a letter" in eva.is_refused("cases", "outcome", reference, "erasure", "--text", "resaon=x")
    eva.says("cases", "outcome", reference, "erasure")
    letter = eva.letter(reference)["id"]
    eva.approves(letter)
    eva.says("cases", "line", reference, "erasure", "Bokföring", "kept", "--purchase", "2024-05-02")
    refusal = eva.is_refused("drafts", "approve", str(letter), "--by", "Eva Ek")
    assert "the checklist was changed after this letter was made from it" in refusal
    assert "`cases outcome`" in refusal
    eva.says("cases", "outcome", reference, "erasure")
    newest = eva.letter(reference)
    assert (newest["template"], newest["id"] > letter) == ("erasure_partial", True)
    eva.approves(newest["id"])


@pytest.mark.parametrize("said", [("withdrawn",), ("--told",)])
def test_a_letter_of_an_outcome_that_changed_or_was_told_cannot_leave(
    new_office: NewOffice, said: tuple[str, ...]
) -> None:
    office = new_office(company_lines=REGISTER)
    eva = Person(office)
    reference = eva.opens("erasure")
    eva.says("cases", "line", reference, "erasure", "Register", "erased")
    eva.says("cases", "outcome", reference, "erasure")
    letter = str(eva.letter(reference)["id"])
    eva.says("cases", "outcome", reference, "erasure", *said)
    assert "the letter is superseded" in eva.is_refused("drafts", "approve", letter, "--by", "Eva Ek")


def test_a_file_goes_only_to_a_proven_address_whatever_letter_it_is_put_to(
    new_office: NewOffice, smtp: Script, tmp_path: Path
) -> None:
    """E8: what a file holds cannot be seen, so it counts as data."""
    office = new_office(company_lines=REGISTER)
    eva = Person(office)
    reference = eva.opens("access")
    letter = str(eva.letter(reference)["id"])
    copy = tmp_path / "utdrag.csv"
    copy.write_text("namn\nBo\n", encoding="utf-8")
    eva.says("drafts", "attach", letter, str(copy))
    refusal = eva.is_refused("drafts", "approve", letter, "--by", "Eva Ek")
    assert "data goes only to a proven address" in refusal
    assert "address on file" in refusal
    eva.says("drafts", "attach", letter, "--replace")
    eva.approves(int(letter))
    office.send()
    (sent,) = smtp.taken
    assert b"Bo" not in sent.partition(b"\r\n\r\n")[2]


def test_a_letter_edited_since_it_was_shown_is_not_approved_by_what_was_shown(
    new_office: NewOffice, smtp: Script
) -> None:
    """S4."""
    office = new_office(company_lines=REGISTER)
    eva = Person(office)
    reference = eva.opens("access")
    letter = str(eva.letter(reference)["id"])
    shown = eva.asks("drafts", "show", letter)["digest"]
    eva.says("drafts", "edit", letter, "--subject", f"Din begäran [{reference}]")
    refusal = eva.is_refused("drafts", "approve", letter, "--by", "Eva Ek", "--digest", shown)
    assert "the letter was changed meanwhile" in refusal
    now = eva.says("drafts", "show", letter).split("--digest ")[1].split()[0]
    eva.says("drafts", "approve", letter, "--by", "Eva Ek", "--digest", now)

    eva.says("drafts", "edit", letter, "--subject", f"Om din begäran [{reference}]")
    assert "Eva Ek approved it before it was changed" in eva.says("drafts", "show", letter)
    office.send()
    assert smtp.taken == []
    assert "changed meanwhile" in eva.is_refused("drafts", "approve", letter, "--by", "Eva Ek", "--digest", now)
    eva.approves(int(letter))
    office.send()
    assert len(smtp.taken) == 1


def test_an_encrypted_answer_opens_only_with_its_passphrase(
    new_office: NewOffice, smtp: Script, tmp_path: Path
) -> None:
    import io

    import pyzipper

    office = new_office()
    eva = Person(office)
    reference = eva.opens("other")
    letter = str(eva.letter(reference)["id"])
    copy = tmp_path / "svar.txt"
    copy.write_text("hemligt svar", encoding="utf-8")
    words = tmp_path / "ord"
    words.write_text("en lång fras att minnas\n", encoding="utf-8")
    eva.says("drafts", "attach", letter, str(copy), "--passphrase-file", str(words))
    eva.approves(int(letter))
    office.send()
    assert b"hemligt svar" not in smtp.taken[0]
    mail = email.message_from_bytes(smtp.taken[0], policy=email.policy.default)
    data = next(iter(mail.iter_attachments())).get_payload(decode=True)
    with pyzipper.AESZipFile(io.BytesIO(data)) as archive:
        archive.setpassword(b"wrong")
        with pytest.raises(RuntimeError):
            archive.read("svar.txt")
        archive.setpassword("en lång fras att minnas".encode())
        assert archive.read("svar.txt").decode() == "hemligt svar"


def test_bad_answers_are_refused_with_what_would_do(new_office: NewOffice, tmp_path: Path) -> None:
    office = new_office(company_lines=COMPANY)
    eva = Person(office)
    reference = eva.opens("erasure")
    assert "system:Webbutik" in eva.is_refused("cases", "line", reference, "erasure", "Arkivet", "erased")
    assert "erased, nothing, kept" in eva.is_refused("cases", "line", reference, "erasure", "Webbutik", "corrected")
    assert "does not ask for access" in eva.is_refused("cases", "line", reference, "access", "Webbutik", "found")
    assert "there is no case" in eva.is_refused("cases", "show", "EX-2026-9999")
    assert "there is no letter" in eva.is_refused("drafts", "new", reference, "julkort")
    assert "address on file" in eva.is_refused("drafts", "new", reference, "code")
    letter = str(eva.letter(reference)["id"])
    script = tmp_path / "svar.html"
    script.write_text("<script>", encoding="utf-8")
    assert "files of this type" in eva.is_refused("drafts", "attach", letter, str(script))
    assert "no such file" in eva.is_refused("drafts", "attach", letter, str(tmp_path / "saknas.pdf"))
    assert "not a mail address" in eva.is_refused("drafts", "edit", letter, "--to", "ingen adress")
    assert "there is no outcome" in eva.is_refused("cases", "close", reference)


@pytest.mark.parametrize("template", ["access", "erasure"])
def test_a_letter_chosen_by_hand_is_held_to_the_checklist_and_the_proof_as_well(
    new_office: NewOffice, template: str
) -> None:
    eva = Person(new_office(company_lines=COMPANY))
    reference = eva.opens(template)
    eva.says("drafts", "new", reference, template)
    refusal = eva.is_refused("drafts", "approve", str(eva.letter(reference)["id"]), "--by", "Eva Ek")
    assert f"{template} has no outcome" in refusal, "and an outcome is only recorded when every line is decided"
    assert ("not proven who asks" in refusal) is (template == "access")
