"""Which mails a machine wrote, and by which named rule that was seen (RFC 3834, RFC 3464, RFC 2369, RFC 8058).

The rules are one table, read from the top; the first that holds decides. A robot may still carry a real request
(a mail sent by a service with an empty return path): the judge therefore reads it all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import ahocorasick

from inboxbot.sorting.values import Robot

_LOCAL_ROBOTS = ("mailer-daemon", "mailerdaemon", "mail-daemon", "postmaster", "listserv", "majordomo")
_NO_REPLY = re.compile(r"^(?:no|do-?not|ikke|svara-?(?:ej|inte))[-_.]?(?:reply|svar|svara|besvara)?(?:[-_.+].*)?@")
_LIST_OWNER = re.compile(r"^(?:owner-[^@]+|[^@]+-(?:request|owner|bounces|admin))@")
_BOUNCE_SUBJECT = re.compile(
    r"^(?:undeliver(?:able|ed)\b|undelivered mail|mail delivery (?:failed|failure|subsystem|status)|delivery status "
    r"notification|delivery (?:failure|has failed)|returned mail|failure notice|message (?:undeliverable|delayed)|"
    r"delayed mail|oleverbart|olevererbart|kan inte levereras|meddelandet (?:kunde|kan) inte levereras|"
    r"unzustellbar|nicht zustellbar|mail konnte nicht|ikke leveret|kunne ikke leveres|kan ikke leveres|"
    r"ei voitu toimittaa|toimitus epaonnistui|non remis|echec de la remise|no se pudo entregar|mancato recapito|"
    r"onbestelbaar|niedostarczalne|nao entregue)"
)
_AUTO_SUBJECT = re.compile(
    r"^(?:(?:re|sv|vs|aw|ang|antw|tr|fw|fwd|vb) ?: ?)*"
    r"(?:auto(?:matic|matisk|matiskt|maattinen|matische)?[-: ]*(?:repl(?:y|ies)|response|svar|vastaus|antwort|antwoord|"
    r"reactie)\b|autom(?:atiskt)? svar|autosvar|automaattinen vastaus|automatische antwort|automatisch antwoord|"
    r"out of (?:the )?office|ooo\b|franvaro|franvarande|pa semester|semestersvar|fravar|fraver|ikke til stede|"
    r"poissaolo|poissa|lomalla|abwesenheit|abwesend|reponse automatique|absence du bureau|absent|"
    r"respuesta automatica|fuera de la oficina|risposta automatica|fuori sede|afwezig|resposta automatica|"
    r"ausencia|automatyczna odpowiedz|odpowiedz automatyczna|automaticka odpoved|i am away|on vacation|on leave)"
)
_RECEIPT_SUBJECT = re.compile(
    r"^(?:read|last|lest|gelesen|lu|letto|leido|lido|gelezen|luettu|read receipt|laskvitto|lasekvittering|"
    r"lesebekreftelse|lesebestatigung|not read|olast|accepted|accepterad|accepteret|akseptert|declined|avbojd|"
    r"tentative|preliminar|hyvaksytty|zugesagt|abgesagt|canceled event|quarantine (?:summary|report)|"
    r"spam (?:digest|quarantine)|report domain) ?:? ?"
)


@dataclass(slots=True)
class Traits:
    """What the rules look at: decoded headers (lower-case names, in order), the folded subject and the sender."""

    headers: Sequence[tuple[str, str]]
    subject: str
    sender: str  # bare, lower case, or ""
    return_path: str | None  # "" for the null path
    _values: dict[str, list[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Sort the headers by name: some thirty questions are asked about them."""
        self._values = {}
        for name, value in self.headers:
            self._values.setdefault(name, []).append(value)

    def values(self, name: str) -> list[str]:
        """All values of a header, lower case and stripped."""
        return [value.strip().lower() for value in self._values.get(name, ())]

    def has(self, *names: str) -> bool:
        """Whether any of these headers is there."""
        return not self._values.keys().isdisjoint(names)


def _first_word(value: str) -> str:
    """Return the value of a header without comments and parameters (``auto-replied (vacation); x=y``)."""
    return re.split(r"[;(\s]", value, maxsplit=1)[0]


def _content_type(traits: Traits, *wanted: str) -> bool:
    return any(part in value.replace('"', "") for value in traits.values("content-type") for part in wanted)


def _auto_submitted(traits: Traits) -> list[str]:
    return [word for word in map(_first_word, traits.values("auto-submitted")) if word and word != "no"]


def _precedence(traits: Traits) -> set[str]:
    return {_first_word(value) for value in traits.values("precedence")}


def _suppressed(traits: Traits) -> bool:
    """X-Auto-Response-Suppress asks us not to answer; a person's Outlook may set it, so alone it is no robot."""
    return any(word != "none" for word in traits.values("x-auto-response-suppress"))


_Rule = tuple[str, Robot, Callable[[Traits], bool]]
RULES: tuple[_Rule, ...] = (
    (
        "delivery_report",
        Robot.BOUNCE,
        lambda traits: _content_type(traits, "report-type=delivery-status", "report-type=disposition-notification"),
    ),
    ("feedback_report", Robot.BOUNCE, lambda traits: _content_type(traits, "report-type=feedback-report")),
    ("failed_recipients", Robot.BOUNCE, lambda traits: traits.has("x-failed-recipients")),
    (
        "mailer_daemon",
        Robot.BOUNCE,
        lambda traits: traits.sender.partition("@")[0].split("+")[0] in _LOCAL_ROBOTS[:4],
    ),
    (
        "null_path_bounce_subject",
        Robot.BOUNCE,
        lambda traits: traits.return_path == "" and bool(_BOUNCE_SUBJECT.match(traits.subject)),
    ),
    ("auto_replied", Robot.AUTOREPLY, lambda traits: "auto-replied" in _auto_submitted(traits)),
    ("auto_submitted", Robot.AUTOREPLY, lambda traits: bool(_auto_submitted(traits))),
    (
        "precedence_auto_reply",
        Robot.AUTOREPLY,
        lambda traits: bool(_precedence(traits) & {"auto_reply", "auto-reply", "autoreply"}),
    ),
    (
        "autoreply_header",
        Robot.AUTOREPLY,
        lambda traits: (
            traits.has("x-autoreply", "x-autorespond", "x-autoresponder", "x-mail-autoreply", "x-vacation")
            or any(_first_word(value) == "yes" for value in traits.values("x-autogenerated"))
        ),
    ),
    (
        "suppressed_auto_subject",
        Robot.AUTOREPLY,
        lambda traits: _suppressed(traits) and bool(_AUTO_SUBJECT.match(traits.subject)),
    ),
    (
        "null_path_auto_subject",
        Robot.AUTOREPLY,
        lambda traits: traits.return_path == "" and bool(_AUTO_SUBJECT.match(traits.subject)),
    ),
    (
        "receipt_or_calendar",
        Robot.AUTOREPLY,
        lambda traits: (
            _content_type(traits, "method=reply", "multipart/report")
            or (traits.return_path == "" and bool(_RECEIPT_SUBJECT.match(traits.subject)))
        ),
    ),
    ("reaction", Robot.AUTOREPLY, lambda traits: traits.has("x-ms-reactions", "x-google-reaction")),
    ("list_id", Robot.LIST, lambda traits: traits.has("list-id", "list-post")),
    ("list_unsubscribe", Robot.LIST, lambda traits: traits.has("list-unsubscribe", "list-unsubscribe-post")),
    ("feedback_id", Robot.LIST, lambda traits: traits.has("feedback-id", "x-csa-complaints", "x-campaign-id")),
    ("precedence_bulk", Robot.LIST, lambda traits: bool(_precedence(traits) & {"bulk", "junk", "list"})),
    ("loop_header", Robot.LIST, lambda traits: traits.has("x-loop", "x-mailing-list", "mailing-list")),
    (
        "list_owner",
        Robot.LIST,
        lambda traits: bool(_LIST_OWNER.match(traits.sender)) or traits.sender.partition("@")[0] in _LOCAL_ROBOTS[4:],
    ),
    (
        "null_path_no_reply",
        Robot.AUTOREPLY,
        lambda traits: traits.return_path == "" and bool(_NO_REPLY.match(traits.sender)),
    ),
)


# Those that can hold of a text without headers and without a return path; all others would be asked for nothing.
BARE_RULES = tuple(rule for rule in RULES if rule[0] in ("mailer_daemon", "list_owner"))


def find_robot(traits: Traits) -> tuple[Robot, str] | None:
    """Return what kind of machine wrote the mail and the name of the rule that saw it, or None for a person."""
    rules = RULES if traits.headers or traits.return_path is not None else BARE_RULES
    return next(((robot, name) for name, robot, holds in rules if holds(traits)), None)


_AWAY_WORDS = (
    "out of office", "out of the office", "automatic reply", "automated response", "auto-reply", "autoreply",
    "i am away", "i'm away", "on annual leave", "on vacation until", "on leave until", "limited access to my email",
    "limited access to email", "on parental leave",
    "autosvar", "automatiskt svar", "detta ar ett automatiskt", "automatsvar", "jag ar pa semester", "jag har semester",
    "semester till och med", "ar pa semester", "jag ar franvarande", "ar inte pa kontoret", "aterkommer den",
    "jag ar foraldraledig", "ar tjanstledig", "jag ar ledig", "ar ater pa kontoret", "ar tillbaka pa kontoret",
    "jeg er pa ferie", "jeg har ferie", "holder ferie", "ikke pa kontoret", "jeg er ute av kontoret",
    "jeg er fravarende", "automatisk svar", "er tilbage den", "er tilbake den", "er pa ferie",
    "poissa toimistolta", "olen lomalla", "olen poissa", "automaattinen vastaus", "palaan toihin", "automaattivastaus",
    "ich bin abwesend", "ich bin nicht im buro", "ich bin im urlaub", "nicht im hause", "automatische antwort",
    "bin ich nicht erreichbar", "derzeit nicht erreichbar", "ab dem 1 wieder", "ausser haus",
    "absent du bureau", "je suis absent", "je suis en conge", "je suis actuellement absent", "reponse automatique",
    "fuera de la oficina", "estoy de vacaciones", "respuesta automatica", "estare ausente",
    "sono fuori ufficio", "sono in ferie", "fuori ufficio", "risposta automatica", "saro assente",
    "ik ben afwezig", "niet op kantoor", "ik ben met vakantie", "ben ik afwezig", "automatisch antwoord",
    "jestem na urlopie", "przebywam na urlopie", "poza biurem", "automatyczna odpowiedz", "jestem nieobecn",
    "fora do escritorio", "estou de ferias", "resposta automatica", "estarei ausente",
    "mimo kancelar", "jsem na dovolene", "automaticka odpoved",
)  # fmt: skip


def _automaton(words: Sequence[str]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for word in words:
        automaton.add_word(word, word)
    automaton.make_automaton()
    return automaton


_AWAY = _automaton(_AWAY_WORDS)


def looks_like_autoreply(subject: str, opening: str) -> bool:
    """Whether the words alone sound like an out-of-office note (both folded; ``opening`` is the first 600 letters).

    Only "probable": a person decides, for people write such words too.
    """
    if _AUTO_SUBJECT.match(subject.strip()):
        return True
    flat = " ".join(opening[:600].split())
    return next(_AWAY.iter(flat), None) is not None
