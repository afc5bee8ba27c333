"""`inboxbot status` tells of a mailbox that was not read for longer than it promises (promises.md P7)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from tests.servers.installation import Installation, open_office

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
