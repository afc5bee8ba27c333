"""A real server that numbers anew: entries follow their messages, and only what is new becomes a case (F30, F37)."""

from __future__ import annotations

from collections.abc import Callable

from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation
from tests.servers.writing import access

Install = Callable[..., Installation]


def test_f30_entries_follow_their_messages_and_the_new_mail_is_a_case(installation: Install, dovecot: Dovecot) -> None:
    place = installation()
    dovecot.append(place.username, [access("Anna Berg"), access("Bo Ek")])
    assert place.json("once")["cases_opened"] == 2
    dovecot.doveadm("mailbox", "update", "-u", place.username, "--uid-validity", "777000", "INBOX")
    dovecot.append(place.username, [access("Cia Dahl")])
    taken = place.json("once")
    assert (taken["taken"], taken["cases_opened"], taken["errors"]) == (1, 1, [])
    assert sorted(one["uid"] for one in place.json("ledger")) == [1, 2, 3]
    assert place.json("once")["taken"] == 0


def test_f37_a_moved_mailbox_waits_for_a_person_to_accept_it(installation: Install, dovecot: Dovecot) -> None:
    place = installation(start="now")
    place.json("once")
    dovecot.append(place.username, [access(f"Anna Berg{number}") for number in range(51)])
    dovecot.doveadm("mailbox", "update", "-u", place.username, "--uid-validity", "777000", "INBOX")
    done = place.run("once", check=False)
    assert done.returncode == 1
    assert "51 of its 51 mails look new" in done.stderr
    assert f"inboxbot once --accept-new-mails {place.address}" in done.stderr
    assert place.json("cases", "list") == []
    wrong = place.run("once", "--accept-new-mails", "annan@example.se", check=False)
    assert (wrong.returncode, "no mailbox annan@example.se" in wrong.stderr) == (2, True)
    assert place.json("once", "--accept-new-mails", place.address.upper())["cases_opened"] == 51
