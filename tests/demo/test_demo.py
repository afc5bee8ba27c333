"""`inboxbot demo` as a person and a script run it: a process of its own, mostly one that is forked ready made."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest
from tests.servers.quick import quick

COUNTS = ("cases_opened", "followups", "ignored", "held", "ordinary")
BECAME = {"case": "cases_opened", "followup": "followups"}
PROGRAM = [sys.executable, "-m", "inboxbot.cli.main"]


def run(*arguments):
    return quick().run([*map(str, arguments)], environment={**os.environ, "COLUMNS": "160"})


def once(folder):
    done = run("demo", "--once", "--json", "--dir", folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def files_of(folder):
    """Everything but the database and its lock, byte for byte."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith("inboxbot.")
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A demo that ran once, and its summary. The tests that change it make one of their own."""
    folder = tmp_path_factory.mktemp("demo") / "d"
    return folder, once(folder)


def test_the_counts_add_up(first) -> None:
    _, told = first
    assert told["errors"] == []
    assert told["sent"] == 0
    assert told["taken"] >= 45
    assert told["taken"] == sum(told[name] for name in COUNTS) == len(told["mails"])
    became = Counter(BECAME.get(one["became"], one["became"]) for one in told["mails"])
    assert {name: became[name] for name in COUNTS} == {name: told[name] for name in COUNTS}
    assert all(told[name] > 0 for name in COUNTS)
    assert told["drafts"] == len(told["letters"]) > 20
    assert told["outgoing"] == []


def test_every_mail_became_something_for_a_reason_and_none_is_marked_seen(first) -> None:
    _, told = first
    for one in told["mails"]:
        assert one["became"] in {"case", "followup", "ignored", "held", "ordinary"}, one
        assert one["reason"], one
        assert one["sender"] or one["became"] == "held", one
        assert not one["seen"], one
        assert bool(one["case"]) == (one["became"] in {"case", "followup", "held"}), one


def test_the_story_of_single_mails(first) -> None:
    """Mails whose fate does not hang on the judge's finesse: who wrote, to which case it belongs, who may not join."""
    _, told = first
    by_sender = {one["sender"]: one for one in told["mails"]}
    access = next(one for one in told["mails"] if one["sender"] == "karin.oberg@example.se")
    again = [one for one in told["mails"] if one["sender"] == "karin.oberg@example.se"][1]
    assert (access["became"], access["kinds"]) == ("case", ["access"])
    assert (again["became"], again["case"]) == ("followup", access["case"])
    stranger = by_sender["karin.oberg.falun@example.com"]
    assert stranger["reason"] == "stranger_quotes_reference"
    assert stranger["case"] != access["case"]
    assert by_sender["petra@ljuslagret.example.com"]["requester"] == "tommy.grahn@example.org"
    assert by_sender["webb@kursverket.example.org"]["requester"] == "per.stahl@example.com"
    assert by_sender["mailer-daemon@mx.example.com"]["became"] == "ignored"
    assert by_sender["ellinor.vik@example.net"]["reason"] == "junk_may_ask"
    assert by_sender["monika.wall@example.com"]["became"] == "ordinary"
    assert by_sender["anders.nygren@example.se"]["reason"] == "ordinary_with_promise"


def test_promises_and_legal_dates_are_there(first) -> None:
    _, told = first
    kontakt = [one for one in told["cases"] if one["mailbox"] == "kontakt@kursverket.example.org"]
    support = [one for one in told["cases"] if one["mailbox"] == "support@ljuslagret.example.com"]
    assert {one["promise"]["status"] for one in kontakt} >= {"running", "overdue"}
    assert {one["promise"]["status"] for one in support} == {"none"}
    for case in told["cases"]:
        for request in case["requests"]:
            assert (request["due_hard"] is None) == (request["kind"] == "other"), case


def test_a_second_run_takes_nothing_and_changes_nothing(first) -> None:
    folder, told = first
    before = files_of(folder)
    again = once(folder)
    assert {name: again[name] for name in ("taken", *COUNTS, "drafts", "sent", "noticed")} == dict.fromkeys(
        ("taken", *COUNTS, "drafts", "sent", "noticed"), 0
    )
    assert again["errors"] == []
    assert again["mails"] == told["mails"]
    assert again["letters"] == told["letters"]
    assert files_of(folder) == before


def test_an_approved_letter_reaches_the_sink_and_is_filed(first, tmp_path) -> None:
    folder = shutil.copytree(first[0], tmp_path / "d")
    letter = first[1]["letters"][0]
    approved = run("--config", folder / "config.toml", "drafts", "approve", letter["id"], "--by", "Anna")
    assert approved.returncode == 0, approved.stderr
    again = once(folder)
    assert (again["taken"], again["sent"], len(again["outgoing"])) == (0, 1, 1)
    message = (folder / "outgoing" / again["outgoing"][0]).read_bytes()
    assert f"To: {letter['to']}".encode() in message or letter["to"].encode() in message.split(b"\r\n\r\n")[0]
    filed = list((folder / "mailboxes").glob("*/sent/*.eml"))
    assert len(filed) == 1
    third = once(folder)
    assert (third["sent"], third["noticed"], len(third["outgoing"])) == (0, 0, 1)


def test_for_people_it_shows_what_came_and_what_to_do_next(first) -> None:
    folder, _ = first
    shown = run("demo", "--once", "--dir", folder)
    assert shown.returncode == 0, shown.stderr
    for words in ("What came", "What is due", "Letters that wait", "What to do next", "karin.oberg@example.se"):
        assert words in shown.stdout
    assert f"--config {folder}/config.toml drafts show 1" in shown.stdout
    assert "\x1b" not in shown.stdout


def test_without_a_folder_nothing_is_left(tmp_path) -> None:
    done = subprocess.run(
        [*PROGRAM, "demo", "--once", "--json"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["folder"] is None
    assert not list(tmp_path.glob("inboxbot-demo-*"))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_goes_on_until_a_signal_and_ends_with_zero(first, tmp_path, end) -> None:
    folder = shutil.copytree(first[0], tmp_path / "d")
    program = subprocess.Popen(
        [*PROGRAM, "demo", "--dir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
    )
    try:
        lines: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=lambda: [lines.put(line) for line in program.stdout], daemon=True)
        reader.start()
        while "until Ctrl-C" not in lines.get(timeout=90):
            pass
        program.send_signal(end)
        assert program.wait(timeout=30) == 0, program.stderr.read()
        reader.join(10)
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()
        program.stdout.close()
        program.stderr.close()


def test_a_missing_extra_is_told_with_its_cure(tmp_path) -> None:
    """The packages of the extra are hidden by a program that finds nothing under their names."""
    hide = (
        "import importlib.util as u, sys; find = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name in ('pymap', 'aiosmtpd') else find(name, package)\n"
        "from inboxbot.cli.main import main; sys.argv = ['inboxbot', 'demo', '--once']; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "pip install 'inboxbot[demo]'" in done.stderr
    assert "Traceback" not in done.stderr
