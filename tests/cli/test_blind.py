"""`inboxbot status` tells of a mailbox that was not read for longer than it promises (promises.md P7)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, open_office

from inboxbot.mailbox.workers import ReadingPool
from inboxbot.store.mailboxes import note_served


def test_a_mailbox_that_was_not_read_for_longer_than_promised_is_a_broken_promise(tmp_path: Path) -> None:
    place = Installation(tmp_path, 9, 9, "kontakt", "hemligt")
    with open_office(place) as office:
        served = office.served()
        for hours, blind in ((1, False), (25, True)):
            with office.desk.store.write() as connection:
                note_served(connection, served.id, office.clock() - dt.timedelta(hours=hours))
            done = place.run("status", "--json", check=False)
            told = json.loads(done.stdout)
            assert (done.returncode, told["broken"], told["mailboxes"][0]["blind"]) == (int(blind), blind, blind)
        assert "kontakt@example.se: not read since" in place.run("status", check=False).stdout


def test_a_past_window_stays_in_status_and_in_the_report(
    installation: Callable[..., Installation], dovecot: Dovecot, database: str
) -> None:
    address = "kontakt.och.kundtjanst@example.se"  # longer than a column of the report
    place = installation(database=database, address=address)
    with ReadingPool(1) as pool, open_office(place, pool=pool) as office:
        office.once()
        served = office.served()
        with office.desk.store.write() as connection:
            note_served(connection, served.id, office.clock() - dt.timedelta(hours=30))
        office.once()
        office.once()  # the next round is whole again: no second window
        told = place.json("status")
        (window,) = told["blind_windows"]
        assert (told["broken"], window["mailbox"]) == (False, address)
        since, until = (dt.datetime.fromisoformat(window[key]) for key in ("since", "until"))
        assert dt.timedelta(hours=30) <= until - since < dt.timedelta(hours=31)
        assert "Past times without a look" in place.run("status").stdout
        day = str(office.clock().date())
        assert [one["mailbox"] for one in place.json("report", "--from", day, "--to", day)["blind"]] == [address]
        for form in ("text", "md", "html", "csv"):
            done = place.run("report", "--from", day, "--to", day, "--format", form)
            assert (f"  {address} " if form == "text" else address) in done.stdout
            assert window["until"][:16] in done.stdout
