"""The one way out by HTTP: which addresses are asked, and that no server holds us up (promises.md E57)."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.servers.dovecot import make_certificate
from tests.servers.listener import running_listener
from tests.servers.scripted_smtp import server_context

from inboxbot.outgoing import UnreachableError, obstacle, request


@pytest.mark.parametrize(
    "host",
    [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
    ],
)
def test_private_addresses_need_consent(host: str) -> None:
    """E57."""
    assert obstacle(f"https://{host}/x", private=False) == "private_address"
    assert obstacle(f"https://{host}/x", private=True) is None
    with pytest.raises(UnreachableError, match="private_address"):
        request("POST", f"https://{host}/x", body=b"{}")


@pytest.mark.parametrize("host", ["0.0.0.0", "224.0.0.1", "[::]", "[ff02::1]"])
def test_addresses_that_are_no_place_are_never_asked(host: str) -> None:
    assert obstacle(f"https://{host}/x", private=True) == "private_address"


def test_public_addresses_and_this_machine_named_outright_may_be_asked() -> None:
    for host in ("192.88.99.1", "9.9.9.9", "[2620:fe::fe]", "127.0.0.1", "[::1]", "localhost"):
        assert obstacle(f"https://{host}/x", private=False) is None, host
    assert obstacle("https://[::ffff:127.0.0.1]/x", private=False) == "private_address"
    assert obstacle("https://no.such.host.invalid/x", private=False) == "name_not_found"


def test_a_redirect_is_an_answer_and_not_a_way() -> None:
    """E57."""
    with running_listener() as listener:
        listener.status = 302
        assert request("POST", f"http://127.0.0.1:{listener.port}/", body=b"{}").status == 302
        assert len(listener.heard) == 1


@contextlib.contextmanager
def server(talk: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """Run a server that does as it likes with each connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                end, _ = listener.accept()
                with end, contextlib.suppress(OSError):
                    talk(end, over)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def drip(end: socket.socket, over: threading.Event) -> None:
    end.recv(1000)
    while not over.wait(0.05):
        end.sendall(b"H")


def endless(end: socket.socket, over: threading.Event) -> None:
    end.recv(1000)
    end.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not over.is_set():
        end.sendall(b"x" * 65536)


def nonsense(end: socket.socket, over: threading.Event) -> None:
    end.recv(1000)
    end.sendall(b"\xff\xfe no HTTP\r\n\r\n")


def hang_up(end: socket.socket, over: threading.Event) -> None:
    end.recv(1000)


@pytest.mark.parametrize(
    ("talk", "code"), [(drip, "no_answer"), (endless, "too_long"), (nonsense, "no_answer"), (hang_up, "no_answer")]
)
def test_a_server_that_misbehaves_ends_the_request(
    talk: Callable[[socket.socket, threading.Event], None], code: str
) -> None:
    with server(talk) as port, pytest.raises(UnreachableError, match=code):
        request("GET", f"http://127.0.0.1:{port}/", whole_s=0.5)


def test_a_certificate_that_nobody_vouches_for_is_not_taken(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    context = server_context(tmp_path)
    heard: list[bytes] = []

    def talk(end: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(end, server_side=True) as safe:
            heard.append(safe.recv(1000))

    with server(talk) as port, pytest.raises(UnreachableError, match="no_answer"):
        request("POST", f"https://localhost:{port}/", body=b"secret")
    assert not any(heard)
