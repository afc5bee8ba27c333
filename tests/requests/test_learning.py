"""What staff correct, the judge of this installation learns, and only when it makes nothing worse."""

from __future__ import annotations

import json
from functools import cache

import pytest
from tests.requests.commands import Person
from tests.servers.installation import Office
from tests.servers.offices import NewOffice

from inboxbot.desk.learning import learn_from_corrections, refit_if_stale, undo
from inboxbot.desk.retention import retain
from inboxbot.errors import RefusedError
from inboxbot.mailbox.workers import local_judge
from inboxbot.reading.read import read_whole
from inboxbot.sorting.evaluation import GoldMail, shipped_mails
from inboxbot.sorting.judge import Judge
from inboxbot.sorting.learning import Correction, learn
from inboxbot.store.corrections import active_layer

FEW = 40  # of the shipped mails: enough to guard, quick enough for a test


@cache
def stubborn() -> GoldMail:
    """Return a mail that the shipped judge gets wrong and that can be learned without harm to the few."""
    judge = Judge.load()
    for gold in shipped_mails():
        verdict = judge.judge_text(gold.subject, gold.body)
        if set(verdict.kinds) == set(gold.labels) or len(gold.labels) > 1:
            continue
        try:
            learn(judge, [Correction.of(verdict, tuple(gold.labels))] * 4, shipped_mails()[:FEW])
        except RefusedError:
            continue
        return gold
    raise AssertionError("no shipped mail can be learned")


def mail(gold: GoldMail, place: int) -> bytes:
    return (
        f"From: Nils <nils{place}@example.org>\r\nTo: kontakt@example.se\r\nSubject: {gold.subject}\r\n"
        f"Message-ID: <h{place}@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{gold.body}\r\n"
    ).encode()


def relabelled(office: Office) -> list[str]:
    """Take a mail that is judged wrong, from four people, and let staff say what it asks for."""
    gold = stubborn()
    office.receive(*(mail(gold, place) for place in range(4)))
    eva = Person(office)
    references = [case.reference for case in office.cases()]
    for reference in references:
        eva.says("cases", "relabel", reference, *(kind.value for kind in gold.labels))
    return references


def test_nothing_is_learned_from_nothing(new_office: NewOffice) -> None:
    office = new_office()
    with pytest.raises(RefusedError, match="nothing to learn"):
        learn_from_corrections(office.desk, now=office.clock())


def test_corrections_are_kept_without_words(new_office: NewOffice) -> None:
    office = new_office()
    relabelled(office)
    kept = str(office.rows("SELECT * FROM corrections")).lower()
    assert len(office.rows("SELECT * FROM corrections")) == 4
    assert "nils" not in kept
    assert not [word for word in stubborn().body.lower().split() if len(word) > 11 and word in kept]


def test_learning_helps_undo_takes_it_back_and_nothing_shipped_gets_worse(new_office: NewOffice) -> None:
    office = new_office()
    relabelled(office)
    learned = learn_from_corrections(office.desk, now=office.clock(), shipped=shipped_mails()[:FEW])
    assert learned.right_after > learned.right_before
    assert learned.after.missed <= learned.before.missed
    with office.desk.store.read() as connection:
        assert active_layer(connection) is not None
    assert undo(office.desk)
    assert not undo(office.desk)
    with office.desk.store.read() as connection:
        assert active_layer(connection) is None


def test_the_workers_judge_by_what_was_learned(new_office: NewOffice) -> None:
    office = new_office()
    relabelled(office)
    learned = learn_from_corrections(office.desk, now=office.clock(), shipped=shipped_mails()[:FEW])
    gold = stubborn()
    (right,) = gold.labels
    plain, local = local_judge(None), local_judge(learned.layer.to_json())
    fresh = read_whole(mail(gold, 99))
    assert local(fresh).confidence[right] > plain(fresh).confidence[right]
    other_model = json.dumps({**json.loads(learned.layer.to_json()), "model": "another"})
    assert local_judge(other_model)(fresh).confidence == plain(fresh).confidence


def test_what_is_purged_is_unlearned(new_office: NewOffice) -> None:
    office = new_office()
    references = relabelled(office)
    eva = Person(office)
    learn_from_corrections(office.desk, now=office.clock(), shipped=shipped_mails()[:FEW])
    for reference in references:
        for request in office.case(reference).requests:
            if request.kind.is_right:
                eva.says("cases", "outcome", reference, request.kind.value, "withdrawn")
        eva.says("cases", "close", reference, "--no-answer")
    office.clock.advance(days=800)
    retain(office.desk, now=office.clock(), force=True)
    refit_if_stale(office.desk, now=office.clock())
    assert office.rows("SELECT count(*) FROM corrections") == [(0,)]
    with office.desk.store.read() as connection:
        assert active_layer(connection) is None
