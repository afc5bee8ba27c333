"""What is done with a letter: edit, attach, approve, call back, decline, settle."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePath

from fastapi import APIRouter, Response

from inboxbot.cases.values import Case, DraftState
from inboxbot.desk.approve import ChangedError, Seen, approve, call_back, decline, settle_unknown
from inboxbot.desk.attach import MAX_BYTES, attach
from inboxbot.desk.edit import edit
from inboxbot.errors import RefusedError, UsageError
from inboxbot.reading.charsets import clean_line
from inboxbot.store.drafts import Draft, load_drafts
from inboxbot.web.casepage import case_page
from inboxbot.web.refusals import in_words
from inboxbot.web.render import goto
from inboxbot.web.visit import ByApprover, NotFoundError, Visit, Visited

router = APIRouter(prefix="/cases/{reference}/letters/{draft_id}")


def letter_of(visit: Visit, reference: str, draft_id: int) -> tuple[Case, Draft]:
    """Return a case and its letter. Raises NotFoundError unless both are there and belong together."""
    case = visit.case(reference)
    with visit.desk.store.read() as connection:
        found = load_drafts(connection, case_ids=[case.id], draft_ids=[draft_id])
    if not found:
        raise NotFoundError
    return case, found[0]


@router.post("/edit")
def save(visit: Visited, reference: str, draft_id: int) -> Response:
    """Change the words or the recipient; refused when somebody else changed them since the form was shown."""
    case, draft = letter_of(visit, reference, draft_id)
    given = {name: visit.text(name) for name in ("recipient", "subject", "body")}
    body = given["body"].replace("\r\n", "\n")
    if visit.text("version") != str(draft.version):
        changed = (draft.id, Seen(draft.version, ""), visit.text("words"))
        fault = visit.words("letter.edit_too_late")
        return case_page(visit, case, fault=fault, edited={**given, "id": str(draft_id)}, changed=changed, status=409)
    try:
        edit(
            visit.desk,
            draft_id,
            actor=visit.actor,
            now=visit.now,
            subject=given["subject"],
            body=body,
            recipient=given["recipient"] or None,
        )
    except (UsageError, RefusedError) as error:
        edited = {**given, "id": str(draft_id)}
        return case_page(visit, case, fault=in_words(error, visit.words), edited=edited, status=422)
    visit.tell(visit.words("letter.saved"))
    return goto(f"/cases/{case.reference}#letter-{draft_id}")


@router.post("/approve")
def approve_letter(visit: ByApprover, reference: str, draft_id: int) -> Response:
    """Approve exactly what was on the page; it leaves after the hold."""
    case, draft = letter_of(visit, reference, draft_id)
    if draft.state is not DraftState.PROPOSED:
        # A second click, a refresh, or a colleague was quicker: nothing more is sent.
        visit.tell(visit.words("letter.already", state=visit.words.of("draft", draft.state.value)), level="warn")
        return goto(f"/cases/{case.reference}")
    seen = Seen(int(visit.text("version") or 0) if visit.text("version").isdigit() else 0, visit.text("seen"))
    try:
        approved = approve(
            visit.desk,
            draft_id,
            actor=visit.actor,
            now=visit.now,
            hold=visit.site.hold,
            override=visit.text("override").strip() or None,
            seen=seen,
        )
    except ChangedError:
        changed = (draft_id, seen, visit.text("words"))
        return case_page(visit, visit.case(reference), fault=visit.words("letter.changed"), changed=changed, status=409)
    except RefusedError as error:
        return case_page(visit, visit.case(reference), fault=in_words(error, visit.words), status=409)
    if approved.needs_second:
        visit.tell(visit.words("letter.needs_second"), level="warn")
    else:
        visit.tell(visit.words("letter.approved"))
    return goto(f"/cases/{case.reference}")


@router.post("/recall")
def recall(visit: Visited, reference: str, draft_id: int) -> Response:
    """Take an approval back while the letter has not left."""
    case, _ = letter_of(visit, reference, draft_id)
    try:
        call_back(visit.desk, draft_id, actor=visit.actor, now=visit.now)
    except RefusedError:
        visit.tell(visit.words("letter.too_late"), level="warn")
    else:
        visit.tell(visit.words("letter.recalled"))
    return goto(f"/cases/{case.reference}")


@router.post("/decline")
def put_aside(visit: Visited, reference: str, draft_id: int) -> Response:
    """Put a letter aside for good."""
    case, _ = letter_of(visit, reference, draft_id)
    decline(visit.desk, draft_id, actor=visit.actor, now=visit.now)
    visit.tell(visit.words("letter.declined"))
    return goto(f"/cases/{case.reference}")


@router.post("/settle")
def settle(visit: ByApprover, reference: str, draft_id: int) -> Response:
    """Say what became of a letter whose sending was cut off or refused."""
    case, _ = letter_of(visit, reference, draft_id)
    arrived = visit.text("arrived")
    if arrived not in ("yes", "no"):
        raise UsageError("say whether it arrived")
    settle_unknown(visit.desk, draft_id, arrived=arrived == "yes", actor=visit.actor, now=visit.now)
    visit.tell(visit.words("letter.settled"))
    return goto(f"/cases/{case.reference}")


@router.post("/files")
def add_files(visit: Visited, reference: str, draft_id: int) -> Response:
    """Add files to a letter, locked into an archive when a passphrase is given."""
    case, _ = letter_of(visit, reference, draft_id)
    chosen = visit.files("file")
    replace = bool(visit.text("replace"))
    if not chosen and not replace:
        return case_page(visit, case, fault=visit.words("letter.no_file"), status=422)
    with tempfile.TemporaryDirectory(prefix="inboxbot-web-") as scratch:
        paths = []
        for number, one in enumerate(chosen):
            # A folder each: two files may bear one name. The name is only its last part, cleaned.
            folder = Path(scratch) / str(number)
            folder.mkdir()
            path = folder / _plain_name(one.filename or "")
            path.write_bytes(one.file.read(MAX_BYTES + 1))
            paths.append(path)
        try:
            passphrase = visit.text("passphrase") or None
            attach(
                visit.desk, draft_id, paths, actor=visit.actor, now=visit.now, passphrase=passphrase, replace=replace
            )
        except (UsageError, RefusedError) as error:
            error.where = ""  # a path of this server's
            return case_page(visit, case, fault=in_words(error, visit.words), status=422)
    visit.tell(visit.words("letter.attached"))
    return goto(f"/cases/{case.reference}#letter-{draft_id}")


def _plain_name(name: str) -> str:
    last = PurePath(clean_line(name).replace("\\", "/")).name
    return last[-100:].lstrip(".") or "fil"
