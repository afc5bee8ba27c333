"""What the model holds comes out as it went in; a damaged model is noticed."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inboxbot.sorting.packed import pack, pack_lanes, pack_names, unpack_lanes, unpack_names


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1)))
def test_names(names: list[str]) -> None:
    assert unpack_names(pack_names(names)) == tuple(names)


@given(st.integers(1, 60), st.data())
def test_lanes(size: int, data: st.DataObject) -> None:
    rows = data.draw(st.integers(0, 9).flatmap(lambda count: st.binary(min_size=size * count, max_size=size * count)))

    assert unpack_lanes(pack_lanes(rows, size), size) == rows


@pytest.mark.parametrize("damaged", ["", "%%%", pack(b"some weights")[:-8] + "AAAAAAA="])
def test_damage_is_noticed(damaged: str) -> None:
    with pytest.raises((ValueError, zlib.error)):
        unpack_names(damaged)
