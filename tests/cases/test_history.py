"""The chain of history: any change, removal, insertion or cut is found at its place."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from inboxbot.cases.history import HistoryEntry, entry_hash, first_broken

AT = dt.datetime(2026, 11, 22, 6, 4, 5, 678901, tzinfo=dt.UTC)


def chain(length: int) -> list[HistoryEntry]:
    entries: list[HistoryEntry] = []
    for number in range(1, length + 1):
        fields = (
            7,
            number,
            AT + dt.timedelta(minutes=number),
            "noted",
            "user:1",
            "terminal",
            {"draft": number, "a": "b"},
        )
        made = entry_hash(entries[-1].hash if entries else None, *fields)
        entries.append(HistoryEntry(*fields, hash=made))
    return entries


def test_a_whole_chain_is_whole() -> None:
    entries = chain(5)
    assert first_broken(entries) is None
    assert first_broken([]) is None
    assert first_broken(entries, anchor=(3, entries[2].hash)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"at": AT},
        {"event": "notec"},
        {"actor": "user:2"},
        {"door": "web"},
        {"detail": {"draft": 2, "a": "c"}},
        {"detail": {"draft": 2}},
        {"case_id": 8},
        {"sequence": 3},
        {"hash": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_entry_is_named(change: dict[str, object]) -> None:
    entries = chain(4)
    entries[1] = replace(entries[1], **change)  # type: ignore[arg-type]
    assert first_broken(entries) == 2


def test_a_removed_swapped_or_inserted_entry_is_named() -> None:
    entries = chain(4)
    assert first_broken([entries[0], *entries[2:]]) == 2
    assert first_broken([entries[0], entries[2], entries[1], entries[3]]) == 2
    assert first_broken([*entries[:2], entries[1], *entries[2:]]) == 3


def test_a_cut_or_rewritten_chain_is_found_by_its_anchor() -> None:
    entries = chain(4)
    anchor = (4, entries[3].hash)
    assert first_broken(entries[:2]) is None
    assert first_broken(entries[:2], anchor) == 3
    assert first_broken(entries, (2, "f" * 64)) == 2


def test_the_digest_does_not_depend_on_zone_or_order_of_keys() -> None:
    here = AT.astimezone(dt.timezone(dt.timedelta(hours=2)))
    one = entry_hash(None, 1, 1, AT, "noted", "a", "web", {"x": 1, "y": "å"})
    assert one == entry_hash(None, 1, 1, here, "noted", "a", "web", {"y": "å", "x": 1})
    assert entry_hash(one, 1, 2, AT, "e", "a", "w", {}) == entry_hash(bytes.fromhex(one), 1, 2, AT, "e", "a", "w", {})
    assert entry_hash(None, 1, 1, AT, "noted", "a", "web", {"x": "1"}) != entry_hash(
        None, 1, 1, AT, "noted", "a", "web", {"x": 1}
    )
