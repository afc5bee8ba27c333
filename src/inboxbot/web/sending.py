"""Letting letters leave again after sending was stopped, by who may approve letters of every company."""

from __future__ import annotations

from fastapi import APIRouter, Response

from inboxbot.desk.gate import may_release, release
from inboxbot.web.render import goto, own_path
from inboxbot.web.visit import ByApprover, ForbiddenError

router = APIRouter(prefix="/sending")


@router.post("/release")
def let_go_on(visit: ByApprover) -> Response:
    """Release the stops that the page showed; one that came since then stays."""
    with visit.desk.store.read() as connection:
        if not may_release(connection, visit.desk, visit.user.name):
            raise ForbiddenError
    seen = [int(one) for one in visit.texts("stop") if one.isascii() and one.isdigit()]
    release(visit.desk, actor=visit.actor, now=visit.now, seen=seen)
    visit.tell(visit.words("sending.released"))
    return goto(own_path(visit.text("back")))
