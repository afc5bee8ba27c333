"""The commands of a person at the desk, run in this process: the same code as the program, without its start-up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner
from tests.servers.installation import Office

from inboxbot.cli.main import cli
from inboxbot.errors import InboxbotError

COMPANY = """
financial_year_end = "08-31"
automated_decisions = false
backups_days = 90
data_categories = ["namn", "köp"]

[[company.systems]]
name = "Webbutik"
holds = "kunduppgifter och ordrar"
purpose = "att leverera köp"
retention = "tre år efter senaste kontakt"

[[company.systems]]
name = "Bokföring"
holds = "fakturor"
purpose = "bokföringslagen"
retention = "sju år"

[[company.recipients]]
name = "Frakt Exempel AB"
role = "processor"
purpose = "frakt"

"""


@dataclass
class Person:
    """Somebody at the desk of an office, typing commands."""

    office: Office
    name: str = "Eva Ek"

    def says(self, *words: str) -> str:
        """Run a command that must succeed and return what it printed."""
        done = CliRunner().invoke(cli, ["--config", str(self.office.installation.config), *words], obj=None)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    def asks(self, *words: str) -> Any:
        """Run a command with --json and return its document."""
        return json.loads(self.says(*words, "--json"))

    def is_refused(self, *words: str) -> str:
        """Run a command that must be refused and return the reason a person reads."""
        done = CliRunner().invoke(cli, ["--config", str(self.office.installation.config), *words])
        assert isinstance(done.exception, InboxbotError), done.output
        return str(done.exception)

    def opens(self, *kinds: str, requester: str = "bo@example.org") -> str:
        """Enter a request by hand and return its reference."""
        options = [option for kind in kinds for option in ("--kind", kind)]
        return str(self.asks("cases", "open", "--requester", requester, *options, "--by", self.name)["reference"])

    def letter(self, reference: str, state: str = "proposed") -> dict[str, Any]:
        """Return the newest letter of a case in a state."""
        mine = [one for one in self.asks("drafts", "list", "--state", state) if one["case"] == reference]
        return dict(mine[-1])

    def approves(self, draft_id: int, name: str | None = None) -> None:
        self.says("drafts", "approve", str(draft_id), "--by", name or self.name)

    def case(self, reference: str) -> dict[str, Any]:
        return dict(self.asks("cases", "show", reference))
