"""The account that the demo is looked at with."""

from __future__ import annotations

import datetime as dt

from inboxbot.desk.context import Desk
from inboxbot.store.people import EVERY_COMPANY, Role, add_user, change_user, find_user
from inboxbot.web.passwords import hash_password, new_password

NAME = "Anna"  # the name that the demo's own commands approve with


def ready_login(desk: Desk, *, now: dt.datetime) -> tuple[str, str]:
    """Make the account, or give it a new password, and return its name and password."""
    password = new_password()
    kept = hash_password(password)
    with desk.store.write() as connection:
        known = find_user(connection, NAME)
        if known is None:
            add_user(connection, NAME, role=Role.ADMIN, companies=[EVERY_COMPANY], password=kept, now=now)
        else:
            change_user(connection, known.id, password=kept)
    return NAME, password
