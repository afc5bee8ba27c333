"""Acceptance 6: two instances aimed at each other, and a partner that hides, stop within the limits (C76, S8).

Nothing leaves without a person, so a robot approves here whatever lies there. What one side sends is put into the
other's inbox, over and over, far more often than the limits allow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default

from tests.servers.dovecot import Dovecot
from tests.servers.installation import Office
from tests.servers.sink import Delivered, Sink, running_sink
from tests.servers.writing import access, fresh_id, letter

from inboxbot.cases.values import DraftState
from inboxbot.store.stops import standing_stops

OpenHere = Callable[..., Office]
LIMITS = """
[limits]
per_recipient_per_day = 2
stop_after_over_recipient = 2
per_hour = 4
stop_after_over_hour = 3
"""


def work(office: Office) -> None:
    """Take what came, let the robot approve everything, and send what may leave."""
    office.once()
    for one in office.drafts(DraftState.PROPOSED):
        if one.recipient is not None:
            office.approve(one.id)
    office.clock.advance(seconds=30)
    office.send()


def whys(office: Office) -> list[str]:
    with office.desk.store.read() as connection:
        return [one.why for one in standing_stops(connection)]


def new_in(sink: Sink, seen: int) -> list[Delivered]:
    return sink.box[seen:]


def test_two_instances_aimed_at_each_other_stop(open_here: OpenHere, dovecot: Dovecot, sink: Sink) -> None:
    """C76, E16. Each takes the other's letters for mail of a person that is promised an answer."""
    with running_sink() as other_sink:
        ours = open_here(top_lines=LIMITS)
        theirs = open_here(top_lines=LIMITS, address="info@example.net", smtp_port=other_sink.port)
        asked = access(sender="Exempel AB <kontakt@example.se>", to="info@example.net")
        dovecot.append(theirs.installation.username, [asked])
        seen = {"kontakt@example.se": 0, "info@example.net": 0}

        def to_and_fro(turns: int) -> None:
            for _ in range(turns):
                for office, box, to in ((theirs, other_sink, ours), (ours, sink, theirs)):
                    work(office)
                    fresh = new_in(box, seen[office.installation.address])
                    seen[office.installation.address] += len(fresh)
                    if fresh:
                        dovecot.append(to.installation.username, [one.content for one in fresh])

        to_and_fro(4)
        assert len(sink.box) == len(other_sink.box) == 2, "the day's number for one recipient"
        assert whys(theirs) == whys(ours) == [], "one letter waits, visibly"
        assert [one.waits_because for one in theirs.drafts(DraftState.APPROVED)] == ["limit_per_recipient"]
        for office in (ours, theirs):
            office.clock.advance(hours=25)
        to_and_fro(3)
        assert whys(theirs) == ["over_recipient"], "it goes on the next day: that is no person"
        before = len(other_sink.box)
        for office in (ours, theirs):
            office.clock.advance(days=3)
        to_and_fro(1)
        assert len(other_sink.box) == before <= 4


def hidden(number: int, sent: Delivered) -> bytes:
    """Return the answer of a partner that mirrors a letter from a new address each time, without any header of it."""
    words = message_from_bytes(sent.content, policy=default).get_content()
    words = re.sub(r"\S*EX-2026\S*|https?://\S+", "", words)
    return letter(
        f"Svar {number}",
        f"Hej! Vilka uppgifter har ni om mig? Jag vill ha ett registerutdrag.\n\n{words}",
        sender=f"Kund <kund{number}@d{number}.example.org>",
        message_id=fresh_id(f"d{number}.example.org"),
    )


def test_a_partner_that_strips_headers_and_changes_its_address_is_stopped_by_the_breaker(
    open_here: OpenHere, dovecot: Dovecot, sink: Sink
) -> None:
    """C76, E16."""
    office = open_here(top_lines=LIMITS)
    user = office.installation.username
    dovecot.append(user, [access()])
    answered = 0
    for turn in range(14):
        work(office)
        for one in new_in(sink, answered):
            answered += 1
            dovecot.append(user, [hidden(answered, one)])
        # It does not wait for an answer either.
        dovecot.append(user, [hidden(1000 + turn, sink.box[0])])
        if whys(office):
            break

    assert whys(office) == ["over_hour"]
    assert len(sink.box) == 4, "the hour's number"
    done = office.installation.run("status", check=False)
    assert done.returncode == 1
    assert "Sending is stopped" in done.stdout
    office.clock.advance(days=3)
    work(office)
    assert len(sink.box) == 4, "it stays stopped until a person releases it"
    assert office.installation.json("audit")["ok"]
