"""What is done once a day however the program is run: by the daemon's timer, or by a run of `inboxbot once` from cron.

When it was done last lies in the database, so asking is cheap.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from inboxbot.daemon.auditing import audit_daily
from inboxbot.daemon.expired import move_all
from inboxbot.daemon.round import Now
from inboxbot.desk.arrivals import Tally
from inboxbot.desk.context import Desk
from inboxbot.desk.learning import refit_if_stale
from inboxbot.desk.retention import daily
from inboxbot.store.audits import last_audit
from inboxbot.store.retention import last_run
from inboxbot.store.tables import installation

_DAY = dt.timedelta(days=1)


def keep_house(desk: Desk, *, now: dt.datetime) -> None:
    """Purge what is due, anchor the histories, unlearn what was purged; what was done today is not done again."""
    daily(desk, now=now)
    refit_if_stale(desk, now=now)


def do_daily(desk: Desk, *, now: Now) -> Tally:
    """Do in a run of `once` what the daemon does daily; broken promises are errors of the run, so that cron tells.

    A new installation begins with it after its first day. That the database is sound is looked at when it is opened.
    """
    tally = Tally()
    with desk.store.read() as connection:
        made = connection.execute(select(installation.c.created_at)).scalar_one()
        kept, audited = last_run(connection), last_audit(connection)
    young = dt.timedelta() <= now() - made < _DAY
    if kept is not None or not young:
        keep_house(desk, now=now())
        move_all(desk)
    found = audit_daily(desk, now=now()) if audited is not None or not young else None
    if found is not None and found["findings"]:
        what = f"{len(found['findings'])} findings: a promise is broken"
        tally.errors.append({"where": "audit", "what": what, "cure": "`inboxbot audit` names them"})
    return tally
