"""The suppression list keeps no address, and takes and gives files that do no harm."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.retention.house import House, make_house

from inboxbot.desk.suppress import add, as_csv, bring_in, check, company_named, entries
from inboxbot.errors import UsageError

COMPANY = "Exempel AB"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with make_house(tmp_path) as house:
        yield house


def bring(house: House, content: bytes | str) -> dict[str, int]:
    raw = content.encode() if isinstance(content, str) else content
    return bring_in(house.desk, COMPANY, raw, channels=(), reason="imported", now=house.now())


def test_adding_and_checking_through_the_commands(house: House) -> None:
    assert house.run("suppression", "check", "anna@example.org").returncode == 0
    house.run("suppression", "add", "Anna@Example.org", "--reason", "ringde", "--channel", "sms")
    on = house.run("suppression", "check", "anna@example.org", check=False)
    assert on.returncode == 1
    assert "no sms from Exempel AB" in on.stdout
    assert house.run("suppression", "check", "anna@example.org", "--channel", "email").returncode == 0
    shown = house.json("suppression", "list")
    assert [one["reason"] for one in shown] == ["ringde"]
    assert "anna" not in str(shown).lower()
    assert house.run("suppression", "check", "nobody", check=False).returncode == 2


def test_a_further_channel_is_joined_and_the_same_again_is_nothing_new(house: House) -> None:
    assert add(house.desk, COMPANY, "a@example.org", channels=["sms"], reason="x", now=house.now())[1]
    assert add(house.desk, COMPANY, "a@example.org", channels=["post"], reason="x", now=house.now())[1]
    assert not add(house.desk, COMPANY, "A@example.org", channels=["post"], reason="x", now=house.now())[1]
    assert [one["channels"] for one in entries(house.desk)] == [["post", "sms"]]
    assert entries(house.desk, channel="email") == []


@pytest.mark.parametrize(
    "content",
    [
        "a@example.org\nb@example.org\n",
        "email\na@example.org\nb@example.org\n",
        "Namn;E-postadress;Kanal\nAnna;a@example.org;email\nBo;b@example.org;email sms\n",
        "\ufeffaddress,reason\r\na@example.org,ringde\r\n\r\nb@example.org,skrev\r\n",
        "name\te-post\nÅsa\ta@example.org\nBo\tb@example.org\n".encode("cp1252"),
    ],
    ids=["bare", "heading", "semicolons", "bom_and_empty_line", "latin"],
)
def test_files_as_people_have_them(house: House, content: bytes | str) -> None:
    assert bring(house, content) == {"lines": 2, "new": 2, "known": 0}
    assert bring(house, content)["known"] == 2
    assert check(house.desk, "a@example.org")
    assert check(house.desk, "b@example.org", channel="email")


def test_a_wrong_line_is_named_and_nothing_is_entered(house: House) -> None:
    with pytest.raises(UsageError) as caught:
        bring(house, "address,channels,since\na@example.org,email,\nnobody,email,\nc@example.org,fax,\nd@e.se,,igår\n")
    assert all(part in caught.value.what for part in ("line 3", "line 4", "fax", "line 5", "igår"))
    assert entries(house.desk) == []


def test_the_export_comes_back_and_starts_no_formula(house: House) -> None:
    """E53."""
    add(house.desk, COMPANY, "a@example.org", channels=["email"], reason='=HYPERLINK("http://x")', now=house.now())
    written = as_csv(entries(house.desk))
    rows = list(csv.DictReader(io.StringIO(written)))
    assert rows[0]["reason"].startswith("'=")
    assert len(rows[0]["address_digest"]) == 64
    assert "example.org" not in written
    assert bring(house, written) == {"lines": 1, "new": 0, "known": 1}
    with pytest.raises(UsageError, match="another company"):
        bring(house, written.replace(COMPANY, "Annan AB"))


def test_the_file_commands(house: House) -> None:
    source, target = house.folder / "in.csv", house.folder / "out.csv"
    source.write_text("a@example.org\n", encoding="utf-8")
    assert house.json("suppression", "import", str(source)) == {"company": COMPANY, "lines": 1, "new": 1, "known": 0}
    house.run("suppression", "export", "-o", str(target))
    assert target.read_text(encoding="utf-8").splitlines()[0] == "company,address_digest,channels,since,reason"
    assert house.run("suppression", "import", str(source), "--company", "Ingen AB", check=False).returncode == 2


def test_several_companies_have_lists_of_their_own(tmp_path: Path) -> None:
    with make_house(tmp_path, more_companies=("Annat AB",)) as house:
        with pytest.raises(UsageError, match="several companies"):
            company_named(house.desk, None)
        add(house.desk, "Annat AB", "a@example.org", channels=(), reason="x", now=house.now())
        assert [one.company for one in check(house.desk, "a@example.org")] == ["Annat AB"]
        assert check(house.desk, "a@example.org", company=COMPANY) == []
        assert entries(house.desk, company=COMPANY) == []
