"""`inboxbot check` looks at the addresses of webhooks, and sends nothing."""

from __future__ import annotations

import json
from pathlib import Path

from tests.servers.installation import Installation
from tests.servers.listener import Listening, hook


def test_each_address_is_looked_at_and_nothing_is_sent(tmp_path: Path, listener: Listening) -> None:
    hooks = hook(tmp_path, listener.port) + hook(tmp_path, listener.port, name="inside").replace(
        f"http://127.0.0.1:{listener.port}", "https://10.0.0.7"
    )
    asked = hook(tmp_path, listener.port, name="allowed", more="private = true")
    hooks += asked.replace(f"http://127.0.0.1:{listener.port}", "https://192.168.1.7")
    place = Installation(tmp_path, 9, 9, "kontakt", "hemligt", company_lines=hooks)
    done = place.run("check", "--json", check=False)
    found = {one["where"]: one for one in json.loads(done.stdout)["findings"] if one["area"] == "webhook"}
    assert [one["level"] for one in found.values()] == ["ok", "error", "ok"]
    inside = found["inside at 10.0.0.7"]
    assert inside["what"] == "lies in a private network"
    assert "company[1].webhooks[2].private = true" in inside["cure"]
    assert listener.heard == []
