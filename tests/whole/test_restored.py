"""A backup of two days ago, put back while mail lies there and letters have left: real servers (D4, F78)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.servers.dovecot import Dovecot
from tests.servers.installation import Office, open_office
from tests.servers.sink import Sink
from tests.servers.writing import access

from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import DraftState, PromiseStatus
from inboxbot.mailbox.workers import ReadingPool

OpenHere = Callable[..., Office]


def approve_all(office: Office) -> None:
    for one in office.drafts(DraftState.PROPOSED):
        office.approve(one.id)


def test_the_mails_since_are_taken_again_and_no_letter_leaves_again(
    open_here: OpenHere, dovecot: Dovecot, sink: Sink, pool: ReadingPool, tmp_path: Path
) -> None:
    """F78."""
    office = open_here()
    place, user = office.installation, office.installation.username
    dovecot.append(user, [access("Anna Berg"), access("Bo Ek")])
    office.once()
    office.approve(office.drafts()[0].id)  # Anna's; Bo's is a proposal still
    file = tmp_path / "backup.db"
    place.run("backup", str(file))
    # Since the backup: Anna's letter leaves, Bo's is approved and leaves, Cia writes and is answered, Dan writes.
    approve_all(office)
    office.once()
    dovecot.append(user, [access("Cia Dahl")])
    office.once()
    approve_all(office)
    assert office.once().sent == 1
    dovecot.append(user, [access("Dan Ros")])
    office.once()
    references = {one.requester: one.reference for one in office.cases()}
    assert len(sink.box) == 3
    office.desk.store.close()

    done = place.json("restore", str(file))
    assert done["unknown"] == 1
    assert place.json("once")["taken"] == 2

    with open_office(place, pool=pool) as again:
        cases = {str(one.requester): one for one in again.cases()}
        assert sorted(cases) == [f"{name}@example.org" for name in ("anna.berg", "bo.ek", "cia.dahl", "dan.ros")]
        states = {one.recipient: one.state for one in again.drafts()}
        assert states["anna.berg@example.org"] is DraftState.SENT, "its copy lies in the sent folder"
        assert states["bo.ek@example.org"] is DraftState.SENT
        assert states["cia.dahl@example.org"] is DraftState.SUPERSEDED, "answered before the restore, by another letter"
        assert states["dan.ros@example.org"] is DraftState.PROPOSED
        for name in ("anna.berg", "bo.ek", "cia.dahl"):
            case = cases[f"{name}@example.org"]
            assert promise_status(case.promises, again.clock())[0] is PromiseStatus.MET, name
        old = set(references.values())
        assert cases["anna.berg@example.org"].reference in old
        assert cases["cia.dahl@example.org"].reference not in old, "no number stands for two cases"
        approve_all(again)
        again.once()
        assert len(sink.box) == 3, "nothing leaves until a person releases it"
    place.run("sending", "release", "--by", "Eva Ek")
    assert place.json("once")["sent"] == 1
    assert [one.recipients[0] for one in sink.box].count("dan.ros@example.org") == 1
    assert len({one.recipients[0] for one in sink.box}) == len(sink.box) == 4
    assert place.json("audit")["findings"] == []
