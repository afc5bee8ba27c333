"""One mailbox with a mail of every sort, and what must become of each. Invented people, example domains."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.writing import US, access, bounce_of, fresh_id, letter, with_attachment

COMPANY_LINES = 'staff_addresses = ["eva@example.se"]'
MAILBOX_LINES = """
web_forms = [
  {sender = "webb@example.se", requester = "reply-to"},
  {sender = "formular@example.se", requester = "body", field = "E-post"},
]
"""


@dataclass(frozen=True)
class Sent:
    """A mail, its folder, what its ledger row says, whose case it opens and for which kinds (None: not asserted)."""

    message: bytes
    state: str
    reason: str | None = None
    requester: str | None = None
    kinds: set[str] | None = None
    folder: str = "INBOX"


def _plain(name: str, subject: str, body: str, kind: str | None, **more: object) -> Sent:
    address = f"{name.split(maxsplit=1)[0].lower()}@example.org"
    mail = letter(subject, body, sender=f"{name} <{address}>", **more)  # type: ignore[arg-type]
    return Sent(mail, "case", None, address, {kind} if kind else None)


def mailbag(attachment_bytes: int = 20_000_000) -> list[Sent]:
    """Return the mails in the order in which they lie in their folders."""
    thread = fresh_id()
    html = "<html><body><p>Hej!</p><p>Jag vill ha ett <b>registerutdrag</b> enligt artikel 15.</p></body></html>"
    latin = letter(
        "Radera", "Hej! Jag vill att ni raderar alla uppgifter ni har om mig. Hälsningar Åke",
        sender="Ake Nord <ake@example.org>", content_type="text/plain; charset=iso-8859-1", charset="latin-1",
    )  # fmt: skip
    multipart = letter(
        "Begäran",
        "--x\nContent-Type: text/plain; charset=utf-8\n\nJag vill ha ett registerutdrag enligt artikel 15.\n"
        "--x\nContent-Type: text/html; charset=utf-8\n\n" + html + "\n--x--",
        sender="Mia <mia@example.org>",
        content_type='multipart/alternative; boundary="x"',
    )
    quoted = (
        "Hej, jag undrar när paketet kommer?\n\nDen 1 november 2026 skrev Exempel AB:\n"
        "> Du kan alltid begära att vi raderar dina uppgifter.\n> Vi lämnar registerutdrag enligt artikel 15."
    )
    return [
        _plain("Anna Berg", "Mina uppgifter", "Vilka uppgifter har ni om mig? Jag vill ha ett registerutdrag enligt "
               "artikel 15 i GDPR.", "access", message_id=thread),
        _plain("Bert Ek", "Radera mig", "Jag vill att ni raderar alla uppgifter ni har om mig, enligt artikel 17.",
               "erasure"),
        _plain("Cia Dahl", "Avregistrera", "Avregistrera mig från nyhetsbrevet, tack. Jag vill inte ha fler utskick.",
               "unsubscribe"),
        _plain("Dan Falk", "Klagomål", "Ni har lämnat ut mina personuppgifter till fel person. Jag anmäler till IMY!",
               "complaint"),
        _plain("Eli Gran", "Fel adress", "Mitt namn är felstavat hos er. Rätta mina personuppgifter enligt artikel 16.",
               "rectification"),
        _plain("Fia Holm", "Flytta data", "Jag begär dataportabilitet: mina data i maskinläsbart format, artikel 20.",
               "portability"),
        _plain("Gun Ivar", "Invändning", "Jag invänder mot profilering av mina personuppgifter enligt artikel 21.",
               "objection"),
        _plain("Hal Jern", "Begränsning", "Jag begär begränsning av behandling av mina uppgifter enligt artikel 18.",
               "restriction"),
        _plain("Ida Kvist", "Var är paketet", "Hej! När kommer mitt paket? Jag har väntat länge. Mvh Ida", "other"),
        _plain("John Smith", "Subject access request", "Please send me a copy of my personal data under article 15 of "
               "the GDPR.", "access"),
        _plain("Kate Jones", "Erasure", "Please delete all my personal data. I have the right to erasure, article 17.",
               "erasure"),
        _plain("Liam Ward", "Unsubscribe", "Please unsubscribe me from your newsletter.", "unsubscribe"),
        _plain("Mary Hill", "My address", "Please correct my personal data: my name is misspelled. Article 16 GDPR.",
               "rectification"),
        _plain("Noah King", "Export", "I request data portability: my data in a machine-readable format, article 20.",
               "portability"),
        _plain("Olivia Lee", "Objection", "I object to profiling based on my personal data, article 21 GDPR.",
               "objection"),
        _plain("Paul Moor", "Order 17", "Hello, when will my order arrive? I have been waiting for a week.", "other"),
        Sent(latin, "case", None, "ake@example.org", {"erasure"}),
        Sent(multipart, "case", None, "mia@example.org", {"access"}),
        Sent(letter("HTML", html, sender="Nils <nils@example.org>", content_type="text/html; charset=utf-8"), "case",
             None, "nils@example.org", {"access"}),
        _plain("Quinn Rask", "Sv: Paket", quoted, "other"),
        Sent(letter("Re: Mina uppgifter", "Jag glömde säga att jag bytte namn i våras.", in_reply_to=thread,
                    sender="Anna Berg <anna@example.org>"), "followup", "followup"),
        Sent(letter("Kontakt", "Jag vill ha ett registerutdrag enligt artikel 15.", sender="webb@example.se",
                    headers=[("Reply-To", "Rut <rut@example.org>")]), "case", None, "rut@example.org", {"access"}),
        Sent(letter("Formulär", "Namn: Sven\nE-post: sven@example.org\nText: Radera alla uppgifter ni har om mig.",
                    sender="formular@example.se"), "case", None, "sven@example.org", {"erasure"}),
        Sent(letter("VB: Begäran", "Kan ni ta den här?\n\n---------- Vidarebefordrat meddelande ----------\n"
                    "Från: Tor Ullman <tor@example.org>\nDatum: sön 22 nov. 2026 kl. 07:00\nÄmne: Begäran\n"
                    "Till: Eva <eva@example.se>\n\nJag vill ha ett registerutdrag enligt artikel 15.",
                    sender="Eva Ek <eva@example.se>"), "case", None, "tor@example.org", None),
        Sent(bounce_of("<nothing.of.ours@example.se>", "x@example.net"), "ignored", "bounce_not_ours"),
        Sent(letter("Autosvar: Nyheter", "Jag är på semester till den 1 december.", sender="Ulf <ulf@example.net>",
                    headers=[("Auto-Submitted", "auto-replied")]), "ignored", "auto_replied"),
        Sent(letter("Veckans nyheter", "Hej alla prenumeranter, här är veckans nyheter.", sender="news@example.net",
                    headers=[("List-Id", "<news.example.net>"), ("Precedence", "bulk")]), "ignored", "list_id"),
        Sent(b"Subject: utan avsandare\r\nMessage-ID: <b@example.org>\r\n\r\nVem ar jag?\r\n", "held", "no_sender"),
        Sent(letter("Till er", "Skicka pengar.", sender=f"Chefen <{US}>"), "held", "spoofed_own_address"),
        Sent(with_attachment("Underlag", "Jag vill ha ett registerutdrag enligt artikel 15.", b"\0" * attachment_bytes,
                             name="underlag.pdf", sender="Vera <vera@example.org>"), "case", None, "vera@example.org",
             {"access"}),
        Sent(letter("Hidden", "Jag vill ha ett registerutdrag enligt artikel 15.", sender="Wim <wim@example.org>"),
             "held", "junk_may_ask", folder="Skräppost"),
        Sent(letter("Billiga klockor", "Köp billiga klockor nu! Bästa pris på klockor hela veckan.",
                    sender="spam@example.net"), "ignored", None, folder="Skräppost"),
        Sent(access("Anna Berg", sender="Xerxes <xerxes@example.org>", in_reply_to=thread), "case",
             "stranger_quotes_reference", "xerxes@example.org", {"access"}),
    ]  # fmt: skip
