"""A mail as it lies in its mailbox: its HTML in a frame that can do nothing, and its files as downloads."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from inboxbot.desk.originals import GoneError, Originals, TooLargeToFetchError, fetch_file, fetch_page
from inboxbot.desk.view import shown_mails
from inboxbot.errors import InboxbotError, MailboxError, StoreError, UsageError
from inboxbot.logs import get_logger
from inboxbot.reading.html_shown import ShownPage
from inboxbot.reading.values import UnreadableError
from inboxbot.web.casepage import case_page
from inboxbot.web.refusals import in_words
from inboxbot.web.render import page, rendered
from inboxbot.web.visit import NotFoundError, Visit, Visited

log = get_logger()
router = APIRouter(prefix="/cases/{reference}/mails/{mail_id}")
# The look of the frame: a sheet of paper, whatever the desk looks like; mails are written for white.
_PAPER = (
    "html{color-scheme:light;background:#fff;color:#1a2130;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "body{margin:1rem}table{max-width:100%}pre{white-space:pre-wrap}.link{text-decoration:underline}"
    ".target,.picture{color:#4a5364;background:#eef0f5;border-radius:4px;padding:0 .25em;font-size:.85em}"
)


@router.get("/as-sent")
def show(visit: Visited, reference: str, mail_id: int) -> Response:
    """Show the page that holds the frame."""
    case = visit.case(reference)
    with visit.desk.store.read() as connection:
        mail = next((one for one in shown_mails(connection, case.id) if one["id"] == mail_id), None)
    if mail is None or mail["direction"] != "in":
        raise NotFoundError
    place = visit.desk.find_mailbox(case.mailbox)
    return page(visit, "as_sent.html", case=case, mail=mail, zone=place[0].zone if place else None)


@router.get("/as-sent/frame")
def frame(visit: Visited, reference: str, mail_id: int) -> Response:
    """Return the mail's own HTML, sanitised, or why there is none, in words."""
    case = visit.case(reference)
    if visit.desk.find_mailbox(case.mailbox) is None:
        return _framed(visit, why="not_configured")
    try:
        found = fetch_page(visit.desk, _originals(visit), case.id, mail_id)
    except UsageError:
        raise NotFoundError from None
    except (GoneError, MailboxError, UnreadableError) as error:
        log.warning("original_not_shown", case=case.id, mail=mail_id, error=type(error).__name__)
        return _framed(visit, why=_why(error))
    return _framed(visit, found, why="" if found else "no_page")


@router.post("/files/{number}")
def download(visit: Visited, reference: str, mail_id: int, number: int) -> Response:
    """Bring a file from the mailbox and hand it over as a download, whatever it says it is."""
    case = visit.case(reference)
    try:
        file, content = fetch_file(
            visit.desk, _originals(visit), case.id, mail_id, number, actor=visit.actor, now=visit.now
        )
    except UsageError:
        raise NotFoundError from None
    except StoreError:
        raise
    except InboxbotError as error:
        log.warning("file_not_fetched", case=case.id, mail=mail_id, error=type(error).__name__)
        status, why = 503 if isinstance(error, MailboxError) else 409, _why(error)
        fault = visit.words(f"original.{why}") if why else in_words(error, visit.words)
        return case_page(visit, visit.case(reference), fault=fault, status=status)
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": disposition(file.name),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Download-Options": "noopen",
        },
    )


def disposition(name: str) -> str:
    """Return the header that makes a browser save a file under ``name`` (RFC 6266), with a plain name for old ones."""
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "._- ") else "_" for one in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _originals(visit: Visit) -> Originals:
    if visit.site.originals is None:
        raise GoneError("the mailboxes cannot be reached from here")
    return visit.site.originals


def _why(error: Exception) -> str:
    """Return what the page has words for, "" for whatever else was refused."""
    if isinstance(error, GoneError):
        return "gone"
    if isinstance(error, MailboxError):
        return "away"
    if isinstance(error, UnreadableError):
        return "not_shown"
    return "too_large" if isinstance(error, TooLargeToFetchError) else ""


def _framed(visit: Visit, found: ShownPage | None = None, *, why: str = "") -> Response:
    sheet = _PAPER + (found.style if found else "")
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; sandbox"
    )
    text = rendered(visit, "as_sent_frame.html", found=found, why=why, sheet=sheet)
    return HTMLResponse(text, headers={"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"})
