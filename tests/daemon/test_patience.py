"""Pauses after faults: growing, spread, and never shorter than a server or an account can bear."""

from __future__ import annotations

import pytest

from inboxbot.daemon.patience import FIRST_S, MOST_S, REFUSED_S, Patience
from inboxbot.mailbox.faults import LoginRefusedError, UnavailableError, UnreachableError

GONE = UnreachableError("gone")


def test_f21_pauses_double_up_to_five_minutes_and_begin_anew_after_good_work() -> None:
    patience = Patience()
    waits = [patience.pause(GONE, worked_s=1, random=0) for _ in range(9)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert patience.pause(GONE, worked_s=MOST_S + 1, random=0) == FIRST_S


def test_f22_a_refused_sign_in_is_tried_every_quarter_of_an_hour_at_most() -> None:
    refused = LoginRefusedError("no", retry=False)
    assert [Patience().pause(refused, worked_s=0, random=spread) for spread in (0, 0.5, 1)] == [900, 1012.5, 1125]
    assert REFUSED_S == 15 * 60


@pytest.mark.parametrize(("asked", "wait"), [(3600, 3600), (60, 60), (1, 2)])
def test_f22_a_server_that_cannot_now_is_left_alone_as_long_as_it_needs(asked: float, wait: float) -> None:
    assert Patience().pause(UnavailableError("later", pause_s=asked), worked_s=0, random=0) == wait
    assert Patience().pause(UnavailableError("later", pause_s=asked), worked_s=0, random=1) >= wait


def test_a_fault_of_ours_or_of_the_database_is_tried_again_soon() -> None:
    assert Patience().pause(ValueError("odd"), worked_s=0, random=0) == FIRST_S
