"""What an installation learns from corrections, and what it refuses to learn."""

from __future__ import annotations

import pytest

from inboxbot.errors import RefusedError
from inboxbot.sorting.evaluation import shipped_mails
from inboxbot.sorting.fold import fold
from inboxbot.sorting.judge import Judge
from inboxbot.sorting.kinds import Kind
from inboxbot.sorting.learning import Correction, LocalLayer, fit, learn
from inboxbot.sorting.words import plain_words

JUDGE = Judge.load()
SHIPPED = shipped_mails()[:150]


def rare_words() -> list[str]:
    """Words that the model knows and that no shipped mail holds: the trade of an installation, as it were."""
    known = {word for mail in SHIPPED for word in plain_words(fold(mail.body + " " + mail.subject).text)}
    words = [word for word in JUDGE.model.names["w"] if len(word) > 6 and word.isalpha() and word not in known]
    return words[:: max(len(words) // 40, 1)]


MISJUDGED = [" ".join(rare_words()[:6] + rare_words()[start : start + 3]) + "." for start in (6, 9, 12)]


def corrections(right: Kind) -> list[Correction]:
    return [Correction.of(JUDGE.judge_text("", text), (right,)) for text in MISJUDGED]


def wrong_kind() -> Kind:
    judged = {kind for text in MISJUDGED for kind in JUDGE.judge_text("", text).kinds}
    return next(kind for kind in (Kind.PORTABILITY, Kind.RESTRICTION, Kind.ACCESS) if kind not in judged)


def test_corrections_hold_no_words() -> None:
    correction = corrections(Kind.ERASURE)[0]

    assert all(isinstance(number, int) for number in correction.features)
    assert all(isinstance(score, float) for score in correction.scores)


def test_learning_changes_the_verdict_of_such_mails() -> None:
    kind = wrong_kind()
    learned = learn(JUDGE, corrections(kind), SHIPPED)
    judge = JUDGE.with_local(learned.layer)

    assert learned.right_after > learned.right_before
    assert any(judge.judge_text("", text).kinds == (kind,) for text in MISJUDGED)
    assert learned.after.missed <= learned.before.missed


def test_the_layer_survives_json() -> None:
    layer = fit(corrections(Kind.ERASURE), JUDGE)
    again = LocalLayer.from_json(layer.to_json())

    assert again == layer
    assert again.model == JUDGE.model.inputs
    for text in ("[]", "{}", '{"bias": [1], "weights": {}, "learned_from": 1, "model": ""}', "no json"):
        with pytest.raises(ValueError, match=r".*"):
            LocalLayer.from_json(text)


def test_undo_is_judging_without_the_layer() -> None:
    layer = fit(corrections(wrong_kind()), JUDGE)
    plain = JUDGE.with_local(layer).with_local(None)

    assert [plain.judge_text("", text) for text in MISJUDGED] == [JUDGE.judge_text("", text) for text in MISJUDGED]


def test_it_refuses_what_would_make_it_worse() -> None:
    # Staff who call every plain request "other" must not teach the judge to miss requests.
    harmful = [
        Correction.of(JUDGE.judge_text(mail.subject, mail.body), (Kind.OTHER,))
        for mail in SHIPPED
        if Kind.OTHER not in mail.labels
    ]
    with pytest.raises(RefusedError):
        learn(JUDGE, harmful, SHIPPED)


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(RefusedError):
        learn(JUDGE, [], SHIPPED)


def test_one_correction_cannot_shout_down_the_model() -> None:
    layer = fit(corrections(Kind.OTHER) * 30, JUDGE)
    verdict = JUDGE.with_local(layer).judge_text(
        "", "Jag vill att ni raderar mitt konto och alla mina personuppgifter."
    )

    assert verdict.kinds == (Kind.ERASURE,) or verdict.unsure
