"""Seeing that the systems which the settings let inboxbot search can be searched. Nobody is looked for."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from inboxbot.config.model import Settings, System
from inboxbot.daemon.findings import Finding, Level
from inboxbot.desk.registers import Result, unfitness

_FAULTS: Final = {
    Result.FILE_MISSING: ("the file is not there", "check {key}.lookup_csv"),
    Result.FILE_UNREADABLE: ("the file cannot be read as CSV by this user", "check {key}.lookup_csv and its rights"),
    Result.NO_ADDRESS_COLUMN: ("the file has no column of addresses", "name it in {key}.lookup_address_column"),
    Result.NO_NAME_COLUMN: ("the file lacks the column that is named", "check {key}.lookup_name_column"),
    Result.COMMAND_MISSING: ("the command is not there or cannot be executed", "check {key}.lookup_command (chmod +x)"),
}  # fmt: skip


def check_registers(settings: Settings) -> list[Finding]:
    """Look at every system with lookup_csv or lookup_command."""
    found = []
    for first, company in enumerate(settings.company, 1):
        for second, system in enumerate(company.systems, 1):
            if system.can_be_searched:
                found += _look(system, f"company[{first}].systems[{second}]", company.name, settings.folder)
    return found


def _look(system: System, key: str, company: str, folder: Path) -> list[Finding]:
    where = f"{company}: {system.name}"
    fault = unfitness(system, folder)
    if fault is not None:
        what, cure = _FAULTS.get(fault, ("cannot be searched", "check {key}"))
        return [Finding("lookup", where, Level.ERROR, what, cure.format(key=key))]
    file = system.lookup_csv
    if file is not None and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return [Finding("lookup", where, Level.WARNING, "holds customers and is open to others", f"chmod 600 {file}")]
    return [Finding("lookup", where, Level.OK, "addresses can be looked up there")]
