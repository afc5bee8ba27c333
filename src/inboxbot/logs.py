"""The log: structured lines on standard error that hold ids and codes, never personal data."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_ADDRESS = re.compile(r"[^\s<>\"'(),;:]{1,64}@[A-Za-z0-9.-]{1,255}")
_NUMBER = re.compile(r"\b(?:\d{2})?\d{6}[-+ ]?\d{4}\b")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160), 0x2028, 0x2029)}
MAX_VALUE = 500


def redacted(value: Any) -> Any:
    """Return ``value`` with mail addresses, personal numbers and control characters taken out, at any depth."""
    if isinstance(value, str):
        clean = _NUMBER.sub("[number]", _ADDRESS.sub("[address]", value))
        return clean.translate(_CONTROL)[:MAX_VALUE]
    if isinstance(value, Mapping):
        return {redacted(key): redacted(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redacted(inner) for inner in value]
    return value if isinstance(value, (int, float, bool, type(None))) else redacted(str(value))


def _redact(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: redacted(value) for key, value in event.items()}


def configure(*, level: str = "info", form: str = "text") -> None:
    """Set up logging for this process. Other libraries' loggers are kept below warning, for they may hold content."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(levelname)s %(name)s", force=True)
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_the_error,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _name_the_error(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its type and the place it came from: its text may quote a mail."""
    error = event.pop("error", None)
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            event["at"] = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
    elif error is not None:
        event["error"] = error
    return event


def get_logger() -> Any:
    """Return the logger; use it as ``log.info("round_done", mailbox_id=1, taken=3)``."""
    return structlog.get_logger()
