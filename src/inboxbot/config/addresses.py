"""Checks of single values in the settings: mail addresses, organisation numbers, loopback hosts."""

from __future__ import annotations

import ipaddress
import re

from email_validator import EmailNotValidError, validate_email

_STRICT = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+"
)


def checked_address(text: str) -> str:
    """Return a bare mail address in lower case with its domain as A-label.

    Raises ValueError for anything that is not one plain address. No DNS is asked. On top of the library's rule only
    ASCII local parts without quotes are taken, for these addresses end up in SMTP and IMAP commands.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"not a mail address: {error}") from None
    address = (found.ascii_email or "").lower()
    if not _STRICT.fullmatch(address):
        raise ValueError("not a plain mail address (ASCII local part without quotes)")
    return address


def organisation_number(text: str) -> str:
    """Return a Swedish organisation number as ``NNNNNN-NNNN``.

    The last digit is the Luhn digit. A sole trader's number is a personal number and is taken as well.
    """
    digits = re.sub(r"[-\s]", "", text)
    if not re.fullmatch(r"\d{10}", digits):
        raise ValueError("an organisation number has ten digits, such as 556000-0001")
    total = sum(sum(divmod(int(digit) * (2 - index % 2), 10)) for index, digit in enumerate(digits))
    if total % 10:
        raise ValueError("the check digit of the organisation number is wrong")
    return f"{digits[:6]}-{digits[6:]}"


def is_loopback(host: str) -> bool:
    """Return whether ``host`` names this machine's loopback interface."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
