"""The sign-in service behind `web.oidc`: what it says of itself, its keys, and whether a token of its holds.

Tokens are checked by PyJWT: the signature with a key of the service, an algorithm of a fixed list (not by the token's
word alone), issuer, audience and times; nonce and authorised party are compared here (OpenID Connect Core 3.1.3.7).
"""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlencode

import jwt

from inboxbot.config.model import OidcSettings
from inboxbot.config.telling import checked_https
from inboxbot.outgoing import Answer, UnreachableError, request
from inboxbot.store.people import oidc_name
from inboxbot.web.signin import SignInFailedError

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
LEEWAY_S: Final = 60
KEPT_S: Final = 3600.0
QUIET_S: Final = 15.0  # a service that did not answer is left alone for so long
KEYS_AGAIN_S: Final = 60.0  # a token with an unknown key makes us ask for the keys anew, not more often than this
_NEEDED: Final = ["iss", "sub", "aud", "exp", "iat", "nonce"]
_MOST_TOKEN: Final = 20_000


class Provider:
    """One service. What it says of itself is kept for an hour. ``clock`` is monotonic."""

    def __init__(self, settings: OidcSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._about: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, list[dict[str, Any]]] | None = None
        self._failed_at: float | None = None

    def authorization_endpoint(self) -> str:
        """Return where browsers are sent. Raises SignInFailedError."""
        return self._endpoint("authorization_endpoint")

    def exchange(self, code: str, *, verifier: str, redirect_uri: str) -> str:
        """Give the service its code and return the ID token. Raises SignInFailedError."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        name, secret = self.settings.client_id, self._secret()
        known = self._described().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in known:
            pair = f"{quote(name, safe='')}:{quote(secret, safe='')}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        else:
            fields |= {"client_id": name, "client_secret": secret}
        answer = self._ask("POST", self._endpoint("token_endpoint"), urlencode(fields).encode(), headers)
        token = _document(answer, "code_refused").get("id_token")
        if not isinstance(token, str) or len(token) > _MOST_TOKEN:
            raise SignInFailedError("no_token")
        return token

    def checked(self, token: str, *, nonce: str) -> dict[str, Any]:
        """Return the claims of an ID token that holds in every respect. Raises SignInFailedError."""
        try:
            head = jwt.get_unverified_header(token)
            if head.get("alg") not in ALGORITHMS:
                raise SignInFailedError("algorithm")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(head),
                algorithms=list(ALGORITHMS),
                audience=self.settings.client_id,
                issuer=self.settings.issuer,
                leeway=LEEWAY_S,
                options={"require": _NEEDED},
            )
        except jwt.PyJWTError as error:
            raise SignInFailedError(type(error).__name__) from None
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise SignInFailedError("nonce")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if ("azp" in claims or several) and claims.get("azp") != self.settings.client_id:
            raise SignInFailedError("authorised_party")
        return claims

    def named(self, claims: dict[str, Any]) -> str:
        """Return what the service calls the person, as accounts keep it. Raises SignInFailedError.

        A mail address counts only where the service says that it checked it: elsewhere people may enter any.
        """
        value = claims.get(self.settings.claim)
        if not isinstance(value, str) or not value.strip():
            raise SignInFailedError("claim_missing")
        if self.settings.claim == "email" and claims.get("email_verified") is not True:
            raise SignInFailedError("address_not_verified")
        return oidc_name(value)

    def _described(self) -> dict[str, Any]:
        """Return what the service says of itself, under its very own name."""
        with self._lock:
            if self._about is not None and self._clock() - self._about[0] < KEPT_S:
                return self._about[1]
            if self._failed_at is not None and self._clock() - self._failed_at < QUIET_S:
                raise SignInFailedError("failed_just_now")
            self._failed_at = self._clock()  # until it has answered: strangers cannot make us wait for it in crowds
        url = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        about = _document(self._ask("GET", url), "not_described")
        if about.get("issuer") != self.settings.issuer:
            raise SignInFailedError("other_issuer")
        with self._lock:
            self._about, self._failed_at = (self._clock(), about), None
        return about

    def _endpoint(self, name: str) -> str:
        try:
            return checked_https(str(self._described().get(name, "")))
        except ValueError:
            raise SignInFailedError("not_described") from None

    def _key(self, head: dict[str, Any]) -> jwt.PyJWK:
        """Return the service's key that a token names, made for the algorithm it was signed with."""
        for fresh in (False, True):
            keys = [one for one in self._key_set(fresh=fresh) if one.get("use", "sig") == "sig"]
            fitting = [one for one in keys if one.get("kid") == head.get("kid")] if head.get("kid") else keys
            if len(fitting) == 1:
                if fitting[0].get("alg", head["alg"]) != head["alg"]:
                    raise SignInFailedError("algorithm")
                return jwt.PyJWK(fitting[0], algorithm=head["alg"])
        raise SignInFailedError("key_unknown")

    def _key_set(self, *, fresh: bool) -> list[dict[str, Any]]:
        with self._lock:
            age = self._clock() - self._keys[0] if self._keys is not None else None
            if self._keys is not None and age is not None and age < (KEYS_AGAIN_S if fresh else KEPT_S):
                return self._keys[1]
        found = _document(self._ask("GET", self._endpoint("jwks_uri")), "no_keys").get("keys")
        keys = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        with self._lock:
            self._keys = (self._clock(), keys)
        return keys

    def _ask(self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        try:
            return request(method, url, body=body, headers=headers, private=self.settings.private)
        except UnreachableError as error:
            raise SignInFailedError(error.code) from None

    def _secret(self) -> str:
        try:
            return self.settings.client_secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SignInFailedError("no_secret") from None


def _document(answer: Answer, code: str) -> dict[str, Any]:
    """Return the JSON object that was answered. Raises SignInFailedError with ``code`` for anything else."""
    try:
        found = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SignInFailedError(code)
    return found
