"""Looking the address on file up from the case page: found, shown as a proposal with its source, confirmed."""

from __future__ import annotations

import re

from tests.servers.offices import NewOffice
from tests.servers.writing import access
from tests.web.house import add_person, app_of, signed_in

SYSTEM = """
[[company.systems]]
name = "Kund & <b>vän</b>"
holds = "kunder"
lookup_csv = "kunder.csv"
"""


def shown(page: str) -> str:
    """Return the part of the page about who writes."""
    return re.search(r'id="identity".*?</section>', page, re.DOTALL).group()  # type: ignore[union-attr]


def test_a_proposal_is_shown_with_its_source_and_confirmed_by_saving_it(new_office: NewOffice) -> None:
    office = new_office(company_lines=SYSTEM)
    add_person(office, "Eva Ek")
    office.receive(access())
    register = office.installation.folder / "kunder.csv"
    eva = signed_in(app_of(office), "Eva Ek")
    assert "slå upp adressen" in shown(eva.get("/cases/EX-2026-0001").text)

    page = shown(eva.do("/cases/EX-2026-0001/look-up").text)
    assert "<b>Kund &amp; &lt;b&gt;vän&lt;/b&gt;</b>: filen finns inte." in page
    assert "förslag" not in page

    register.write_text("epost;namn\nanna.berg@example.org;Anna Berg\n", encoding="utf-8")
    page = shown(eva.do("/cases/EX-2026-0001/look-up").text)
    assert "adressen finns där." in page
    assert "anna.berg@example.org är ett förslag: inboxbot hittade den i Kund &amp; &lt;b&gt;vän&lt;/b&gt;" in page

    eva.do("/cases/EX-2026-0001/identity", address_on_file="anna.berg@example.org", found_in="Kunder")
    page = shown(eva.get("/cases/EX-2026-0001").text)
    assert "förslag" not in page
    assert 'value="Kunder"' in page


def test_where_nothing_can_be_searched_there_is_no_button(new_office: NewOffice) -> None:
    office = new_office()
    add_person(office, "Eva Ek")
    office.receive(access())
    eva = signed_in(app_of(office), "Eva Ek")
    assert "/look-up" not in eva.get("/cases/EX-2026-0001").text
    refused = eva.do("/cases/EX-2026-0001/look-up")
    assert refused.status_code == 409
