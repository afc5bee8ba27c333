"""Issue 6, acceptance 4: the five mails that hang or fell other parsers become held cases; other mail is taken."""

from __future__ import annotations

from collections.abc import Callable

from tests.reading.test_bombs import REFUSED
from tests.servers.audited import audit_database
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Office
from tests.servers.writing import access

from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import CaseState, PromiseStatus

FIVE = (
    "32 kB Content-Type of semicolons",
    "530 parentheses in To",
    "400 kB of </",
    "100 000 nested div",
    "20 000 recipients",
)


def test_e19_the_five_bombs_are_held_cases_while_other_mail_is_taken(
    open_here: Callable[..., Office], dovecot: Dovecot, database: str
) -> None:
    """C12, C13, C14, E19."""
    office = open_here(database=database)
    mails = [mail for name in FIVE for mail in (REFUSED[name][0](), access(f"Person {name.split()[0]}{len(name)}"))]
    dovecot.append(office.installation.username, mails)
    tally = office.once()
    assert (tally.held, tally.cases_opened, tally.errors) == (5, 5, [])
    held = [one for one in office.ledger() if one["state"] == "held"]
    assert sorted(one["uid"] for one in held) == [1, 3, 5, 7, 9]
    assert sorted(one["reason"] for one in held) == sorted(REFUSED[name][1] for name in FIVE)
    for case in office.cases():
        assert case.state in {CaseState.HELD, CaseState.OPEN}
        assert promise_status(case.promises, office.clock())[0] is PromiseStatus.RUNNING, "its clock runs"
    assert audit_database(office.desk)["ok"]
