"""The model comes from the data in the repository, the same bytes each time."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from inboxbot.sorting.model import Model

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _training_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


def test_the_shipped_model_was_trained_from_what_is_here() -> None:
    from training.corpus import digest_of_inputs

    assert Model.load().inputs == digest_of_inputs(), "run `make train`: mails, vocabulary or the reading code changed"


def test_training_twice_gives_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    from training import train
    from training.corpus import read_lines, read_mails

    mails, lines = read_mails()[::25], read_lines()[::40]
    texts = [json.dumps(train.train(mails, lines, say=False), sort_keys=True) for _ in range(2)]

    assert texts[0] == texts[1]
    Model(json.loads(texts[0]))
    assert capsys.readouterr().out == ""
    assert "training.train" in sys.modules
