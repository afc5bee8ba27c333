"""From facts to a letter: Jinja2 cut down to placeholders, conditions and loops over given rows.

A template may print a value, test it, loop over rows, include one of our own parts, and use the filters below. It may
not call, assign, compute, import or reach an attribute: its syntax tree is checked before it is compiled, so a
company's own templates cannot run code or run for ever (promises.md E30-E37). Values are never part of a template's
source.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, TemplateNotFound, UndefinedError, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.loaders import BaseLoader
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

import inboxbot
from inboxbot.cases.holidays import weekday_name
from inboxbot.cases.legal_date import written_date
from inboxbot.errors import InboxbotError
from inboxbot.replies.facts import CODE_MARK, DATE_MARK, FILES_MARK, LANGUAGES, NAME_MARK, LetterFacts, clean_line

PARTS = ("_hello", "_bye", "_remedy", "_complaint", "_identity", "_notice", "_object", "_told", "_kept")
LETTERS = (
    "receipt",
    "unsubscribe",
    "ordinary",
    "breach_thanks",
    "identity",
    "code",
    "clarification",
    "access",
    "rectification",
    "erasure",
    "erasure_partial",
    "refusal",
    "extension",
    "no_data",
    "excessive",
    "consent_withdrawn",
    "restriction",
    "objection",
    "objection_refused",
    "portability",
    "complaint",
    "representative",
    "cannot_identify",
    "not_for_us",
)
ACKNOWLEDGEMENTS = ("receipt", "unsubscribe")
_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.For, nodes.CondExpr,
    nodes.Compare, nodes.Operand, nodes.Not, nodes.And, nodes.Or, nodes.Getattr, nodes.Filter, nodes.Test,
    nodes.Include,
)  # fmt: skip
_ALLOWED_TESTS = frozenset({"defined"})
_MOST_LOOPS = 2
_MOST_SOURCE = 64_000
_LOOP_WORDS = frozenset({"first", "last", "index", "length"})
_JOINERS = {"sv": "och", "en": "and", "da": "og", "no": "og", "fi": "ja", "de": "und"}


class TemplateError(InboxbotError):
    """A template is missing, not allowed, or prints a value that this case does not have."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as words: what a person reads, edits and approves. ``template`` names where it came from."""

    template: str
    language: str
    subject: str
    body: str


def shipped_templates() -> Path:
    """Return the folder of our own templates: inside the wheel, or beside ``src`` in a checkout."""
    package = Path(inboxbot.__file__).resolve().parent
    inside = package / "templates" / "replies"
    return inside if inside.is_dir() else package.parents[1] / "templates" / "replies"


def languages_of(name: str) -> tuple[str, ...]:
    """Return the languages that ship a letter."""
    return LANGUAGES if name in ACKNOWLEDGEMENTS else ("sv", "en")


def render(name: str, facts: LetterFacts, *, folder: Path | None = None, gaps: bool = False) -> Letter:
    """Return the letter ``name`` in the language of ``facts``.

    ``folder`` is a company's own templates folder, looked in first. A value that the template prints and the facts lack
    raises TemplateError with its name; with ``gaps`` it stands in the letter as ``[[its name]]``, which the letter
    check refuses until a person has filled it in.
    """
    source_name = f"{facts.language}/{name}.txt"
    environment = _environment(str(folder) if folder else None, gaps)
    try:
        text = environment.get_template(source_name).render(facts.context())
    except TemplateNotFound as error:
        raise TemplateError("there is no such letter template", where=str(error.name or source_name)) from None
    except TemplateSyntaxError as error:
        raise TemplateError(
            error.message or "not a template", where=f"{error.name or source_name} line {error.lineno}"
        ) from None
    except SecurityError as error:
        raise TemplateError(clean_line(error.message or "", 120), where=source_name) from None
    except UndefinedError as error:
        raise TemplateError(
            f"a value is missing: {clean_line(error.message or '', 120)}",
            where=source_name,
            cure="record it on the case, or take it out of the template",
        ) from None
    except (TypeError, ValueError, RecursionError, OSError) as error:
        raise TemplateError(
            f"the template cannot be used: {clean_line(str(error), 120)}",
            where=source_name,
            cure="compare it with the one that ships",
        ) from None
    return _letter(name, facts.language, text, source_name)


def _letter(name: str, language: str, text: str, where: str) -> Letter:
    first, _, body = text.lstrip().partition("\n")
    if not first.startswith("Subject:") or not first.removeprefix("Subject:").strip() or not body.strip():
        raise TemplateError("the first line must be 'Subject: …' and a body must follow", where=where)
    lines = (line.rstrip() for line in body.strip().split("\n"))
    tidy = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return Letter(name, language, clean_line(first.removeprefix("Subject:")), f"{tidy}\n")


def finish_letter(letter: Letter, approver: str, day: dt.date, code: str = "", files: Sequence[str] = ()) -> Letter:
    """Return the letter as it goes out: the approver's name, the day, a one-time code and the files' names in place.

    ``files`` are the names of what is attached, for letters that hand data out.
    """
    given = {
        NAME_MARK: clean_line(approver, 80),
        DATE_MARK: written_date(day, letter.language),
        CODE_MARK: clean_line(code, 40),
        FILES_MARK: _joined([clean_line(one, 120) for one in files], letter.language),
    }
    body = letter.body
    for mark, words in given.items():
        body = body.replace(mark, words) if words else body
    return replace(letter, body=body)


def _joined(words: Sequence[str], language: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {_JOINERS.get(language, 'and')} {words[-1]}"


# --- the cut-down environment -------------------------------------------------------------------------------------


class _Loader(BaseLoader):
    """Templates by fixed names only, from the company's folder or ours; a link out of the folder is not followed."""

    def __init__(self, folder: Path | None) -> None:
        self.folders = [folder, shipped_templates()] if folder else [shipped_templates()]
        self.names = {f"{language}/{name}.txt" for language in LANGUAGES for name in (*LETTERS, *PARTS)}

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 - the base's shape
        template: str,
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        if template not in self.names:
            raise TemplateNotFound(template)
        for folder in self.folders:
            path = folder / template
            if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
                continue
            source = path.read_text(encoding="utf-8")
            if len(source) > _MOST_SOURCE:
                raise TemplateSyntaxError("the template is too long", 1, template, str(path))
            return source, str(path), _unchanged(path)
        raise TemplateNotFound(template)


def _unchanged(path: Path) -> Callable[[], bool]:
    before = path.stat().st_mtime_ns
    return lambda: path.is_file() and path.stat().st_mtime_ns == before


class _Environment(ImmutableSandboxedEnvironment):
    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:  # noqa: ARG002 - the base's shape
        return isinstance(obj, LoopContext) and attr in _LOOP_WORDS

    def is_safe_callable(self, obj: object) -> bool:  # noqa: ARG002 - the base's shape
        return False

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _check_tree(tree, name, frozenset(self.filters), 0)
        return tree


class _Gap(StrictUndefined):
    """An unknown value that shows itself in the letter instead of refusing it."""

    __slots__ = ()

    def __str__(self) -> str:  # type: ignore[override]  # the base never returns
        return f"[[{self._undefined_name}]]"


@lru_cache(maxsize=32)
def _environment(folder: str | None, gaps: bool) -> _Environment:
    environment = _Environment(
        loader=_Loader(Path(folder) if folder else None),
        undefined=_Gap if gaps else StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    environment.filters = {"date": _date, "weekday": _weekday, "listed": _listed, "length": len}
    environment.tests = {"defined": environment.tests["defined"], "in": environment.tests["in"]}
    return environment


def _check_tree(node: nodes.Node, name: str | None, filters: frozenset[str], loops: int) -> None:
    fault = ""
    if not isinstance(node, _ALLOWED_NODES):
        fault = f"{type(node).__name__.lower()} is not allowed in a letter template"
    elif isinstance(node, nodes.Filter) and node.name not in filters:
        fault = f"there is no filter {node.name!r}; there are {', '.join(sorted(filters))}"
    elif isinstance(node, nodes.Test) and node.name not in _ALLOWED_TESTS:
        fault = f"there is no test {node.name!r}; there is only 'defined'"
    elif isinstance(node, nodes.Include) and (
        loops or "/_" in (name or "") or not isinstance(node.template, nodes.Const)
    ):
        fault = "only a letter can include a part, by its fixed name and outside loops"
    elif isinstance(node, nodes.Name) and node.name in ("self", "caller"):
        fault = f"{node.name!r} is not allowed in a letter template"
    elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        fault = f"{node.attr!r} is not a field"
    elif isinstance(node, nodes.For) and (node.recursive or loops >= _MOST_LOOPS):
        fault = "loops may be nested once"
    if fault:
        raise TemplateSyntaxError(fault, node.lineno or 1, name)
    for child in node.iter_child_nodes():
        _check_tree(child, name, filters, loops + isinstance(node, nodes.For))


@pass_context
def _date(context: Context, day: object) -> str:
    """Write a date out in the letter's language; a mark that is filled in at approval stays."""
    return written_date(day, str(context["language"])) if isinstance(day, dt.date) else str(day)


@pass_context
def _weekday(context: Context, day: object) -> str:
    return weekday_name(day, str(context["language"])) if isinstance(day, dt.date) else str(day)


@pass_context
def _listed(context: Context, rows: Sequence[object], key: str = "") -> str:
    """Join words, or one field of rows, with commas and the letter's "and"."""
    words = [str(row[key]) if key and isinstance(row, Mapping) else str(row) for row in rows]
    return _joined(words, str(context["language"]))
