"""Plans of a round, and the finding again of messages under new numbers."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from inboxbot.mailbox.fetching import FetchedHeader
from inboxbot.mailbox.responses import compress
from inboxbot.mailbox.server import FolderState
from inboxbot.mailbox.sync import Difference, KnownFolder, KnownMail, Plan, Step, compare, plan, rematch

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def header(uid: int, text: str, *, at: dt.datetime = NOON, size: int = 100) -> FetchedHeader:
    return FetchedHeader(uid, at, size, frozenset(), text.encode())


def entry(key: int, text: str, *, at: dt.datetime = NOON, size: int = 100, message_id: str | None = None) -> KnownMail:
    return KnownMail(key, header(0, text).digest, message_id, at, size)


def state(uidvalidity: int, uidnext: int) -> FolderState:
    return FolderState("INBOX", uidvalidity, uidnext, 0)


def test_plans() -> None:
    assert plan(None, state(5, 1)) == Plan(Step.BASELINE)
    assert plan(KnownFolder(5, 0), state(5, 1)) == Plan(Step.NEW, above=0)
    assert plan(KnownFolder(5, 9), state(5, 10)) == Plan(Step.NEW, above=9)
    assert plan(KnownFolder(5, 9), state(5, 0)) == Plan(Step.NEW, above=9)  # UIDNEXT not told
    assert plan(KnownFolder(5, 9), state(6, 10)) == Plan(Step.REMATCH, reason="uidvalidity_changed")
    assert plan(KnownFolder(5, 9), state(5, 9)) == Plan(Step.REMATCH, reason="uidnext_went_back")


def test_f33_a_late_uid_below_the_mark_is_unseen_and_a_removed_one_gone() -> None:
    assert compare([1, 2, 9], [2, 5, 9, 10]) == Difference(unseen=(5, 10), gone=(1,))


def test_f30_old_mail_is_found_by_its_digest_and_new_mail_is_new() -> None:
    entries = [entry(1, "a"), entry(2, "b")]
    found = rematch(entries, [header(11, "b"), header(12, "c"), header(13, "a")])
    assert dict(found.matched) == {11: 2, 13: 1}
    assert found.unmatched == (12,)
    assert not found.mass_change


def test_equal_mails_are_paired_one_to_one() -> None:
    found = rematch([entry(1, "same"), entry(2, "same")], [header(uid, "same") for uid in (5, 6, 7)])
    assert dict(found.matched) == {5: 1, 6: 2}
    assert found.unmatched == (7,)


def test_a_changed_header_is_found_by_message_id_moment_and_size() -> None:
    old = "Subject: x\r\nMessage-ID: <1@example.com>\r\n\r\n"
    new = "X-Moved: yes\r\nMessage-ID: <1@example.com>\r\n\r\n"
    known = entry(1, old, message_id="<1@example.com>")
    assert dict(rematch([known], [header(7, new)]).matched) == {7: 1}
    assert rematch([known], [header(7, new, size=101)]).unmatched == (7,)
    assert rematch([known], [header(7, new, at=NOON + dt.timedelta(1))]).unmatched == (7,)


def test_f37_a_moved_server_with_new_moments_gives_no_new_mail() -> None:
    entries = [entry(number, f"mail {number}") for number in range(1000)]
    moved = [header(number + 1, f"mail {number}", at=NOON + dt.timedelta(30)) for number in range(1000)]
    assert rematch(entries, moved).unmatched == ()


def test_f37_a_folder_of_which_most_looks_new_asks_for_a_person() -> None:
    entries = [entry(number, f"mail {number}") for number in range(20)]
    headers = [header(number + 1, f"mail {number}") for number in range(100)]
    assert rematch(entries, headers).mass_change
    assert not rematch(entries, headers[:60]).mass_change


@given(st.lists(st.integers(1, 2**32 - 1), max_size=60))
def test_a_uid_set_names_exactly_what_was_asked_for(uids: list[int]) -> None:
    named: set[int] = set()
    for piece in filter(None, compress(uids).split(",")):
        low, _, high = piece.partition(":")
        assert int(high or low) - int(low) < len(uids)
        named.update(range(int(low), int(high or low) + 1))
    assert named == set(uids)


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_every_message_is_matched_or_new_and_no_entry_twice(known: set[int], present: set[int]) -> None:
    found = rematch([entry(key, str(key)) for key in known], [header(uid + 100, str(uid)) for uid in present])
    assert {uid - 100 for uid in found.matched} == known & present
    assert {uid - 100 for uid in found.unmatched} == present - known
    assert len(set(found.matched.values())) == len(found.matched)
