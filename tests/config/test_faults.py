"""What is wrong with the settings is told all at once, with key and suggestion, and never with a secret in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.servers.installation import COMMAND, Installation

from inboxbot.config.load import load_settings, server_password, smtp_sign_in
from inboxbot.config.model import CompanySettings, Settings
from inboxbot.errors import ConfigError

SECRET = "Hemlig-Fras-77"
LEAST = """
[database]
url = "sqlite:///inboxbot.db"
[[company]]
name = "Exempel AB"
organisation_number = "556000-0001"
[[company.mailbox]]
address = "kontakt@example.se"
[company.mailbox.imap]
host = "127.0.0.1"
[company.mailbox.smtp]
host = "127.0.0.1"
"""


def write(folder: Path, text: str | bytes, *, mode: int = 0o644) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def secret_file(folder: Path, content: bytes = b"hemligt\n", *, mode: int = 0o600) -> str:
    path = folder / "password"
    path.write_bytes(content)
    path.chmod(mode)
    return path.name


def faults(path: Path) -> dict[str, str]:
    """Load settings that are wrong and return the faults by key."""
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert SECRET not in str(caught.value)
    assert caught.value.exit_code == 2
    told: dict[str, str] = {}
    for one in caught.value.faults:
        told[one.key] = f"{told.get(one.key, '')} {one.what} ({one.cure})"
    assert len({str(one) for one in caught.value.faults}) == len(caught.value.faults)
    return told


def test_the_least_that_runs_has_the_defaults_of_the_contract(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, LEAST))
    (company, mailbox), *others = settings.mailboxes()
    assert not others
    assert (company.prefix, company.timezone, company.language) == ("EX", "Europe/Stockholm", "sv")
    assert (mailbox.promise_hours, mailbox.start, mailbox.approval) == (None, "now", ["web", "terminal"])
    assert (mailbox.imap.port, mailbox.smtp.port, mailbox.imap.security) == (993, 465, "tls")
    assert (settings.limits.per_recipient_per_day, settings.limits.per_hour) == (10, 300)
    assert settings.folder == tmp_path


def test_every_fault_is_told_at_once_each_with_its_key(tmp_path: Path) -> None:
    """E76."""
    found = faults(
        write(
            tmp_path,
            f"""
nonsense = 1
[database]
url = "mysql://u:{SECRET}@h/x"
[[company]]
name = ""
organisation_number = "556000-0002"
timezone = "Mars/Base"
[[company.mailbox]]
address = "kontakt"
adress = "kontakt@example.se"
promise_hours = "many"
start = "later"
[company.mailbox.imap]
host = "mail.example.se"
port = "{SECRET}"
security = "none"
pasword = "{SECRET}"
password = "{SECRET}"
password_file = "nowhere"
[company.mailbox.smtp]
[limits]
per_hour = 0
""",
        )
    )
    place = "company[1].mailbox[1]"
    assert set(found) == {
        "nonsense",
        "database.url",
        "company[1].name",
        "company[1].organisation_number",
        "company[1].timezone",
        f"{place}.address",
        f"{place}.adress",
        f"{place}.promise_hours",
        f"{place}.start",
        f"{place}.imap.port",
        f"{place}.imap.security",
        f"{place}.imap.pasword",
        f"{place}.imap.password_file",
        f"{place}.smtp.host",
        "limits.per_hour",
        "file",
    }
    assert "did you mean address?" in found[f"{place}.adress"]
    assert "did you mean password?" in found[f"{place}.imap.pasword"]
    assert "check digit" in found["company[1].organisation_number"]
    assert "whole number" in found[f"{place}.imap.port"]
    assert "is missing" in found[f"{place}.smtp.host"]
    assert "chmod 600" in found["file"]


def test_a_fault_between_values_is_not_hidden_by_a_wrong_type_beside_it(tmp_path: Path) -> None:
    wrong = f'host = "mail.example.se"\nport = "x"\nsecurity = "none"\npassword = "{SECRET}"\npassword_env = "PATH"'
    text = LEAST.replace('host = "127.0.0.1"', wrong)
    found = faults(write(tmp_path, text, mode=0o600))
    for server in ("imap", "smtp"):
        key = f"company[1].mailbox[1].{server}"
        assert "keep one of them" in found[f"{key}.password_env"]
        assert "loopback" in found[f"{key}.security"]
        assert "whole number" in found[f"{key}.port"]


def test_addresses_and_prefixes_that_two_companies_share(tmp_path: Path) -> None:
    second = LEAST.partition("[[company]]")[2].replace("kontakt@", "info@").replace("Exempel AB", "Exa Bygg AB")
    second = second.replace(
        'address = "info@example.se"', 'address = "info@example.se"\naliases = ["Kontakt@Example.se"]'
    )
    second = second.replace("organisation_number", 'reference_prefix = "EX"\norganisation_number')
    found = faults(write(tmp_path, f"{LEAST}[[company]]{second}"))
    assert set(found) == {"company[2].mailbox[1].aliases[1]", "company[2].reference_prefix"}
    assert "company[1].mailbox[1].address" in found["company[2].mailbox[1].aliases[1]"]
    assert "company[1]" in found["company[2].reference_prefix"]


def test_tables_with_too_few_or_too_many_brackets(tmp_path: Path) -> None:
    too_few = LEAST.replace("[[company.mailbox]]", "[company.mailbox]")
    found = faults(write(tmp_path, too_few))
    assert "[[company.mailbox]]" in found["company[1].mailbox"]
    found = faults(write(tmp_path, LEAST.replace("[company.mailbox.imap]", "[[company.mailbox.imap]]")))
    assert "[company.mailbox.imap]" in found["company[1].mailbox[1].imap"]


@pytest.mark.parametrize(
    ("content", "mode", "what"),
    [
        (b"hemligt\n", 0o644, "readable by others"),
        (b"", 0o600, "is empty"),
        (b"\n", 0o600, "is empty"),
        (b"anna\nhemligt\n", 0o600, "more than one line"),
        ("lösen".encode("latin-1"), 0o600, "not UTF-8"),
    ],
)
def test_a_password_file_that_cannot_be_right(tmp_path: Path, content: bytes, mode: int, what: str) -> None:
    secret_file(tmp_path, content, mode=mode)
    text = LEAST.replace('host = "127.0.0.1"', 'host = "127.0.0.1"\npassword_file = "password"', 1)
    assert what in faults(write(tmp_path, text))["company[1].mailbox[1].imap.password_file"]


def test_a_password_in_the_file_asks_for_0600(tmp_path: Path) -> None:
    """E70."""
    text = LEAST.replace('host = "127.0.0.1"', f'host = "127.0.0.1"\npassword = "{SECRET}"', 1)
    assert set(faults(write(tmp_path, text))) == {"file"}
    settings = load_settings(write(tmp_path, text, mode=0o600))
    assert server_password(settings.company[0].mailbox[0].imap) == SECRET
    assert SECRET not in repr(settings)


def test_files_and_variables_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY_PASSWORD", "")
    text = LEAST.replace(
        'host = "127.0.0.1"', 'host = "127.0.0.1"\npassword_env = "EMPTY_PASSWORD"\nca_file = "no.pem"', 1
    )
    text = text.replace('name = "Exempel AB"', 'name = "Exempel AB"\ntemplates = "nowhere"')
    system = (
        '[[company.systems]]\nname = "Utskick"\nholds = "adresser"\nmarketing = true\nwebhook_secret_file = "nowhere"\n'
    )
    found = faults(write(tmp_path, text.replace("[[company.mailbox]]", f"{system}[[company.mailbox]]")))
    assert set(found) == {
        "company[1].systems[1].webhook_secret_file",
        "company[1].mailbox[1].imap.password_env",
        "company[1].mailbox[1].imap.ca_file",
        "company[1].templates",
    }


def test_sign_in_for_sending_defaults_to_that_of_imap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret_file(tmp_path, "lösen med åäö \r\n".encode())
    text = LEAST.replace(
        'host = "127.0.0.1"', 'host = "127.0.0.1"\nusername = "kontakt"\npassword_file = "password"', 1
    )
    mailbox = load_settings(write(tmp_path, text)).company[0].mailbox[0]
    assert smtp_sign_in(mailbox) == ("kontakt", "lösen med åäö ")
    monkeypatch.setenv("ANOTHER", SECRET)
    head, _, tail = text.rpartition('host = "127.0.0.1"')
    own = load_settings(write(tmp_path, f'{head}host = "127.0.0.1"\nusername = "ut"\npassword_env = "ANOTHER"{tail}'))
    assert smtp_sign_in(own.company[0].mailbox[0]) == ("ut", SECRET)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INBOXBOT_DATABASE__URL", "sqlite:///other.db")
    monkeypatch.setenv("INBOXBOT_LIMITS__PER_HOUR", "7")
    settings = load_settings(write(tmp_path, LEAST))
    assert (settings.database.url, settings.limits.per_hour) == ("sqlite:///other.db", 7)
    monkeypatch.setenv("INBOXBOT_LIMITS__PER_HOUR", "seven")
    assert "whole number" in faults(write(tmp_path, LEAST))["limits.per_hour"]
    monkeypatch.setenv("INBOXBOT_LIMITS", SECRET)
    assert "INBOXBOT_" in faults(write(tmp_path, LEAST))["environment"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"[database\nurl = 1", "not valid TOML"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
        (b"a = " + b"9" * 5000, "not valid TOML"),
        ("[database]\nurl = 'åäö'".encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_as_settings(tmp_path: Path, content: bytes, what: str) -> None:
    assert what in faults(write(tmp_path, content))["file"]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, b"\xef\xbb\xbf" + LEAST.encode())).limits.per_hour == 300


def test_a_missing_file_and_a_folder_in_its_place(tmp_path: Path) -> None:
    assert "config.example.toml" in faults(tmp_path / "nowhere.toml")["file"]
    assert "cannot be read" in faults(tmp_path)["file"]
    assert "is not a setting" in faults(write(tmp_path, f'folder = "x"\n{LEAST}'))["folder"]


def test_paths_start_from_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    secret_file(tmp_path)
    text = LEAST.replace('host = "127.0.0.1"', 'host = "127.0.0.1"\npassword_file = "password"', 1)
    assert server_password(load_settings(write(tmp_path, text)).company[0].mailbox[0].imap) == "hemligt"


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Exempel AB", "EX"),
        ("Båt & Bil i Umeå AB", "BBIU"),
        ("Åsa Öberg Bygg", "AOB"),
        ("Aktiebolag 1", "IB"),
        ("A", "A"),
    ],
)
def test_the_prefix_made_from_a_name_is_readable_ascii(name: str, prefix: str, tmp_path: Path) -> None:
    company = load_settings(write(tmp_path, LEAST.replace("Exempel AB", name))).company[0]
    assert company.prefix == prefix
    assert CompanySettings.model_validate({**company.model_dump(), "reference_prefix": "ZZ"}).prefix == "ZZ"


def test_the_model_alone_refuses_what_the_file_may_not_say() -> None:
    server = {"host": "mail.example.se", "security": "none"}
    company = {
        "name": "Exempel AB",
        "organisation_number": "556000-0001",
        "mailbox": [{"address": "a@example.se", "imap": server, "smtp": server}],
    }
    with pytest.raises(ValueError, match="loopback"):
        Settings.model_validate({"database": {"url": "sqlite:///x.db"}, "company": [company]})


def test_the_real_command_tells_it_without_a_traceback(tmp_path: Path) -> None:
    place = Installation(folder=tmp_path, imap_port=1, smtp_port=1, username="kontakt", password="hemligt")
    text = place.config.read_text(encoding="utf-8")
    place.config.write_text(
        text.replace('name = "Exempel AB"', f'nam = "Exempel AB"\npassword = "{SECRET}"'), encoding="utf-8"
    )
    for command in (["once"], ["cases", "list"], ["config", "show"]):
        done = place.run(*command, check=False)
        assert done.returncode == 2, command
        assert done.stdout == ""
        assert "company[1].nam: is not a setting (did you mean name?)" in done.stderr
        assert "company[1].name: is missing" in done.stderr
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stderr
    assert not (tmp_path / "inboxbot.db").exists()


def test_a_folder_named_as_settings_is_a_usage_error(tmp_path: Path) -> None:
    import subprocess

    done = subprocess.run(
        [*COMMAND, "--config", str(tmp_path), "status"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "directory" in done.stderr
    assert "Traceback" not in done.stderr
