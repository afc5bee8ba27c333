"""Learning from what staff corrected: the local layer of this installation's judge."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from inboxbot.desk.context import Desk
from inboxbot.errors import RefusedError
from inboxbot.logs import get_logger
from inboxbot.sorting.evaluation import GoldMail, shipped_mails
from inboxbot.sorting.judge import Judge
from inboxbot.sorting.kinds import Kind
from inboxbot.sorting.learning import Correction, Learned, learn
from inboxbot.store.corrections import drop_layer, drop_layers, load_corrections, save_layer
from inboxbot.store.retention import layer_is_stale


def learn_from_corrections(desk: Desk, *, now: dt.datetime, shipped: Sequence[GoldMail] | None = None) -> Learned:
    """Refit the local layer from every correction and keep it.

    It is measured on the mails that ship with inboxbot, or on ``shipped``. Raises RefusedError when it would make
    nothing better.
    """
    with desk.store.read() as connection:
        corrections = [_correction(row) for row in load_corrections(connection)]
    learned = learn(Judge.load(), corrections, shipped or shipped_mails())
    with desk.store.write() as connection:
        save_layer(connection, json.loads(learned.layer.to_json()), now=now)
    return learned


def undo(desk: Desk) -> bool:
    """Go back to what was learned before; return whether there was anything to undo."""
    with desk.store.write() as connection:
        return drop_layer(connection)


def refit_if_stale(desk: Desk, *, now: dt.datetime) -> None:
    """Unlearn what was purged: fit anew from what is left, or drop the layer when that makes nothing better."""
    with desk.store.read() as connection:
        if not layer_is_stale(connection):
            return
    with desk.store.write() as connection:
        drop_layers(connection)
    try:
        learned = learn_from_corrections(desk, now=now)
    except RefusedError:
        get_logger().info("local_layer_dropped")
    else:
        get_logger().info("local_layer_refitted", corrections=learned.corrections)


def _correction(row: Mapping[str, Any]) -> Correction:
    return Correction(
        tuple(row["features"]),
        tuple(Kind(kind) for kind in row["judged"]),
        tuple(Kind(kind) for kind in row["right"]),
        tuple(row["scores"]),
    )
