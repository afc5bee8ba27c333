"""From values to pages: the templates, and moments and waits in words."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from inboxbot.desk.gate import may_release
from inboxbot.store.people import change_session
from inboxbot.store.stops import standing_stops
from inboxbot.web.visit import Visit
from inboxbot.web.words import Words

_DAYS = {
    "sv": ("mån", "tis", "ons", "tors", "fre", "lör", "sön"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = {
    "sv": ("jan", "feb", "mars", "apr", "maj", "juni", "juli", "aug", "sep", "okt", "nov", "dec"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def day_text(day: dt.date, words: Words, today: dt.date) -> str:
    """Return a day for people: ``sön 22 nov``, with its year when that is another than today's."""
    names, months = _DAYS[words.language], _MONTHS[words.language]
    year = "" if day.year == today.year else f" {day.year}"
    return f"{names[day.weekday()]} {day.day} {months[day.month - 1]}{year}"


def moment_text(moment: dt.datetime, words: Words, zone: ZoneInfo) -> str:
    """Return a moment for people in a zone: ``sön 22 nov 09:15``."""
    local = moment.astimezone(zone)
    names, months = _DAYS[words.language], _MONTHS[words.language]
    return f"{names[local.weekday()]} {local.day} {months[local.month - 1]} {local:%H:%M}"


def span_text(seconds: float) -> str:
    """Return a wait in its two largest units: ``3 h 20 min``; both languages write them alike."""
    minutes = int(abs(seconds)) // 60
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def left_text(due: dt.datetime, now: dt.datetime, words: Words) -> str:
    """Return how long there is left until a moment, or how long it is past."""
    seconds = (due - now).total_seconds()
    return words("time.left" if seconds >= 0 else "time.late", span=span_text(seconds))


def size_text(size: int, words: Words) -> str:
    """Return a size in bytes for people: ``12 kB``, ``3,4 MB``."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB"
    text = f"{size / 1_000_000:.1f} MB"
    return text.replace(".", ",") if words.language == "sv" else text


def days_left_text(due: dt.date, today: dt.date, words: Words) -> str:
    """Return how many days are left until a date."""
    days = (due - today).days
    if days == 0:
        return words("time.today")
    if days == 1:
        return words("time.tomorrow")
    return words("time.days_left" if days > 0 else "time.days_late", days=abs(days))


@functools.cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    return environment


@functools.cache
def asset(name: str) -> str:
    """Return the address of a file of our own, changed with its content so that browsers may keep it."""
    content = files(__package__).joinpath("static", name).read_bytes()
    return f"/static/{name}?{hashlib.sha256(content).hexdigest()[:12]}"


def page(
    visit: Visit, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200, **more: Any
) -> HTMLResponse:
    """Return a page. What the last action wants to tell is told here, and then no more."""
    words, notice = visit.words, None
    if visit.session is not None and visit.session.notice and visit.request.method == "GET":
        notice = visit.session.notice
        with visit.desk.store.write() as connection:
            change_session(connection, visit.session.digest, notice=None)
    zone = visit.desk.settings.company[0].zone

    def moment(value: dt.datetime, at: ZoneInfo = zone) -> str:
        return moment_text(value, words, at)

    shown: dict[str, Any] = {
        "t": words,
        "lang": words.language,
        "user": visit.person,
        "csrf": visit.session.csrf if visit.session else "",
        "notice": notice,
        "undo": visit.session.undo if visit.session and notice else None,
        "path": visit.request.url.path,
        **_sending(visit),
        "now": visit.now,
        "moment": moment,
        "day": lambda value: day_text(value, words, visit.now.date()),
        "left": lambda value: left_text(value, visit.now, words),
        "days_left": lambda value, today: days_left_text(value, today, words),
        "size": lambda value: size_text(value, words),
        "partial": visit.request.headers.get("hx-request") == "true",
        **(values or {}),
        **more,
    }
    return HTMLResponse(_templates().get_template(template).render(shown), status_code=status)


def rendered(visit: Visit, template: str, **values: Any) -> str:
    """Return a text made of a template without the frame of our pages around it, and without telling any notice."""
    return _templates().get_template(template).render(t=visit.words, lang=visit.words.language, **values)


def _sending(visit: Visit) -> dict[str, Any]:
    """Return what keeps sending stopped, and whether this account may let it go on."""
    if visit.person is None:
        return {"stops": [], "may_release": False}
    with visit.desk.store.read() as connection:
        stops = standing_stops(connection)
        return {"stops": stops, "may_release": bool(stops) and may_release(connection, visit.desk, visit.person.name)}


def goto(path: str) -> RedirectResponse:
    """Send the browser to a page of ours after a form was taken."""
    return RedirectResponse(path, status_code=303)


def own_path(wished: str) -> str:
    """Return a path within this site, or the first page when the wish leads elsewhere."""
    plain = wished.isprintable() and not {"\\", " "} & set(wished)
    return wished if plain and wished.startswith("/") and not wished.startswith("//") else "/"
