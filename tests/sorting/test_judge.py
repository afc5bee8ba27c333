"""What the judge promises whoever relies on it; how good it is stands in test_figures."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inboxbot.reading.read import read_whole
from inboxbot.reading.segments import segment
from inboxbot.sorting.evaluation import shipped_mails
from inboxbot.sorting.judge import Judge
from inboxbot.sorting.kinds import RIGHTS, Kind
from inboxbot.sorting.values import Verdict

JUDGE = Judge.load()


def kinds(subject: str, body: str) -> set[str]:
    return {kind.value for kind in JUDGE.judge_text(subject, body).kinds}


def assert_sound(verdict: Verdict, subject: str, body: str) -> None:
    assert verdict.kinds
    assert verdict.kinds == (Kind.OTHER,) or Kind.OTHER not in verdict.kinds
    assert set(verdict.confidence) == set(Kind)
    assert all(0 <= chance <= 1 for chance in verdict.confidence.values())
    for item in verdict.evidence:
        given = subject if item.part == "subject" else body
        assert 0 <= item.start < item.end <= len(given)
        assert given[item.start : item.end] == item.text
    for kind in verdict.kinds:
        assert not kind.is_right or any(item.kind is kind for item in verdict.evidence)


PLAIN = [
    ("erasure", "", "Jag vill att ni raderar mitt konto och alla uppgifter om mig."),
    ("erasure", "", "jag vill att ni tar bort mitt konto och allt om mig"),
    ("erasure", "", "JAG VILL ATT NI RADERAR MITT KONTO OCH ALLA UPPGIFTER OM MIG"),
    ("erasure", "", "Please delete my account and all personal data you hold about me."),
    ("erasure", "", "Slet venligst min konto og alle mine personoplysninger."),
    ("erasure", "", "Kan dere slette kontoen min og alle personopplysninger om meg?"),
    ("erasure", "", "Bitte löschen Sie mein Konto und alle meine personenbezogenen Daten."),
    ("erasure", "", "Poistakaa tilini ja kaikki henkilötietoni, kiitos."),
    ("erasure", "Radera mitt konto", ""),
    ("access", "", "Vad vet ni om mig? Jag vill ha ett registerutdrag."),
    ("access", "", "Please send me a copy of all personal data you hold about me under Article 15 GDPR."),
    ("access", "", "Ich verlange Auskunft über meine Daten nach Art. 15 DSGVO."),
    ("access", "", "Je vous demande l'accès à mes données personnelles conformément à l'article 15 du RGPD."),
    ("unsubscribe", "", "Sluta skicka nyhetsbrev till mig!"),
    ("unsubscribe", "Unsubscribe", "Please take me off your mailing list."),
    ("unsubscribe", "STOPP", ""),
    ("unsubscribe", "", "Avregistrera"),
    ("rectification", "", "Mitt namn är felstavat hos er, det ska vara Kristofersson. Kan ni rätta det i registret?"),
    (
        "portability",
        "",
        "I want my data in a machine-readable format so that I can move it to another provider (Art. 20).",
    ),
    ("objection", "", "Jag invänder mot att ni använder mina uppgifter för profilering."),
    ("restriction", "", "Jag begär begränsning av behandling enligt artikel 18 tills tvisten är avgjord."),
    ("complaint", "", "Ni skickade mina uppgifter till fel person. Det är en skandal och jag anmäler er till IMY!"),
]


@pytest.mark.parametrize(("kind", "subject", "body"), PLAIN)
def test_plain_wishes(kind: str, subject: str, body: str) -> None:
    assert kinds(subject, body) == {kind}


ORDINARY = [
    ("Ta bort den blå tröjan ur min order", "Jag beställde fel storlek."),
    ("Fel på faktura", "Beloppet stämmer inte, kan ni rätta fakturan?"),
    ("Login", "I cannot log in to the course, the password does not work."),
    ("Reklamation", "Skorna gick sönder efter en vecka, jag vill ha pengarna tillbaka."),
    ("Öppettider", "Har ni öppet på lördag?"),
    ("Avboka", "Hej, jag behöver avboka min tid på torsdag."),
]


@pytest.mark.parametrize(("subject", "body"), ORDINARY)
def test_ordinary_mail(subject: str, body: str) -> None:
    assert kinds(subject, body) == {"other"}


def test_remove_me_alone_is_both_and_unsure() -> None:
    for body in ("ta bort mig", "Hej! Ta bort mig tack. Mvh", "Remove me please"):
        verdict = JUDGE.judge_text("", body)
        assert verdict.kinds == (Kind.ERASURE, Kind.UNSUBSCRIBE)
        assert verdict.unsure
        assert "bare_removal" in verdict.reasons


def test_quoted_words_are_only_context() -> None:
    """C51."""
    body = (
        "Tack, vad kostar den gröna?\n\nDen 3 mars 2026 kl. 10:00 skrev Butiken <b@example.se>:\n"
        "> Avregistrera dig här.\n> Radera mitt konto"
    )

    assert kinds("Sv: Nyheter", body) == {"other"}


def test_a_request_only_in_quoted_words_is_left_to_a_person() -> None:
    """C50."""
    verdict = JUDGE.judge_text("", "> Jag vill att ni raderar mitt konto och alla mina uppgifter.")

    assert verdict.kinds == (Kind.ERASURE,)
    assert verdict.unsure
    assert "nothing_new" in verdict.flags


def test_a_forward_may_carry_the_request() -> None:
    """C37."""
    body = (
        "Kan du ta den här?\n\n---------- Vidarebefordrat meddelande ---------\nFrån: Kalle <k@example.org>\n"
        "Ämne: konto\n\nJag vill att ni raderar mitt konto och alla mina uppgifter."
    )
    verdict = JUDGE.judge_text("VB: konto", body)

    assert verdict.kinds == (Kind.ERASURE,)
    assert "forwarded" in verdict.flags


def test_no_words_are_left_to_a_person() -> None:
    """C30."""
    verdict = JUDGE.judge_text("", " \n ")

    assert verdict.kinds == (Kind.OTHER,)
    assert verdict.unsure
    assert verdict.evidence == ()


VAGUE = [
    "Hej, jag undrar lite över det där med mina grejer hos er, kan ni hjälpa mig med det?",
    "Hej! Jag skulle vilja prata med någon om min sak hos er. Kan ni höra av er?",
    "hej hur går det med mitt? ni vet vad jag menar. kan ni ordna det",
    "Hi, I was wondering about my stuff with you. Could somebody help me with that?",
    "Hello, I have a question about the thing you have of mine. Can you sort it out for me please?",
    "Hei, jeg lurer på det der med tingene mine hos dere. Kan dere hjelpe meg?",
    "Guten Tag, ich wollte mal fragen wegen meiner Sache bei Ihnen. Können Sie mir da weiterhelfen?",
]


@pytest.mark.parametrize("body", VAGUE)
def test_a_mail_that_names_nothing_is_left_to_a_person(body: str) -> None:
    assert JUDGE.judge_text("", body).unsure


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Öppettider", "Har ni öppet på lördag?"),
        ("", "Hej, var är mitt paket? Jag har väntat på min sak i en vecka."),
        ("", "Kan jag få fakturan igen? Jag hittar inte mina grejer."),
        ("", "Hi, can I book my usual thing for Thursday at five? A haircut, that is."),
        ("", "Tack för hjälpen!"),
    ],
)
def test_a_short_mail_that_names_its_matter_is_not_held(subject: str, body: str) -> None:
    verdict = JUDGE.judge_text(subject, body)

    assert verdict.kinds == (Kind.OTHER,)
    assert not verdict.unsure


def test_only_a_request_can_be_a_reminder() -> None:
    parcel = JUDGE.judge_text("Påminnelse", "Tredje gången jag skriver: var är mitt paket? Ni har inte svarat.")
    copy = JUDGE.judge_text(
        "Påminnelse",
        "Den 3 mars bad jag om ett registerutdrag. Ni har fortfarande inte svarat, det är sex veckor sedan.",
    )

    assert parcel.kinds == (Kind.OTHER,)
    assert not parcel.reminder
    assert Kind.ACCESS in copy.kinds
    assert copy.reminder


def test_letters_that_cannot_be_seen_do_not_hide_a_wish() -> None:
    """C53."""
    body = "Jag vill att ni rad\u200berar mitt ko\u200bnto och alla mina uppg\u00adifter."
    verdict = JUDGE.judge_text("", body)

    assert verdict.kinds == (Kind.ERASURE,)
    assert_sound(verdict, "", body)


def test_a_language_nobody_knows_is_left_to_a_person() -> None:
    """C53."""
    verdict = JUDGE.judge_text(
        "", "Nataka mfute taarifa zangu zote katika mfumo wenu haraka iwezekanavyo asante sana rafiki"
    )

    assert verdict.unsure or verdict.kinds != (Kind.OTHER,)


def test_flags() -> None:
    """C58."""
    leak = JUDGE.judge_text(
        "", "Ni skickade en annan kunds uppgifter till mig, med personnummer. Detta är en dataläcka och inte okej."
    )
    dead = JUDGE.judge_text("", "Min make har avlidit. Jag ber er radera hans konto och alla hans personuppgifter.")
    client = JUDGE.judge_text(
        "", "På uppdrag av min klient begär jag registerutdrag enligt artikel 15. Fullmakt bifogas."
    )

    assert "breach" in leak.flags
    assert "deceased" in dead.flags
    assert "representative" in client.flags


def test_what_is_remembered_of_earlier_mails_changes_no_verdict() -> None:
    """Words are remembered with what they mean: the third time must be as the first."""
    mails = [(mail.subject, mail.body) for mail in shipped_mails()[:60]]
    mails += [(body, subject) for subject, body in mails[:10]]
    first, _, third = ([JUDGE.judge_text(subject, body) for subject, body in mails] for _ in range(3))

    assert first == third


def test_every_mail_of_the_evaluation_set_gets_a_sound_verdict() -> None:
    for mail in shipped_mails():
        assert_sound(JUDGE.judge_text(mail.subject, mail.body, mail.sender), mail.subject, mail.body)


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=60), st.text(max_size=400))
def test_any_text_gets_a_sound_verdict(subject: str, body: str) -> None:
    assert_sound(JUDGE.judge_text(subject, body), subject, body)


def test_a_mail_that_was_read_is_judged_like_its_text() -> None:
    raw = (
        b"From: Anna <anna@example.se>\r\nSubject: =?utf-8?q?Beg=C3=A4ran?=\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<p>Jag vill att ni <b>raderar</b> mitt konto och alla mina uppgifter p=E5 en g=E5ng.</p>"
    )
    mail = read_whole(raw)
    verdict = JUDGE.judge(mail)

    assert verdict.kinds == (Kind.ERASURE,)
    assert_sound(verdict, mail.subject, mail.text)


def test_the_same_mail_gets_the_same_verdict() -> None:
    other = Judge(JUDGE.vocabulary, JUDGE.model)
    for mail in shipped_mails()[:40]:
        assert other.judge_text(mail.subject, mail.body) == JUDGE.judge_text(mail.subject, mail.body)


def test_wishes_far_inside_a_huge_mail_are_not_passed_over() -> None:
    filler = "Lorem ipsum dolor sit amet. " * 20_000
    verdict = JUDGE.judge_text("", filler + " Jag vill att ni raderar mina personuppgifter. " + filler)

    assert verdict.unsure
    assert "words_beyond_limit" in verdict.reasons


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Herinnering: verzoek om inzage", "Ik verzoek u om een kopie van mijn persoonsgegevens (artikel 15 AVG)."),
        ("Upomínka: žádost o výmaz podle článku 17 GDPR", "Žádám o výmaz svých osobních údajů."),
        ("Lembrete: pedido de apagamento", "Solicito o apagamento dos meus dados pessoais nos termos do artigo 17."),
    ],
)
def test_a_letter_that_calls_itself_a_reminder_is_one(subject: str, body: str) -> None:
    """The model has seen too few of them in languages with few mails."""
    assert JUDGE.judge_text(subject, body).reminder
    assert not JUDGE.judge_text(subject.partition(": ")[2], body).reminder


def test_the_shipped_data_are_small() -> None:
    folder = resources.files("inboxbot.sorting")
    sizes = [len(entry.read_bytes()) for entry in folder.joinpath("vocabulary").iterdir()]

    assert sum(sizes) + len(folder.joinpath("model.json").read_bytes()) < 5_000_000
    json.loads(folder.joinpath("model.json").read_text(encoding="utf-8"))


HOSTILE = [
    "a " * 500_000,
    "\n" * 1_000_000,
    "radera mina personuppgifter. " * 35_000,
    "> " * 500_000,
    "Den 3 mars skrev a b c:\n" * 40_000,
    "åäö€ " * 200_000,
    "\u200b" * 1_000_000,
    "x" * 1_000_000,
    "inte, " * 170_000,
    "art 15 " * 140_000,
    "ta mig bort ta mig " * 50_000,
    "🙂" * 1_000_000,
    "".join(chr(0x4E00 + number % 20_000) for number in range(1_000_000)),
    "a'" * 500_000,
]


def _judge_all(texts: list[str]) -> None:
    judge = Judge.load()
    for text in texts:
        segment(text)
        judge.judge_text(text[:10_000], text)


def test_no_text_makes_the_judge_slow() -> None:
    """C54."""
    worker = multiprocessing.get_context("spawn").Process(target=_judge_all, args=(HOSTILE,))
    worker.start()
    worker.join(90)  # all of them need about two seconds; anything quadratic would need hours
    try:
        assert worker.exitcode == 0
    finally:
        worker.kill()


def test_the_verdict_is_a_value() -> None:
    verdict = JUDGE.judge_text("", "Radera mitt konto.")

    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.unsure = True  # type: ignore[misc]
    assert verdict.asks
    assert set(RIGHTS) == {kind for kind in Kind if kind.is_right}


@pytest.mark.parametrize(
    "text",
    [
        "Jag undrar vilka uppgifter ni har om mig, var ni har fått dem ifrån och vem som kan se dem.",
        "I would like to know what you have written about me in the notes from the spring.",
    ],
)
def test_the_decisive_words_can_be_read_alone(text: str) -> None:
    found = JUDGE.judge_text("", text).evidence
    assert found
    assert all(len(one.text.split()) >= 5 for one in found)
