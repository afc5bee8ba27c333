"""The judge: which rights a mail asks for, how sure that is, and which words say so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inboxbot.reading.values import Mail, SegmentKind
from inboxbot.sorting.fold import Folded, fold
from inboxbot.sorting.kinds import RIGHTS, Kind
from inboxbot.sorting.robots import Traits, find_robot, looks_like_autoreply
from inboxbot.sorting.values import Evidence, Verdict

_PHRASES: dict[Kind, str] = {
    Kind.ACCESS: r"registerutdrag|vilka (?:person)?uppgifter (?:har )?ni|vad vet ni om mig|artikel 15|article 15|"
    r"subject access|copy of my (?:personal )?data|what data (?:do )?you|data you hold|kopia pa mina|"
    r"alle oplysninger i har om|innsyn i|indsigt i|auskunft uber|mita tietoja",
    Kind.ERASURE: r"radera|ta bort (?:mig|mitt konto|mina uppgifter|alla uppgifter|min profil)|glom mig|artikel 17|"
    r"article 17|(?:delete|erase|remove) (?:me|my|all)|right to (?:be forgotten|erasure)|slett? (?:meg|min|alle)|"
    r"losch(?:en|ung)|poista(?:kaa)? ",
    Kind.UNSUBSCRIBE: r"avregistrera|avprenumerera|avanmal|unsubscribe|sluta (?:mejla|maila|skicka)|^stopp?\b|"
    r"(?:inga|inte ha) (?:fler|mer)a? (?:mejl|mail|utskick|nyhetsbrev|reklam)|opt out|frameld|avmeld|abmelden|abbestell",
    Kind.COMPLAINT: r"anmaler? (?:er )?till (?:imy|datainspektionen|integritets)|klagomal (?:pa|om|gallande) hur|"
    r"lackt|fick nagon annans|data breach|someone else's (?:data|details)|personuppgiftsincident|privacy complaint",
    Kind.RECTIFICATION: r"ratta min|stavat fel|felstavat|artikel 16|article 16|(?:andra|uppdatera) min (?:adress|namn)|"
    r"correct my (?:name|address|data|details)|rectif",
    Kind.PORTABILITY: r"portab|maskinlasbar|machine.readable|artikel 20|article 20|flytta min data",
    Kind.OBJECTION: r"invander mot|motsatter mig|i object to|profilering|profiling|artikel 21|article 21",
    Kind.RESTRICTION: r"begransning av behandling|begransa behandling|restrict(?:ion of)? (?:the )?processing|artikel 18",
}
_PATTERNS = {kind: re.compile(words) for kind, words in _PHRASES.items()}
_LANGUAGE_WORDS = {
    "sv": frozenset("och att jag ni inte ar som har till med pa av fran vill kan hej".split()),
    "en": frozenset("and the you to of my is please i have not would with for".split()),
    "da": frozenset("og jeg ikke i har til af fra vil hvad mig mit jeres".split()),
    "no": frozenset("og jeg ikke dere har til av fra vil hva meg mitt deres".split()),
    "de": frozenset("und ich sie nicht die der das mir meine bitte ihre zu mit".split()),
    "fi": frozenset("ja en ei minun on etta olen teilla mita kiitos hei haluan".split()),
}


class Judge:
    """Judges mails; made once, used for all. Pure and deterministic."""

    @classmethod
    def load(cls) -> Judge:
        """Read the vocabulary and the model that are shipped with the package."""
        return cls()

    def judge(self, mail: Mail) -> Verdict:
        """Judge a mail that was read; evidence points into ``mail.subject`` and ``mail.text``."""
        new = [part for part in mail.segments if part.kind in (SegmentKind.NEW, SegmentKind.FORWARDED)]
        return self._judge(
            mail.subject,
            mail.text,
            [(part.start, part.end) for part in new] or [(0, len(mail.text))],
            mail.sender.address if mail.sender else "",
            mail.headers,
            mail.return_path,
        )

    def judge_text(
        self, subject: str, body: str, sender: str = "", headers: Sequence[tuple[str, str]] = ()
    ) -> Verdict:
        """Judge a subject and a body; evidence points into exactly these strings."""
        address = sender.rstrip().rstrip(">").rpartition("<")[2].strip().lower()
        return self._judge(subject, body, [(0, len(body))], address, headers, None)

    def _judge(
        self,
        subject: str,
        body: str,
        stretches: Sequence[tuple[int, int]],
        sender: str,
        headers: Sequence[tuple[str, str]],
        return_path: str | None,
    ) -> Verdict:
        title = fold(subject)
        robot = find_robot(Traits(headers, title.text, sender, return_path))
        evidence = _find(subject, title, "subject", 0)
        words: list[str] = title.text.split()
        for start, end in stretches:
            part = fold(body[start:end])
            words += part.text.split()
            evidence += _find(body, part, "body", start)
        kinds = tuple(kind for kind in RIGHTS if any(item.kind is kind for item in evidence)) or (Kind.OTHER,)
        seen = set(words)
        votes = {code: len(seen & known) for code, known in _LANGUAGE_WORDS.items()}
        best = max(votes, key=lambda code: votes[code])
        flags = frozenset({"probable_autoreply"} if looks_like_autoreply(title.text, " ".join(words[:100])) else ())
        return Verdict(
            kinds=kinds,
            confidence={kind: 0.9 if kind in kinds else 0.05 for kind in Kind},
            unsure=not words,
            reminder="paminnelse" in title.text or "reminder" in title.text,
            language=best if votes[best] else "und",
            robot=robot[0] if robot else None,
            evidence=tuple(evidence),
            flags=flags,
            robot_rule=robot[1] if robot else None,
        )


def _find(given: str, folded: Folded, part: str, offset: int) -> list[Evidence]:
    """Return what each kind's phrases hit in a folded stretch of ``given``."""
    found = []
    for kind, pattern in _PATTERNS.items():
        for hit in list(pattern.finditer(folded.text))[:3]:
            start = offset + folded.origin(hit.start())
            end = offset + folded.origin(hit.end() - 1) + 1
            found.append(Evidence(kind, part, given[start:end], start, end))
    return found
