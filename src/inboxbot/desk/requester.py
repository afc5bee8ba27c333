"""Who wrote: the sender, the person behind a web form, or the inner sender of a colleague's forward."""

from __future__ import annotations

from dataclasses import dataclass

from inboxbot.cases.identity import Evidence, authenticated, looks_shared
from inboxbot.config.addresses import checked_address
from inboxbot.config.model import CompanySettings, MailboxSettings, WebForm
from inboxbot.reading.values import Address, Mail, SegmentKind
from inboxbot.replies.facts import signed_name


@dataclass(frozen=True, slots=True)
class Requester:
    """The person a mail comes from. ``source`` tells where that stands: ``from``, ``reply_to``, ``body``, ``forward``.

    ``fault`` is a code when no address could be made out; ``web_form`` says that the company's own form sent the mail.
    """

    address: Address | None
    source: str
    fault: str | None = None
    web_form: bool = False


def requester_of(mail: Mail, company: CompanySettings, mailbox: MailboxSettings) -> Requester:
    """Return who a mail is to be answered to. A form's mail is recognised by its sender, configured for the mailbox."""
    if mail.sender is None:
        return Requester(None, "from", mail.sender_fault or "no_sender")
    form = next((form for form in mailbox.web_forms if form.sender == mail.sender.address), None)
    if form is not None:
        return _behind_form(mail, form, company)
    if mail.sender.address in company.staff_addresses and mail.inner_sender is not None:
        return Requester(mail.inner_sender.address, "forward")
    return Requester(mail.sender, "from")


def _behind_form(mail: Mail, form: WebForm, company: CompanySettings) -> Requester:
    """Return whom a form names. Our own mailbox, which some forms put there too, is nobody who asks for anything."""
    ours = {address for one in company.mailbox for address in (one.address, *one.aliases)}
    if form.requester == "reply-to":
        others = [one for one in mail.reply_to if one.address not in ours]
        if len(others) == 1:
            return Requester(others[0], "reply_to", web_form=True)
        return Requester(None, "reply_to", "form_without_requester", web_form=True)
    label = (form.field or "").rstrip(":").casefold()
    for line in mail.text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip().casefold() == label:
            try:
                address = checked_address(value)
            except ValueError:
                break
            if address not in ours:
                return Requester(Address(address), "body", web_form=True)
    return Requester(None, "body", "form_without_requester", web_form=True)


def greeting_of(mail: Mail | None, requester: Address | None) -> str:
    """Return the given name to greet the requester with, when the mail was signed with it, else ""."""
    if mail is None or requester is None:
        return ""
    return signed_name(requester.name, mail.words(SegmentKind.NEW, SegmentKind.SIGNATURE))


def evidence_of(
    mail: Mail | None, requester: Address | None, mailbox: MailboxSettings, flags: frozenset[str]
) -> Evidence:
    """Return what a mail shows about who wrote it; ``flags`` are those of its verdict."""
    if mail is None or requester is None:
        return Evidence()
    direct = mail.sender is not None and mail.sender.address == requester.address
    return Evidence(
        from_address=requester.address,
        authenticated=authenticated(mail.headers, requester.address, mailbox.authserv_id, mailbox.trusted_received)
        if direct
        else None,
        reply_to_differs=direct and "reply_to_differs" in mail.flags,
        name_looks_like_address="name_looks_like_address" in mail.flags,
        lookalike="lookalike" in mail.flags,
        on_behalf="representative" in flags,
        other_person="other_person" in flags,
        shared_address=looks_shared(requester.address),
    )
