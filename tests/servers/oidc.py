"""A small sign-in service (OpenID Connect) for tests: real on the wire, with faults on request."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.servers.listener import serving

CLIENT, SECRET = "inboxbot", "hemlig & lång å"


@dataclass
class Service:
    """The service. What stands in ``claims`` is put over the true ones; None takes a claim away.

    ``algorithm`` is that of its tokens, ``key`` signs them in place of its own key, ``described`` is put over what it
    says of itself, ``asked`` holds what each browser was sent with.
    """

    port: int = 0
    who: dict[str, Any] = field(
        default_factory=lambda: {"sub": "a1b2", "email": "Eva.Ek@example.se", "email_verified": True}
    )
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Any = None
    kid: str = "k1"
    described: dict[str, Any] = field(default_factory=dict)
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    asked: list[dict[str, str]] = field(default_factory=list)
    own_key: Any = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))
    fetched: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def about(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": self.methods,
            **self.described,
        }

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.own_key.public_key()))
        return {"keys": [{**public, "kid": self.kid, "use": "sig"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where the browser is sent with its code: whoever comes is signed in already."""
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def token(self, fields: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Return the answer to a code, once, and only to who began with it; None refuses."""
        asked = self.codes.pop(fields.get("code", ""), None)
        if asked is None or not self._is_client(fields, authorization):
            return None
        challenge = base64.urlsafe_b64encode(hashlib.sha256(fields["code_verifier"].encode()).digest()).rstrip(b"=")
        if challenge.decode() != asked["code_challenge"] or fields["redirect_uri"] != asked["redirect_uri"]:
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        true = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.who}
        told = {name: value for name, value in {**true, **self.claims}.items() if value is not None}
        key = None if self.algorithm == "none" else self.key or self.own_key
        return jwt.encode(told, key, algorithm=self.algorithm, headers={"kid": self.kid})

    def _is_client(self, fields: dict[str, str], authorization: str) -> bool:
        if "client_secret_basic" not in self.methods:
            return (fields.get("client_id"), fields.get("client_secret")) == (CLIENT, SECRET)
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        name, _, secret = pair.partition(":")
        return (unquote(name), unquote(secret)) == (CLIENT, SECRET)


@contextmanager
def running_service() -> Iterator[Service]:
    """Run a service on a free loopback port."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, asked = urlsplit(self.path).path, _plain(urlsplit(self.path).query)
            service.fetched.append(path)
            if path == "/authorize":
                self.send_response(302)
                self.send_header("Location", service.authorize(asked))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            found = {"/.well-known/openid-configuration": service.about, "/keys": service.keys}.get(path)
            self._answer(200, found()) if found else self._answer(404, {})

        def do_POST(self) -> None:
            fields = _plain(self.rfile.read(int(self.headers["Content-Length"])).decode())
            told = service.token(fields, self.headers.get("Authorization", ""))
            self._answer(200, told) if told else self._answer(400, {"error": "invalid_grant"})

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.port = server.server_port
    with serving(server):
        yield service


def _plain(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
