"""Telling marketing systems of an opt-out: one signed JSON request each, tried until it is taken."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import http.client
import json
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from inboxbot.config.model import CompanySettings, System
from inboxbot.desk.context import Desk
from inboxbot.desk.optout import system_answered, system_failed
from inboxbot.logs import get_logger
from inboxbot.store.suppressions import CHANNELS
from inboxbot.store.webhooks import Told, due_webhooks

log = get_logger()
TIMEOUT_S = 20.0


def tell_systems(desk: Desk, *, now: Callable[[], dt.datetime]) -> int:
    """Tell every system that is due of its opt-outs, and return how many answered. Faults are tried again later."""
    with desk.store.read() as connection:
        due = due_webhooks(connection, now())
    answered = 0
    for told in due:
        system = _system(desk, told)
        if system is None or system.webhook is None:
            system_failed(desk, told, result="not_configured", now=now())
            continue
        status = _post(system, told)
        if 200 <= status < 300:
            system_answered(desk, told, result=str(status), now=now())
            answered += 1
        else:
            system_failed(desk, told, result=str(status or "unreachable"), now=now())
        log.info("system_told", case=told.reference, status=status)
    return answered


def _system(desk: Desk, told: Told) -> System | None:
    company: CompanySettings | None = next((one for one in desk.settings.company if one.name == told.company), None)
    return next((one for one in company.systems if one.name == told.system), None) if company else None


def _post(system: System, told: Told) -> int:
    """Send one request and return the HTTP status, 0 when the system was not reached. Redirects are not followed."""
    url = urlsplit(system.webhook or "")
    body = json.dumps(
        {
            "event": "opt_out",
            "id": f"{told.reference}:{told.id}",
            "address": told.address,
            "channels": list(CHANNELS),
            "since": told.since.isoformat().replace("+00:00", "Z"),
        }
    ).encode()
    headers = {"Content-Type": "application/json", "X-Inboxbot-Id": f"{told.reference}:{told.id}"}
    if system.webhook_secret_file is not None:
        secret = system.webhook_secret_file.read_text(encoding="utf-8").strip()
        headers["X-Inboxbot-Signature"] = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    connection = (
        http.client.HTTPSConnection(
            url.hostname or "", url.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
        if url.scheme == "https"
        else http.client.HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT_S)
    )
    try:
        connection.request("POST", (url.path or "/") + (f"?{url.query}" if url.query else ""), body, headers)
        response = connection.getresponse()
        response.read(1024)
        return response.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
