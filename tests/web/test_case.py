"""The case page and everything that is done there, as a browser without JavaScript does it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.servers.installation import Office
from tests.servers.scripted_smtp import Script
from tests.servers.writing import letter
from tests.web.house import Person, signed_in

from inboxbot.cases.values import Case, CaseState, DraftState
from inboxbot.desk.context import Actor
from inboxbot.desk.edit import edit
from inboxbot.sorting.kinds import Kind
from inboxbot.store.drafts import Draft


def case_of(office: Office, address: str) -> Case:
    return next(one for one in office.cases() if one.requester == address)


def newest(office: Office, case: Case) -> Draft:
    return [one for one in office.drafts() if one.case_id == case.id][-1]


@pytest.fixture
def access(office: Office) -> Case:
    return case_of(office, "anna.berg@example.org")


def test_it_shows_the_mail_with_its_decisive_words_and_the_clocks(eva: Person, access: Case) -> None:
    page = eva.get(f"/cases/{access.reference}").text
    assert "anna.berg@example.org" in page
    assert '<mark class="kind-access"' in page
    assert "inom 24 timmar" in page
    assert "en månad från den dagen" in page
    assert "Nivå 0" in page


def test_what_a_mail_shows_is_ticked_so_that_recording_something_else_does_not_take_it_back(
    office: Office, eva: Person
) -> None:
    office.receive(letter("Registerutdrag", "Som ombud för Gun Ek begär jag registerutdrag.", sender="om@example.net"))
    page = f"/cases/{case_of(office, 'om@example.net').reference}"
    assert 'value="on_behalf" checked' in eva.get(page).text
    assert 'value="mandate_checked" checked' not in eva.get(page).text


def test_an_approved_letter_waits_and_can_be_called_back(
    office: Office, eva: Person, smtp: Script, access: Case
) -> None:
    draft = newest(office, access)
    eva.get(f"/cases/{access.reference}")
    assert "Skickas om" in eva.approve(access.reference, draft.id).text
    assert office.send().sent == 0
    eva.do(f"/cases/{access.reference}/letters/{draft.id}/recall")
    office.clock.advance(seconds=30)
    assert office.send().sent == 0
    assert office.draft(draft.id).state is DraftState.PROPOSED
    eva.approve(access.reference, draft.id)
    office.clock.advance(seconds=30)
    assert office.send().sent == 1
    assert len(smtp.taken) == 1
    assert "För sent" in eva.do(f"/cases/{access.reference}/letters/{draft.id}/recall", csrf=eva.field("csrf")).text
    entries = [one for one in office.rows("SELECT event, actor, door FROM history") if one[0] == "draft_approved"]
    assert entries == [("draft_approved", "Eva Ek", "web")] * 2


def test_a_text_that_was_changed_meanwhile_is_not_approved(office: Office, eva: Person, access: Case) -> None:
    """E52."""
    draft = newest(office, access)
    eva.get(f"/cases/{access.reference}")
    old = eva.seen(draft.id)
    edit(
        office.desk,
        draft.id,
        actor=Actor("Stina Staf", "terminal"),
        now=office.clock(),
        body=draft.body.replace("Hej", "God dag"),
    )
    answer = eva.approve(access.reference, draft.id, **old)
    assert answer.status_code == 409
    assert "Inget skickades" in answer.text
    assert "God dag Anna," in answer.text.partition('class="diff"')[2].partition("</ul>")[0]
    assert office.draft(draft.id).state is DraftState.PROPOSED
    assert eva.approve(access.reference, draft.id).status_code == 200
    assert office.draft(draft.id).state is DraftState.APPROVED


@pytest.mark.parametrize(
    "wrong", [{"version": "0"}, {"version": "x"}, {"seen": "0" * 64}, {"seen": "å"}, {"version": "9" * 30}]
)
def test_what_was_not_looked_at_is_not_approved(
    office: Office, eva: Person, access: Case, wrong: dict[str, str]
) -> None:
    draft = newest(office, access)
    eva.get(f"/cases/{access.reference}")
    assert eva.approve(access.reference, draft.id, **wrong).status_code == 409
    assert office.draft(draft.id).state is DraftState.PROPOSED


def test_two_who_approve_at_once_send_one_letter(office: Office, app: Any, smtp: Script, access: Case) -> None:
    """F100."""
    draft = newest(office, access)
    people = [signed_in(app, "Eva Ek"), signed_in(app, "Ada Admin")] * 3
    answers = []
    for one in people:
        one.get(f"/cases/{access.reference}")
    forms = [(one, one.seen(draft.id), one.field("csrf")) for one in people]

    def send(one: Person, seen: dict[str, str], csrf: str) -> None:
        path = f"/cases/{access.reference}/letters/{draft.id}/approve"
        answers.append(one.post(path, csrf=csrf, **seen).status_code)

    threads = [threading.Thread(target=send, args=form) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {303, 409}
    assert len(answers) == 6
    assert office.rows("SELECT count(*) FROM approvals WHERE void_at IS NULL") == [(1,)]
    office.clock.advance(seconds=30)
    office.send()
    office.send()
    assert len(smtp.taken) == 1


def test_a_refresh_of_the_approval_sends_nothing_more(office: Office, eva: Person, access: Case) -> None:
    """F103."""
    draft = newest(office, access)
    eva.get(f"/cases/{access.reference}")
    form = {**eva.seen(draft.id), "csrf": eva.field("csrf")}
    path = f"/cases/{access.reference}/letters/{draft.id}/approve"
    assert eva.post(path, **form).status_code == 303
    assert "redan godkänt" in eva.do(path, **form).text
    assert office.rows("SELECT count(*) FROM approvals") == [(1,)]


def test_an_edit_keeps_what_a_colleague_wrote_meanwhile(office: Office, eva: Person, access: Case) -> None:
    """F100."""
    draft = newest(office, access)
    path = f"/cases/{access.reference}/letters/{draft.id}/edit"
    eva.get(f"/cases/{access.reference}")
    form = {
        "version": eva.field("version", 'edit"'),
        "words": eva.field("words", 'edit"'),
        "recipient": draft.recipient,
        "subject": draft.subject,
    }
    assert eva.do(path, **form, body=draft.body + "\r\nRad ett").status_code == 200
    assert office.draft(draft.id).body == draft.body + "\nRad ett"
    late = eva.do(path, **form, body=draft.body + "\nRad två")
    assert late.status_code == 409
    assert "Rad två" in late.text
    assert "Rad ett" in late.text.partition('class="diff"')[2].partition("</ul>")[0]
    assert office.draft(draft.id).body == draft.body + "\nRad ett"


@pytest.mark.parametrize("fields", [{"body": "   "}, {"recipient": "inte en adress"}, {"subject": ""}])
def test_an_edit_that_cannot_be_taken_keeps_what_was_typed(
    office: Office, eva: Person, access: Case, fields: dict[str, str]
) -> None:
    draft = newest(office, access)
    eva.get(f"/cases/{access.reference}")
    version = eva.field("version", 'edit"')
    form = {"version": version, "recipient": "ny@example.org", "subject": "Ämne", "body": "Mina nya ord"} | fields
    answer = eva.do(f"/cases/{access.reference}/letters/{draft.id}/edit", **form)
    assert answer.status_code == 422
    assert fields.get("body") or "Mina nya ord" in answer.text
    assert office.draft(draft.id).body == draft.body


def test_a_held_case_is_confirmed_relabelled_dismissed_and_taken_back(office: Office, eva: Person) -> None:
    held = case_of(office, "ida.ros@example.org")
    assert held.state is CaseState.HELD
    page = f"/cases/{held.reference}"
    assert "sorteringen är osäker" in eva.get(page).text
    eva.do(f"{page}/dismiss")
    assert office.case(held.reference).state is CaseState.DISMISSED
    eva.do("/undo", back=page)
    again = office.case(held.reference)
    assert (again.state, again.held_reason) == (CaseState.HELD, held.held_reason)
    assert [one.outcome for one in again.requests] == [None] * len(again.requests)
    assert [one.excused for one in again.promises] == [None]
    assert newest(office, held).state is DraftState.PROPOSED
    eva.do(f"{page}/relabel", kind=["erasure", "access"])
    assert office.case(held.reference).state is CaseState.OPEN
    asked = {one.kind for one in office.case(held.reference).requests if one.outcome is None}
    assert asked == {Kind.ERASURE, Kind.ACCESS}


def test_ordinary_mail_needs_no_answer_and_that_can_be_taken_back(office: Office, eva: Person) -> None:
    case = case_of(office, "bo@example.net")
    eva.get(f"/cases/{case.reference}")
    eva.do(f"/cases/{case.reference}/no-answer", reason="thanks")
    closed = office.case(case.reference)
    assert (closed.state, closed.promises[0].excused) == (CaseState.CLOSED, "thanks")
    eva.do("/undo", back="/")
    assert office.case(case.reference).state is CaseState.OPEN


def test_an_access_request_is_walked_to_its_letter(office: Office, eva: Person, smtp: Script, access: Case) -> None:
    page = f"/cases/{access.reference}"
    first = newest(office, access)
    eva.get(page)
    eva.approve(access.reference, first.id)
    office.clock.advance(seconds=30)
    office.send()
    eva.get(page)
    assert office.case(access.reference).state is CaseState.WAITING
    eva.do(f"{page}/identity", address_on_file="anna.berg@example.org", found_in="Webbutiken", fact="facts_confirmed")
    assert "Nivå 3" in eva.page
    eva.do(
        f"{page}/lines",
        kind="access",
        line=["system:Webbutiken", "category:namn och adress"],
        answer_0="found",
        detail_0="konto och två beställningar",
        answer_1="found",
        detail_1="namn och adress",
    )
    assert "2 av 2 klara" in eva.page
    eva.do(f"{page}/outcome", kind="access", outcome="")
    told = newest(office, access)
    assert (told.template, told.state) == ("access", DraftState.PROPOSED)
    assert "är inte bifogad" in eva.page
    refused = eva.approve(access.reference, told.id)
    assert refused.status_code == 409
    files = {"file": ("../../utdrag.csv", b"namn;Anna Berg\n", "text/csv")}
    eva.do(f"{page}/letters/{told.id}/files", files=files)
    assert "utdrag.csv" in eva.page
    body = office.draft(told.id).body
    for gap in ("safeguards", "automated_logic", "no_recipients"):
        body = body.replace(f"[[{gap}]]", "Inga uppgifter lämnas utanför EES.")
    if body != office.draft(told.id).body:
        form = {"version": eva.field("version", 'edit"'), "recipient": told.recipient, "subject": told.subject}
        eva.do(f"{page}/letters/{told.id}/edit", **form, body=body)
    assert eva.approve(access.reference, told.id).status_code == 200, eva.page
    office.clock.advance(seconds=30)
    office.send()
    assert len(smtp.taken) == 2
    assert b'filename="utdrag.csv"' in smtp.taken[1]
    assert office.case(access.reference).requests[0].told_at is not None


def test_files_that_are_not_sent_are_refused_in_words(office: Office, eva: Person, access: Case) -> None:
    """E42."""
    draft = newest(office, access)
    eva.get(f"/cases/{access.reference}")
    path = f"/cases/{access.reference}/letters/{draft.id}/files"
    assert eva.post(path, files={"file": ("a.exe", b"MZ", "application/x")}).status_code == 422
    assert "/tmp" not in eva.page
    assert "inboxbot-web-" not in eva.page
    assert eva.post(path).status_code == 422


def test_notes_assignment_letters_merge_and_split(office: Office, eva: Person, access: Case) -> None:
    page, other = f"/cases/{access.reference}", case_of(office, "bo@example.net")
    eva.get(page)
    eva.do(f"{page}/note", words="Ringde och <b>frågade</b>", phone="1")
    assert "Ringde och &lt;b&gt;frågade&lt;/b&gt;" in eva.page
    eva.do(f"{page}/assign", to="Stina Staf")
    assert office.case(access.reference).assignee == "Stina Staf"
    eva.do(f"{page}/letter", template="clarification", text_question="vilken order det gäller")
    assert newest(office, access).template == "clarification"
    assert eva.do(f"{page}/letter", template="../secret").status_code == 409
    assert eva.do(f"{page}/merge", into="EX-2026-9999").status_code == 422
    eva.do(f"/cases/{other.reference}/merge", into=access.reference)
    assert office.case(other.reference).state is CaseState.CLOSED
    eva.get(page)
    eva.do(f"{page}/split", kind="other")
    assert len(office.cases()) == 4


def test_what_is_refused_is_said_on_the_page(office: Office, eva: Person, access: Case) -> None:
    eva.get(f"/cases/{access.reference}")
    for path, fields in (
        ("close", {}),
        ("confirm", {}),
        ("reopen", {}),
        ("relabel", {}),
        ("relabel", {"kind": ["other", "access"]}),
        ("outcome", {"kind": "access", "outcome": "granted"}),
        ("outcome", {"kind": "nonsense"}),
        ("outcome", {"kind": "access", "outcome": "nonsense"}),
        ("lines", {"kind": "access", "line": ["system:Webbutiken"], "answer_0": "erased"}),
        ("lines", {"kind": "access", "line": ["system:Webbutiken"], "answer_0": "found", "until_0": "i morgon"}),
        ("identity", {"address_on_file": "nej"}),
        ("note", {"words": " "}),
    ):
        answer = eva.do(f"/cases/{access.reference}/{path}", **fields)
        assert answer.status_code == 409, path
        assert 'role="alert"' in answer.text, path
    assert office.case(access.reference).version == access.version


ATTACKS = (
    "<script>window.hit=1</script>",
    '"><img src=x onerror="window.hit=1">',
    "'><svg/onload=window.hit=1>",
    "{{7*7}}${7*7}",
    "javascript:window.hit=1",
    "</textarea><script>window.hit=1</script>",
    "+ADw-script+AD4-window.hit=1+ADw-/script+AD4-",
    "<iframe srcdoc='<script>parent.hit=1</script>'>",
)


def test_nothing_that_others_wrote_becomes_markup(office: Office, eva: Person) -> None:
    """E40, E56."""
    for number, attack in enumerate(ATTACKS):
        plain = attack.replace('"', "'")
        office.receive(
            letter(
                f"{attack} registerutdrag",
                f"Jag vill ha ett registerutdrag. {attack}",
                sender=f'"{plain}" <x{number}@example.org>',
            )
        )
    for case in office.cases():
        page = eva.get(f"/cases/{case.reference}").text + eva.get("/").text + eva.get("/?q=<script>x").text
        for attack in ATTACKS:
            assert attack not in page or attack.startswith(("{{", "javascript:", "+ADw")), attack
        assert "49" not in page.partition("{{7*7}}")[0][-5:]


def test_personal_numbers_are_masked(office: Office, eva: Person) -> None:
    office.receive(letter("Radera 19121212-1212", "Radera mig, 191212121212.", sender="Per <per@example.org>"))
    case = case_of(office, "per@example.org")
    page = eva.get(f"/cases/{case.reference}").text
    queue = eva.get("/").text
    assert "19121212-1212" not in queue
    mail = page[page.index('<article class="card mail in"') : page.index("</article>")]
    assert "191212121212" not in mail
    assert "19121212-1212" not in mail


def test_a_letter_that_went_wrong_is_settled_by_a_person(
    office: Office, eva: Person, smtp: Script, access: Case
) -> None:
    office.installation.sound = False  # rows are changed past the desk
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE drafts SET state = 'unknown', approved_at = created_at")
    draft = newest(office, access)
    assert "Det kan ha gått fram" in eva.get(f"/cases/{access.reference}").text
    eva.do(f"/cases/{access.reference}/letters/{draft.id}/settle", arrived="no")
    assert office.draft(draft.id).state is DraftState.PROPOSED
