"""Accounts of staff, managed by admins: only those whose companies the admin sees too."""

from __future__ import annotations

from fastapi import APIRouter, Response

from inboxbot.errors import UsageError
from inboxbot.store.people import (
    EVERY_COMPANY,
    Role,
    User,
    add_user,
    change_user,
    disable_user,
    end_sessions,
    list_users,
)
from inboxbot.web.passwords import hash_password, new_password
from inboxbot.web.refusals import in_words
from inboxbot.web.render import goto, page
from inboxbot.web.visit import ByAdmin, NotFoundError, Visit

router = APIRouter(prefix="/people")


def _own(visit: Visit) -> list[User]:
    """Return the accounts this admin may manage."""
    with visit.desk.store.read() as connection:
        found = list_users(connection)
    return [one for one in found if all(visit.user.sees(company) for company in one.companies)]


def _companies(visit: Visit) -> list[str]:
    return [company.name for company in visit.desk.settings.company if visit.user.sees(company.name)]


def _page(visit: Visit, *, fault: str = "", made: tuple[str, str] | None = None, status: int = 200) -> Response:
    return page(
        visit,
        "people.html",
        status=status,
        fault=fault,
        made=made,
        people=_own(visit),
        companies=_companies(visit),
        every=EVERY_COMPANY,
        roles=[one.value for one in Role],
    )


def _chosen(visit: Visit) -> User:
    """Return the account a form names. Raises NotFoundError when this admin does not manage it."""
    found = next((one for one in _own(visit) if str(one.id) == visit.text("id")), None)
    if found is None:
        raise NotFoundError
    return found


@router.get("")
def show(visit: ByAdmin) -> Response:
    """Show who has an account."""
    return _page(visit)


@router.post("/add")
def add(visit: ByAdmin) -> Response:
    """Make an account; its first password is shown once, to be handed over."""
    role = visit.text("role")
    known = _companies(visit)
    chosen = [one for one in visit.texts("company") if one in known]
    if not chosen and visit.user.sees(EVERY_COMPANY):
        chosen = [EVERY_COMPANY]
    if role not in set(Role) or not chosen:
        return _page(visit, fault=visit.words("people.incomplete"), status=422)
    password = new_password()
    kept = hash_password(password)
    try:
        with visit.desk.store.write() as connection:
            added = add_user(
                connection, visit.text("name"), role=Role(role), companies=chosen, password=kept, now=visit.now
            )
    except UsageError as error:
        return _page(visit, fault=in_words(error, visit.words), status=422)
    return _page(visit, made=(added.name, password))


@router.post("/password")
def reset_password(visit: ByAdmin) -> Response:
    """Give an account a new password, shown once; it is signed out everywhere and asks for no one-time password."""
    chosen = _chosen(visit)
    password = new_password()
    kept = hash_password(password)
    with visit.desk.store.write() as connection:
        change_user(connection, chosen.id, password=kept, totp_secret=None, totp_used=0)
        end_sessions(connection, chosen.id)
    return _page(visit, made=(chosen.name, password))


@router.post("/role")
def change_role(visit: ByAdmin) -> Response:
    """Change what an account may do; never one's own, so that an admin is left."""
    chosen, role = _chosen(visit), visit.text("role")
    if chosen.id == visit.user.id or role not in set(Role):
        return _page(visit, fault=visit.words("people.not_yourself"), status=422)
    with visit.desk.store.write() as connection:
        change_user(connection, chosen.id, role=role)
    visit.tell(visit.words("people.changed", name=chosen.name))
    return goto("/people")


@router.post("/close")
def close(visit: ByAdmin) -> Response:
    """Close an account at once, or open it again."""
    chosen = _chosen(visit)
    if chosen.id == visit.user.id:
        return _page(visit, fault=visit.words("people.not_yourself"), status=422)
    with visit.desk.store.write() as connection:
        disable_user(connection, chosen.id, None if chosen.disabled_at else visit.now)
    visit.tell(visit.words("people.changed", name=chosen.name))
    return goto("/people")
