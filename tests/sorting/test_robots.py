"""Which mails a machine wrote, by the rules of RFC 3834 and its kin."""

from __future__ import annotations

import pytest

from inboxbot.sorting.judge import Judge
from inboxbot.sorting.robots import RULES, Traits, find_robot
from inboxbot.sorting.values import Robot

ROBOTS = [
    (
        "delivery_report",
        [("content-type", 'multipart/report; report-type="delivery-status"; boundary=x')],
        "x",
        "",
        None,
    ),
    ("feedback_report", [("content-type", "multipart/report; report-type=feedback-report")], "x", "", None),
    ("failed_recipients", [("x-failed-recipients", "a@example.se")], "x", "", None),
    ("mailer_daemon", [], "x", "mailer-daemon@example.com", None),
    ("mailer_daemon", [], "x", "postmaster@example.com", None),
    ("null_path_bounce_subject", [], "undeliverable: hej", "a@example.com", ""),
    ("null_path_bounce_subject", [], "olevererbart: hej", "a@example.com", ""),
    ("auto_replied", [("auto-submitted", "auto-replied (vacation)")], "x", "a@example.com", None),
    ("auto_submitted", [("auto-submitted", "auto-notified; owner-email=x")], "x", "a@example.com", None),
    ("precedence_auto_reply", [("precedence", "auto_reply")], "x", "a@example.com", None),
    ("autoreply_header", [("x-autoreply", "yes")], "x", "a@example.com", None),
    ("suppressed_auto_subject", [("x-auto-response-suppress", "All")], "automatiskt svar: hej", "a@example.se", None),
    ("null_path_auto_subject", [], "autosvar", "a@example.se", ""),
    ("receipt_or_calendar", [("content-type", "text/calendar; method=REPLY")], "x", "a@example.se", None),
    ("reaction", [("x-ms-reactions", "like")], "x", "a@example.se", None),
    ("list_id", [("list-id", "<news.example.com>")], "x", "a@example.se", None),
    ("list_unsubscribe", [("list-unsubscribe", "<https://example.com/u>")], "x", "a@example.se", None),
    ("feedback_id", [("feedback-id", "1:2:3:x")], "x", "a@example.se", None),
    ("precedence_bulk", [("precedence", "first-class"), ("precedence", "bulk")], "x", "a@example.se", None),
    ("loop_header", [("x-loop", "a@example.se")], "x", "a@example.se", None),
    ("list_owner", [], "x", "owner-news@example.com", None),
    ("list_owner", [], "x", "news-request@example.com", None),
    ("list_owner", [], "x", "majordomo@example.com", None),
    ("null_path_no_reply", [], "x", "no-reply@example.com", ""),
]


@pytest.mark.parametrize("subject", ["undeliverable: hej", "autosvar", "last: hej", "out of office", ""])
@pytest.mark.parametrize(
    "sender", ["mailer-daemon@example.com", "owner-news@example.com", "no-reply@example.com", "a@example.com", ""]
)
def test_without_headers_the_rules_that_are_asked_are_all_that_can_hold(subject: str, sender: str) -> None:
    traits = Traits([], subject, sender, None)

    assert find_robot(traits) == next(((robot, name) for name, robot, holds in RULES if holds(traits)), None)


@pytest.mark.parametrize(("rule", "headers", "subject", "sender", "path"), ROBOTS)
def test_each_rule(rule: str, headers: list[tuple[str, str]], subject: str, sender: str, path: str | None) -> None:
    """C70, C71, C72, C78, C80."""
    found = find_robot(Traits(headers, subject, sender, path))

    assert found is not None
    assert found[1] == rule


def test_every_rule_is_tried_here() -> None:
    assert {name for name, _, _ in RULES} == {rule for rule, *_ in ROBOTS}


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ([("auto-submitted", "no")], "anna@example.se"),
        ([("x-auto-response-suppress", "All")], "anna@example.se"),  # Outlook sets it for people, too
        ([("precedence", "first-class")], "anna@example.se"),
        ([], "noreply@example.com"),  # a web form: a person's words
    ],
)
def test_people(headers: list[tuple[str, str]], sender: str) -> None:
    """C71."""
    assert find_robot(Traits(headers, "radera mig", sender, None)) is None


AWAY = {
    "sv": ("Autosvar: Sv: offert", "Jag är på semester till den 8 augusti. Vid brådskande ärenden, ring växeln."),
    "en": ("Automatic reply: offer", "I am out of the office until 8 August with limited access to my email."),
    "da": ("Automatisk svar", "Jeg holder ferie og er tilbage den 8. august."),
    "no": ("Automatisk svar", "Jeg er på ferie og er tilbake den 8. august."),
    "de": ("Automatische Antwort: Angebot", "Ich bin im Urlaub und ab dem 8. August wieder erreichbar."),
    "fi": ("Automaattinen vastaus", "Olen lomalla 8. elokuuta asti."),
    "fr": ("Réponse automatique", "Je suis absent du bureau jusqu'au 8 août."),
    "es": ("Respuesta automática", "Estoy de vacaciones hasta el 8 de agosto."),
    "it": ("Risposta automatica", "Sono in ferie fino all'8 agosto."),
    "nl": ("Automatisch antwoord", "Ik ben afwezig tot 8 augustus."),
}


@pytest.mark.parametrize("language", AWAY)
def test_out_of_office_without_headers_is_only_probable(language: str) -> None:
    """C73."""
    subject, body = AWAY[language]
    verdict = Judge.load().judge_text(subject, body)

    assert verdict.robot is None
    assert "probable_autoreply" in verdict.flags


def test_a_robot_with_a_real_request_still_gets_its_kinds() -> None:
    """C71, C74."""
    verdict = Judge.load().judge_text(
        "Begäran", "Jag vill att ni raderar mitt konto.", "a@example.se", [("auto-submitted", "auto-generated")]
    )

    assert verdict.robot is Robot.AUTOREPLY
    assert verdict.robot_rule == "auto_submitted"
    assert [kind.value for kind in verdict.kinds] == ["erasure"]
