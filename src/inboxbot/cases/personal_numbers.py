"""Swedish personal numbers: found and masked, never asked for (law.md 5.5).

Ten or twelve digits with a real month and day (coordination numbers: day + 60) and a right Luhn digit. Organisation
numbers have a month of 20 or more and never match. Bare digits right after words such as "ocr" or "tel" are left alone.
"""

from __future__ import annotations

import calendar
import re

_NUMBER = re.compile(
    r"(?<![\d.,/-])"
    r"((?:18|19|20)?(\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01]))"
    r"([-+–\u2010\u2011 ]?)(\d{4})(?![\d/]|[-.,]\d)",
    re.ASCII,
)
_OTHER_NUMBER = re.compile(
    r"(?:ocr|order\w*|faktura\w*|invoice|kund\w*|customer|tel\w*|mobil\w*|phone|nummer på|ring\w*|konto\w*|giro)"
    r"\W{0,3}(?:nr|no|nummer|number)?\W{0,3}$",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"(?:person\w*|pnr|p\.nr|född|born|personal (?:identity )?number)\W{0,3}\w{0,3}\W{0,3}$", re.IGNORECASE
)
_LOOK_BACK = 40


def has_personal_number(text: str) -> bool:
    """Return whether a personal number occurs in ``text``."""
    return any(_is_personal(found, text) for found in _NUMBER.finditer(text))


def mask_personal_numbers(text: str, *, same_length: bool = False) -> str:
    """Return ``text`` with the last four digits of every personal number as stars: ``811228-****``.

    With ``same_length`` the separator stays as it was written, so that offsets into the text still hold.
    """

    def masked(found: re.Match[str]) -> str:
        if not _is_personal(found, text):
            return found.group()
        return f"{found.group(1)}{found.group(5) if same_length else '-'}****"

    return _NUMBER.sub(masked, text)


def _is_personal(found: re.Match[str], text: str) -> bool:
    head, year, month, day, separator, tail = found.groups()
    date = int(day) - 60 if int(day) > 60 else int(day)
    century = int(head[:-4]) if len(head) == 8 else 2000 + int(year)
    if date > calendar.monthrange(century, int(month))[1] and not (len(head) == 6 and month == "02" and date == 29):
        return False
    if not _luhn(year + month + day + tail):
        return False
    before = text[max(0, found.start() - _LOOK_BACK) : found.start()]
    if separator and separator != " ":
        return True
    if _PERSONAL.search(before):
        return True
    phone = len(head) == 6 and head.startswith("07")  # mobile numbers look like people born in 2007
    return not phone and not _OTHER_NUMBER.search(before)


def _luhn(digits: str) -> bool:
    return sum(sum(divmod(int(digit) * (2 - index % 2), 10)) for index, digit in enumerate(digits)) % 10 == 0
