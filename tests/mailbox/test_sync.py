"""Plans of a round, and the finding again of messages under new numbers."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from inboxbot.mailbox.responses import compress
from inboxbot.mailbox.server import FolderState
from inboxbot.mailbox.sync import (
    KnownFolder,
    KnownMail,
    Plan,
    PresentMail,
    Step,
    contradicted,
    is_mass_change,
    plan,
    rematch,
    suspects,
    unseen,
)

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def there(
    uid: int, digest: str, *, at: dt.datetime = NOON, size: int = 100, message_id: str | None = None
) -> PresentMail:
    return PresentMail(uid, digest, message_id, at, size)


def entry(key: int, digest: str, *, uid: int = 0, size: int = 100, message_id: str | None = None) -> KnownMail:
    return KnownMail(key, uid or key, digest, message_id, NOON, size)


def state(uidvalidity: int, uidnext: int) -> FolderState:
    return FolderState("INBOX", uidvalidity, uidnext, 0)


def strangers(entries: list[KnownMail], present: list[PresentMail]) -> list[int]:
    return [mail.uid for mail in rematch(entries, present).unmatched]


def test_plans() -> None:
    assert plan(None, state(5, 1)) == Plan(Step.BASELINE)
    assert plan(KnownFolder(5, 0, complete=False), state(5, 9)) == Plan(Step.BASELINE)
    assert plan(KnownFolder(5, 0, complete=False), state(6, 9)).step is Step.REMATCH
    assert plan(KnownFolder(5, 0), state(5, 1)) == Plan(Step.NEW, above=0)
    assert plan(KnownFolder(5, 9), state(5, 10)) == Plan(Step.NEW, above=9)
    assert plan(KnownFolder(5, 9), state(5, 0)) == Plan(Step.NEW, above=9)  # UIDNEXT not told
    assert plan(KnownFolder(5, 9), state(6, 10)) == Plan(Step.REMATCH, reason="uidvalidity_changed")
    assert plan(KnownFolder(5, 9), state(5, 9)) == Plan(Step.REMATCH, reason="uidnext_went_back")


def test_f33_a_late_uid_below_the_mark_is_unseen() -> None:
    assert unseen([1, 2, 9], [10, 2, 5, 9]) == [5, 10]


def test_f30_old_mail_is_found_by_its_digest_and_new_mail_is_new() -> None:
    entries = [entry(1, "a"), entry(2, "b")]
    found = rematch(entries, [there(11, "b"), there(12, "c"), there(13, "a")])
    assert dict(found.matched) == {11: 2, 13: 1}
    assert [mail.uid for mail in found.unmatched] == [12]


def test_equal_mails_are_paired_one_to_one() -> None:
    found = rematch([entry(1, "same"), entry(2, "same")], [there(uid, "same") for uid in (5, 6, 7)])
    assert dict(found.matched) == {5: 1, 6: 2}
    assert [mail.uid for mail in found.unmatched] == [7]


def test_a_changed_header_is_found_by_message_id_moment_and_size() -> None:
    known = entry(1, "old", message_id="<1@example.com>")
    assert dict(rematch([known], [there(7, "new", message_id="<1@example.com>")]).matched) == {7: 1}
    assert strangers([known], [there(7, "new", message_id="<1@example.com>", size=101)]) == [7]
    assert strangers([known], [there(7, "new", message_id="<1@example.com>", at=NOON + dt.timedelta(1))]) == [7]
    assert strangers([entry(1, "old")], [there(7, "new")]) == [7]  # no Message-ID is no likeness


def test_f37_a_moved_server_with_new_moments_gives_no_new_mail() -> None:
    entries = [entry(number, f"mail {number}") for number in range(1000)]
    moved = [there(number + 1, f"mail {number}", at=NOON + dt.timedelta(30)) for number in range(1000)]
    assert strangers(entries, moved) == []


def test_f37_a_folder_of_which_most_looks_new_asks_for_a_person() -> None:
    assert is_mass_change(strangers=80, present=100)
    assert is_mass_change(strangers=100, present=100)
    assert not is_mass_change(strangers=50, present=100)
    assert not is_mass_change(strangers=50, present=50)
    assert not is_mass_change(strangers=60, present=1000)


def test_f34_a_reused_uid_is_suspected_by_its_size_or_its_newness() -> None:
    entries = [entry(uid, f"mail {uid}") for uid in range(1, 301)]
    sizes = dict.fromkeys(range(1, 301), 100)
    assert suspects(entries, sizes) == list(range(101, 301))
    assert suspects(entries, {**sizes, 7: 99}) == [7, *range(101, 301)]
    assert suspects([entry(1, "uid:1", size=0), entry(2, "b")], {1: 100}) == []


def test_f34_a_reused_uid_is_seen_by_its_digest() -> None:
    assert contradicted({1: "a", 2: "b"}, [there(1, "a"), there(2, "other"), there(3, "c")]) == (2,)


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
    found = rematch([entry(key, str(key)) for key in known], [there(uid + 100, str(uid)) for uid in present])
    assert {uid - 100 for uid in found.matched} == known & present
    assert {mail.uid - 100 for mail in found.unmatched} == present - known
    assert len(set(found.matched.values())) == len(found.matched)
