"""The crash points of one run, in the order in which a run passes them."""

from __future__ import annotations

TAKING = ("intake_begun", "intake_fetched", "intake_in_transaction", "intake_committed", "folder_mark_committed")
SENDING = (
    "send_begun",
    "send_claimed",
    "send_text_out",
    "send_before_dot",
    "send_after_dot",
    "send_accepted",
    "send_journaled",
    "send_committed",
)
# Only from the note that the final dot goes out until its answer is written down is the outcome unknown.
IN_DOUBT = {"send_before_dot", "send_after_dot", "send_accepted"}
KILLED = 137
