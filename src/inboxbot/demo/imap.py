"""Mailboxes for the embedded IMAP server: pymap's in-memory ones, with special folders, UIDs and moments that last.

pymap (the version is pinned) tells no SPECIAL-USE and starts every mailbox with a new UIDVALIDITY; both are mended
here by subclassing. A mailbox is loaded from `Contents` and given back as such, so that a demo can go on tomorrow.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from socket import socket

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, DictBackend
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.imap import IMAPServer
from pymap.listtree import ListEntry, ListTree
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import Cleartext

ROLES = ("inbox", "drafts", "sent", "junk")


@dataclass(frozen=True, slots=True)
class Message:
    r"""One message of a folder: its UID, INTERNALDATE (aware), flags such as ``\Seen``, and bytes."""

    uid: int
    at: dt.datetime
    flags: tuple[str, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """A folder: its ``role`` (one of `ROLES`), its name on the server, and everything in it.

    ``last_uid`` is the highest UID ever given; no message gets it or a lower one again.
    """

    role: str
    name: str
    uidvalidity: int
    last_uid: int = 0
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox with its sign-in; the user name is the address."""

    address: str
    password: str
    folders: tuple[Contents, ...]


@dataclass(frozen=True)
class _Entry(ListEntry):
    """A line of LIST that tells the folder's special use (RFC 6154)."""

    special: bytes | None = None

    @property
    def attributes(self) -> Sequence[bytes]:
        own = super().attributes
        return own if self.special is None else [*own, self.special]


class _Tree(ListTree):
    """The folders of a mailbox, with the special use of each."""

    def __init__(self, delimiter: str, special: Mapping[str, bytes]) -> None:
        super().__init__(delimiter)
        self.special = special

    def list_matching(self, ref_name: str, filter_: str) -> Iterable[ListEntry]:
        for one in super().list_matching(ref_name, filter_):
            yield _Entry(one.name, one.exists, one.marked, one.has_children, self.special.get(one.name))


class _Mailboxes(MailboxSet):
    """The folders of one account."""

    def __init__(self) -> None:
        super().__init__()
        self.roles: dict[str, str] = {}

    async def list_mailboxes(self) -> ListTree:
        special = {name: role.capitalize().encode() for name, role in self.roles.items() if role != "inbox"}
        return _Tree(self.delimiter, special).update("INBOX", *self._set)

    async def load(self, contents: Contents) -> None:
        """Make a folder with everything in it, under the UIDs it had."""
        self.roles[contents.name] = contents.role
        if contents.role != "inbox":
            await self.add_mailbox(contents.name)
        folder = await self.get_mailbox(contents.name)
        folder._uid_validity = contents.uidvalidity
        for one in contents.messages:
            folder._max_uid = one.uid - 1
            await folder.append(_to_append(one.data, one.at, one.flags))
        folder._max_uid = contents.last_uid

    async def unload(self) -> tuple[Contents, ...]:
        """Return every special folder as it stands."""
        return tuple([await self._unload(name, role) for name, role in self.roles.items()])

    async def _unload(self, name: str, role: str) -> Contents:
        folder: MailboxData = await self.get_mailbox(name)
        messages = [
            Message(
                one.uid,
                one.internal_date.astimezone(dt.UTC),
                tuple(sorted(flag.value.decode("ascii") for flag in one.permanent_flags)),
                bytes(one._content) if one._content is not None else b"",
            )
            async for one in folder.messages()
        ]
        return Contents(role, name, folder.uid_validity, folder._max_uid, tuple(messages))


def _to_append(data: bytes, at: dt.datetime, flags: Sequence[str]) -> AppendMessage:
    return AppendMessage(data, at, frozenset(Flag(flag.encode("ascii")) for flag in flags))


class Imap:
    """The IMAP server. Its methods are coroutines of the loop it was started in."""

    def __init__(self) -> None:
        self._sets: dict[str, _Mailboxes] = {}

    async def start(self, stack: AsyncExitStack, listening: socket, accounts: Sequence[Account]) -> None:
        """Serve the accounts on a bound socket until the stack is closed."""
        arguments = Namespace(
            host=None, port=None, cert=None, key=None, tls=False, proxy_protocol=None, inherited_sockets=None,
            debug=False, passlib_cfg=None, demo_data=False, demo_user=accounts[0].address,
            demo_password=accounts[0].password, skip_services=["admin"],
        )  # fmt: skip
        # The default hash takes a second a sign-in; the passwords of a demo guard nothing.
        backend, config = await DictBackend.init(arguments, hash_context=Cleartext(), invalid_user_sleep=0.0)
        config.apply_context()
        for account in accounts:
            await self._add(backend, config, account)
        await backend.start(stack)
        serve = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
        server = await asyncio.start_server(serve, sock=listening)
        stack.callback(server.close)

    async def _add(self, backend: DictBackend, config: Config, account: Account) -> None:
        user = UserMetadata(config, account.address)
        hashed = await Passwords(config).hash_password(account.password)
        backend.login.users_dict[account.address] = replace(user, password=hashed)
        mailboxes = _Mailboxes()
        for contents in account.folders:
            await mailboxes.load(contents)
        self._sets[account.address] = mailboxes
        config.set_cache[account.address] = (mailboxes, FilterSet())

    async def append(self, address: str, role: str, data: bytes, at: dt.datetime, flags: Sequence[str] = ()) -> int:
        """Put a message into a folder, as the outside world delivers it; return its UID."""
        mailboxes = self._sets[address]
        name = next(name for name, known in mailboxes.roles.items() if known == role)
        folder = await mailboxes.get_mailbox(name)
        return (await folder.append(_to_append(data, at, flags), recent=True)).uid

    async def contents(self) -> dict[str, tuple[Contents, ...]]:
        """Return every account's folders as they stand."""
        return {address: await mailboxes.unload() for address, mailboxes in self._sets.items()}
