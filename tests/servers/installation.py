"""A whole installation in a temporary folder: settings, database, the real commands in child processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "inboxbot.cli.main"]


@dataclass
class Installation:
    """Settings for one mailbox on given servers, and the commands to work with them."""

    folder: Path
    imap_port: int
    smtp_port: int
    username: str
    password: str
    address: str = "kontakt@example.se"
    promise_hours: int | None = 24
    start: str = "beginning"
    company_lines: str = ""
    mailbox_lines: str = ""
    imap_lines: str = ""
    database: str = "sqlite:///inboxbot.db"
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the settings."""
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder / "imap-password"
        secret.write_text(self.password + "\n", encoding="utf-8")
        secret.chmod(0o600)
        self.write()

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def write(self) -> None:
        promise = f"promise_hours = {self.promise_hours}" if self.promise_hours else ""
        self.config.write_text(
            f"""
[database]
url = "{self.database}"

[[company]]
name = "Exempel AB"
organisation_number = "556000-0001"
reference_prefix = "EX"
{self.company_lines}
[[company.mailbox]]
address = "{self.address}"
{promise}
start = "{self.start}"
{self.mailbox_lines}
[company.mailbox.imap]
host = "127.0.0.1"
port = {self.imap_port}
security = "none"
username = "{self.username}"
password_file = "imap-password"
{self.imap_lines}
[company.mailbox.smtp]
host = "127.0.0.1"
port = {self.smtp_port}
security = "none"
""",
            encoding="utf-8",
        )

    def run(self, *arguments: str, check: bool = True, input_text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command and return it; a failure shows what it printed."""
        done = subprocess.run(
            [*COMMAND, "--config", str(self.config), *arguments],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            input=input_text,
            env={**os.environ, **self.environment},
        )
        if check and done.returncode:
            raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *arguments: str) -> Any:
        """Run a command with --json and return its document."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def start_process(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and return its process."""
        return subprocess.Popen(
            [*COMMAND, "--config", str(self.config), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment},
        )
