"""`inboxbot sending` as people use it, and where else it is told that nothing leaves."""

from __future__ import annotations

from tests.conftest import Install
from tests.servers.dovecot import Dovecot
from tests.servers.sink import Sink
from tests.servers.writing import access


def test_sending_is_stopped_shown_everywhere_and_released(installation: Install, dovecot: Dovecot, sink: Sink) -> None:
    place = installation()
    dovecot.append(place.username, [access()])
    place.run("once")
    (draft,) = place.json("drafts", "list")
    place.run("drafts", "approve", str(draft["id"]), "--by", "Eva Ek")
    assert place.json("sending", "show")["stopped"] is False
    assert "letters may leave" in place.run("sending", "show").stdout

    place.run("sending", "stop", "--by", "Bo Ek", "--because", "fel mall")
    again = place.run("sending", "stop", "--by", "Bo Ek", check=False)
    assert (again.returncode, "already" in again.stderr) == (1, True)

    once = place.run("once", "--json", check=False)
    assert once.returncode == 1
    assert "1 approved letters wait" in once.stdout
    assert sink.box == []
    shown = place.json("sending", "show")
    assert (shown["stopped"], shown["approved"]) == (True, 1)
    assert {key: shown["stops"][0][key] for key in ("why", "note", "by", "door")} == {
        "why": "by_hand", "note": "fel mall", "by": "Bo Ek", "door": "terminal",
    }  # fmt: skip
    status = place.run("status", check=False)
    assert status.returncode == 1
    assert "stopped by a person “fel mall” (Bo Ek, terminal)" in status.stdout
    check = place.run("check", check=False)
    assert "is stopped: by_hand" in check.stdout

    assert place.run("sending", "release", check=False).returncode == 2, "somebody has to say who"
    place.run("sending", "release", "--by", "Eva Ek")
    assert place.json("once")["sent"] == 1
    shown = place.json("sending", "show")
    assert (shown["stopped"], shown["past"][0]["released_by"]) == (False, "Eva Ek")
    assert "released" in place.run("sending", "show").stdout
    assert place.run("sending", "release", "--by", "Eva Ek", check=False).returncode == 1
