"""An installation whose mails, letters and cases are made through the desk itself; no server is needed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from tests.servers.installation import Installation

from inboxbot.cases.checklist import About, ChecklistLine, LineAnswer
from inboxbot.cases.codes import StoredCode
from inboxbot.cases.values import Case, DraftState
from inboxbot.config.load import load_settings
from inboxbot.daemon.round import served_mailbox
from inboxbot.desk.annotate import note
from inboxbot.desk.approve import approve
from inboxbot.desk.arrivals import Arrival, Tally
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.edit import edit
from inboxbot.desk.intake import take
from inboxbot.desk.relabel import relabel
from inboxbot.desk.sending import accepted, begin, claim, next_letter
from inboxbot.reading.headers import split_header
from inboxbot.reading.read import read_mail
from inboxbot.reading.values import Mail, RawMail
from inboxbot.replies.compose import OutAttachment
from inboxbot.sorting.kinds import Kind
from inboxbot.sorting.values import Evidence, Verdict
from inboxbot.store.cases import load_cases
from inboxbot.store.checklists import Identity, save_attachment, save_code, save_identity, save_lines
from inboxbot.store.drafts import Turn, load_drafts
from inboxbot.store.mailboxes import load_folder, save_folder
from inboxbot.store.opening import open_store
from inboxbot.store.schema import secret
from inboxbot.store.tables import SQLModel, placed, webhooks
from inboxbot.store.types import UtcMoment

ADDRESS = "anna.blabar@example.org"
NAME = "Anna Blåbärsson"
MARKERS = (ADDRESS, "blåbärsson", "kvarglömt", "blåbärsgatan", "annas-fil", "annas anteckning", "<m1.anna@")
SECOND = """
[[company.mailbox]]
address = "info@example.se"
start = "beginning"
[company.mailbox.imap]
host = "127.0.0.1"
port = 1
security = "none"
[company.mailbox.smtp]
host = "127.0.0.1"
port = 1
security = "none"
"""


def mail_of(address: str, subject: str, words: str, *, number: int, name: str = NAME) -> bytes:
    message = EmailMessage()
    message["From"] = f"{name} <{address}>"
    message["To"] = "kontakt@example.se"
    message["Subject"] = subject
    message["Date"] = "Sat, 21 Nov 2026 10:00:00 +0100"
    message["Message-ID"] = f"<m{number}.anna@mail.example.org>"
    message.set_content(words)
    return message.as_bytes()


def verdict_on(mail: Mail) -> Verdict:
    """Judge by one word: what is tried here is not the judge."""
    words = mail.text.lower()
    kind = Kind.UNSUBSCRIBE if "nyhetsbrev" in words else Kind.ERASURE if "radera" in words else Kind.OTHER
    evidence = (Evidence(kind, "body", mail.text[:20], 0, len(mail.text[:20])),)
    confidence = {one: float(one is kind) for one in Kind}
    return Verdict((kind,), confidence, False, False, "sv", None, evidence, features=(1, 2, 3))  # noqa: FBT003


@dataclass
class House(Installation):
    """The installation with its desk open in this process."""

    desk: Desk = field(init=False)
    ahead: dt.timedelta = dt.timedelta()
    first_message: bytes = b""

    actor = Actor("Eva Ek", "terminal")

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def move(self, delta: dt.timedelta) -> None:
        self.ahead += delta

    def receive(self, message: bytes, mailbox: str | None = None) -> Tally:
        served = served_mailbox(self.desk, mailbox or self.address)
        with self.desk.store.write() as connection:
            folder = load_folder(connection, served.id, "INBOX") or save_folder(
                connection, served.id, name="INBOX", role="inbox", uidvalidity=1, uidnext=1, baseline_uid=0
            )
        header, _ = split_header(message)
        mail: Mail = read_mail(RawMail(header=header, size=len(message), whole=message))
        verdict: Verdict = verdict_on(mail)
        uid = self.rows(f"SELECT count(*) FROM ledger WHERE folder_id = {folder.id}")[0][0] + 1
        digest = hashlib.sha256(header).hexdigest()
        arrival = Arrival(
            folder.id, 1, uid, len(message), digest, header, self.now(), self.now(), mail=mail, verdict=verdict
        )
        return take(self.desk, served, [arrival], now=self.now())

    def finished_case(self, address: str = ADDRESS, name: str = NAME, number: int = 1) -> str:
        """Let a person opt out: taken, noted, edited, approved, sent, told, closed. Return the reference."""
        words = f"Hej, sluta skicka nyhetsbrev till mig!\n\nHälsningar\n{name}\nBlåbärsgatan 7"
        self.first_message = mail_of(address, "Kvarglömt nyhetsbrev", words, number=number, name=name)
        self.receive(self.first_message)
        case = max(self.cases(), key=lambda one: one.id)
        relabel(self.desk, case.id, [Kind.UNSUBSCRIBE], actor=self.actor, now=self.now())
        note(self.desk, case.id, "Annas anteckning: ringde", actor=self.actor, now=self.now(), phone=True)
        draft = self.drafts(case.id, DraftState.PROPOSED)[0]
        edit(self.desk, draft.id, actor=self.actor, now=self.now(), body=f"Hej {name}!\n\n{draft.body}")
        with self.desk.store.write() as connection:
            save_attachment(
                connection, draft.id, OutAttachment("annas-fil.json", "application/json", b"{}"), now=self.now()
            )
            line = ChecklistLine(About.SYSTEM, "Webshop", LineAnswer.STOPPED, detail="Annas anteckning: order 7")
            save_lines(connection, case.requests[0].id, [line])
            save_identity(connection, case.id, Identity(address, "Webshop", looked_up=True, facts={"strong": True}))
            save_code(connection, StoredCode("ab" * 32, case.id, "access", self.now()), draft.id)
            row = {"case_id": case.id, "system": "Nyhetsbrev", "address": address, "since": self.now(), "attempts": 1}
            connection.execute(insert(webhooks).values(**row, result=f"500 {address}"))
            there = {"draft_id": draft.id, "mailbox_id": 1, "state": "ended", "note": "sent", "words": "cd" * 16}
            connection.execute(insert(placed).values(**there, uidvalidity=1))
        approve(self.desk, draft.id, actor=self.actor, now=self.now())
        self.send_all()
        return case.reference

    def send_all(self) -> None:
        """Let every approved letter be accepted by a server that names its recipient."""
        turn = Turn()
        while (letter := next_letter(self.desk, now=self.now(), turn=turn)) is not None:
            attempt = begin(self.desk, letter, phase="greeting", now=self.now())
            claim(self.desk, letter, attempt, phase="data", now=self.now())
            text_of_server = f"250 2.1.5 <{letter.recipient}> queued"
            accepted(self.desk, letter.draft.id, attempt, text=text_of_server, now=self.now())

    def cases(self) -> list[Case]:
        with self.desk.store.read() as connection:
            return load_cases(connection)

    def open_cases(self) -> list[str]:
        return [one.reference for one in self.cases() if one.state.value not in {"closed", "dismissed"}]

    def case(self, reference: str) -> Case:
        return next(one for one in self.cases() if one.reference == reference)

    def drafts(self, case_id: int, *states: DraftState) -> Any:
        with self.desk.store.read() as connection:
            return load_drafts(connection, case_ids=[case_id], states=states or None)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.desk.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def report(self) -> Any:
        """Return the report of the days around this one, as the command gives it."""
        today = dt.datetime.now(dt.UTC).date()
        days = ("--from", str(today - dt.timedelta(days=2)), "--to", str(today + dt.timedelta(days=2)))
        return self.json("report", *days)

    def shift_rows(self, delta: dt.timedelta) -> None:
        """Move every stored moment but those of history (whose chain they belong to) into the past."""
        with self.desk.store.write() as connection:
            for table in SQLModel.metadata.sorted_tables:
                moments = [one for one in table.columns if isinstance(one.type, UtcMoment)]
                if table.name == "history" or not moments:
                    continue
                key = next(iter(table.primary_key.columns))
                for row in list(connection.execute(table.select())):
                    values = {one.name: row._mapping[one] - delta for one in moments if row._mapping[one] is not None}
                    if values:
                        connection.execute(table.update().where(key == row._mapping[key]).values(**values))


@contextmanager
def make_house(
    folder: Path,
    company_lines: str = "",
    more_companies: tuple[str, ...] = (),
    database: str = "sqlite:///inboxbot.db",
) -> Iterator[House]:
    """Open an installation with a promising mailbox and one without a promise."""
    more = "".join(
        f'[[company]]\nname = "{name}"\norganisation_number = "556000-0001"\nreference_prefix = "M{number}"\n'
        + SECOND.replace("info@", f"m{number}@")
        for number, name in enumerate(more_companies)
    )
    house = House(folder, 1, 1, "kontakt", "secret", company_lines=company_lines, more=SECOND + more, database=database)
    settings = load_settings(house.config)
    store = open_store(settings.database.url, settings.folder, now=house.now())
    try:
        with store.read() as connection:
            key = secret(connection)
        house.desk = Desk(store, settings, key)
        yield house
    finally:
        store.close()
