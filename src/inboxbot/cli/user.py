"""`inboxbot user`: the accounts of staff."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inboxbot.desk.context import Desk

ROLES = ("staff", "approver", "admin")
_given = click.option(
    "--password-file",
    "file",
    type=click.File("r", encoding="utf-8"),
    help="Take the password from a file, or - for standard input; else one is asked for, or made.",
)


@click.group()
def user() -> None:
    """Accounts of staff. From the first one on, only approvers and admins approve letters."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="admin: also manages people.")
@click.option("--company", "companies", multiple=True, metavar="NAME", help="Sees this company only; may be repeated.")
@click.option("--oidc", metavar="WHO", help="What the sign-in service calls the person: an address or an id.")
@_given
@click.pass_obj
def add(context: Context, name: str, role: str, companies: tuple[str, ...], oidc: str | None, file: Any) -> None:
    """Make an account. Letters that it approves are signed with NAME."""
    from inboxbot.store.people import EVERY_COMPANY, Role, add_user, set_oidc
    from inboxbot.web.passwords import hash_password

    with context.desk() as desk:
        _require_known(desk, companies)
        password, made = _password(file)
        kept = hash_password(password)
        with desk.store.write() as connection:
            added = add_user(
                connection,
                name,
                role=Role(role),
                companies=list(companies) or [EVERY_COMPANY],
                password=kept,
                now=now(),
            )
            if oidc is not None:
                set_oidc(connection, added, oidc)
    click.echo(f"{added.name}: {role}, sees {', '.join(companies) or 'every company'}")
    if made:
        click.echo(f"password: {password}")


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_all(context: Context, as_json: bool) -> None:
    """Show every account."""
    from inboxbot.store.people import EVERY_COMPANY, list_users

    with context.desk() as desk, desk.store.read() as connection:
        found = list_users(connection)
    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "role": one.role.value,
                    "companies": None if EVERY_COMPANY in one.companies else list(one.companies),
                    "totp": one.totp_secret is not None,
                    "oidc": one.oidc,
                    "disabled": one.disabled_at is not None,
                }
                for one in found
            ]
        )
        return
    rows = [
        [
            one.name,
            one.role.value,
            "every one" if EVERY_COMPANY in one.companies else ", ".join(one.companies),
            "yes" if one.totp_secret else "no",
            "closed" if one.disabled_at else "open",
        ]
        for one in found
    ]
    print_table(["name", "role", "companies", "one-time password", "account"], rows, shrink=2)


@user.command("password")
@click.argument("name")
@_given
@click.pass_obj
def password(context: Context, name: str, file: Any) -> None:
    """Set a new password; the account is signed out everywhere."""
    from inboxbot.store.people import change_user, end_sessions, load_user
    from inboxbot.web.passwords import hash_password

    with context.desk() as desk:
        with desk.store.read() as connection:
            load_user(connection, name)
        new, made = _password(file)
        kept = hash_password(new)
        with desk.store.write() as connection:
            found = load_user(connection, name)
            change_user(connection, found.id, password=kept)
            end_sessions(connection, found.id)
    click.echo(f"{found.name}: the password is changed")
    if made:
        click.echo(f"password: {new}")


@user.command("disable")
@click.argument("name")
@click.option("--undo", is_flag=True, help="Open it again.")
@click.pass_obj
def disable(context: Context, name: str, undo: bool) -> None:
    """Close an account at once; what it did stays in history."""
    from inboxbot.store.people import disable_user, load_user

    with context.desk() as desk, desk.store.write() as connection:
        found = load_user(connection, name)
        disable_user(connection, found.id, None if undo else now())
    click.echo(f"{found.name}: {'open' if undo else 'closed'}")


@user.command("totp")
@click.argument("name")
@click.option("--off", is_flag=True, help="Ask for none any more.")
@click.pass_obj
def totp(context: Context, name: str, off: bool) -> None:
    """Ask for a one-time password too, and print the secret for the app on the person's phone."""
    from inboxbot.store.people import change_user, end_sessions, load_user
    from inboxbot.web.passwords import new_totp_secret, totp_uri

    secret = None if off else new_totp_secret()
    with context.desk() as desk, desk.store.write() as connection:
        found = load_user(connection, name)
        change_user(connection, found.id, totp_secret=secret, totp_used=0)
        end_sessions(connection, found.id)
    click.echo(f"{found.name}: " + ("no one-time password" if secret is None else totp_uri(secret, found.name)))


@user.command("oidc")
@click.argument("name")
@click.argument("who", required=False)
@click.option("--off", is_flag=True, help="Sign in by the service no more.")
@click.pass_obj
def oidc(context: Context, name: str, who: str | None, off: bool) -> None:
    """Record that the sign-in service calls the person WHO: an address or an id, as web.oidc.claim says."""
    from inboxbot.errors import UsageError
    from inboxbot.store.people import end_sessions, load_user, set_oidc

    if (who is None) is not off:
        raise UsageError("say what the service calls the person, or --off", where="user oidc")
    with context.desk() as desk, desk.store.write() as connection:
        found = load_user(connection, name)
        set_oidc(connection, found, who)
        end_sessions(connection, found.id)
    click.echo(f"{found.name}: " + ("not by the sign-in service" if off else f"signs in as {who}"))


def _password(file: Any) -> tuple[str, bool]:
    """Return a password and whether it was made here: from the file, asked for, or made where nobody can be asked."""
    from inboxbot.web.passwords import new_password

    if file is not None:
        return file.read().rstrip("\r\n"), False
    if sys.stdin.isatty():
        asked: str = click.prompt("Password (nothing: one is made)", hide_input=True, default="", show_default=False)
        if asked:
            return asked, False
    return new_password(), True


def _require_known(desk: Desk, companies: Sequence[str]) -> None:
    from inboxbot.errors import UsageError

    known = [company.name for company in desk.settings.company]
    for one in companies:
        if one not in known:
            raise UsageError(f"there is no company {one!r}", where="--company", cure=f"known are {', '.join(known)}")
