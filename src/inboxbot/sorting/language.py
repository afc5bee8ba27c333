"""Which language a mail is written in: small words and telling letters, counted in one pass.

A word that few of the languages share counts more. ``und`` (undetermined, ISO 639-2) stands for "cannot say".
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterable, Sequence

from inboxbot.sorting.fold import strange_letters

UNKNOWN = "und"

_WORDS = {
    "sv": (
        "och att jag ni inte ar som har till med pa av fran vill kan hej det den en ett for om mig min "
        "mitt mina er era ert ska skulle nagon nagot nar vad hur tack halsningar mvh inga inget bort sa "
        "men vi eller var finns fran sedan redan mycket bara efter dar mejl uppgifter radera skicka ej "
        "mej vanligen fortfarande varfor utan ocksa nu kunde"
    ),
    "en": (
        "and the you to of my is please i have not would with for that this it on are be your me from "
        "was but if do can any hi hello thanks regards dear what how who when which been will want no "
        "all we they his her as at by or stop delete remove data there here don't i'm i'd"
    ),
    "da": (
        "og jeg ikke i har til af fra vil hvad mig mit jeres det er en et som at pa med for den kan min "
        "mine skal hvor nar hej hilsen venlig tak men der om blev bliver nogle mange gerne ogsa kun "
        "efter han hun vores jer slet oplysninger hvorfor hvordan hvis hvem sadan noget uger maned dage "
        "mails slette fjerne bedes modtage nej"
    ),
    "no": (
        "og jeg ikke dere har til av fra vil hva meg mitt deres det er en et som at pa med for den kan "
        "min mine skal hvor nar hei hilsen vennlig takk men om ble blir noen mange gjerne ogsa bare "
        "etter han hun vare opplysninger hvorfor hvordan hvis hvem noe uker maned dager eposten slett "
        "ikkje eg dykk dokker ae nei fikk kunne vaere mye sa slette"
    ),
    "de": (
        "und ich sie nicht die der das mir meine bitte ihre zu mit ist ein eine von den auf fur dass "
        "haben wir auch im dem mich habe euch eure ihr bei wird werden oder aber noch wie was hallo "
        "guten grusse danke sehr geehrte mein meiner kein keine mehr uber nach zum zur kann konnen wurde "
        "seit nur"
    ),
    "fi": (
        "ja en ei minun on etta olen teilla mita kiitos hei haluan ole ovat se mutta jos niin kuin tai "
        "joka nyt viela minulla minulle teidan mina saa saada voi tama terveisin kun vain ette oli siita "
        "kaikki enaa pyydan myos mika teille tietoja tietoni terveisin haluaisin koska missa nain moi"
    ),
    "fr": (
        "le la les et je vous de des que ne pas mon ma mes est un une pour sur dans avec par ce cette "
        "bonjour merci votre vos du au aux nous suis ai avez qui plus cordialement madame monsieur "
        "veuillez me donnees"
    ),
    "es": (
        "el la los las y yo que de no mi mis es un una para con por su sus en del al se lo hola gracias "
        "saludos le les me he han esta este como mas pero datos ustedes usted quiero solicito"
    ),
    "it": (
        "il lo la gli le e che di non mi mio mia miei un una per con su del della dei delle al alla sono "
        "ho avete vostro vostra grazie saluti buongiorno salve come piu ma dati vorrei chiedo si questo "
        "questa anche"
    ),
    "nl": (
        "de het een en ik u niet van is mijn voor met op dat die te uw jullie je wij ben heb hebben aan "
        "bij naar ook maar geachte groet groeten bedankt graag geen wil deze dit wordt worden zijn mij "
        "me gegevens"
    ),
    "pl": (
        "i w nie na z do ze sie jest moje moich mnie prosze panstwo panstwa od dla po o czy oraz jak "
        "dziekuje dzien dobry pozdrawiam mi mam za ktore przez jestem to moj danych"
    ),
    "pt": (
        "o a os as e eu que de nao meu minha meus um uma para com por em do da dos das ao na no se ola "
        "obrigado obrigada cumprimentos voces vossa sao foi mais dados pelo pela gostaria"
    ),
    "cs": (
        "a v na se je ze mi me mne moje mych prosim dobry den dekuji ze pro jsem s k o do za vas vam "
        "vase nebo jak co uz nechci abyste jste udaje udaju pozdravem zadam tim ktere byly"
    ),
    "sk": (
        "a v na sa je ze mi ma mna moje mojich prosim dobry den dakujem pre som s k o do za vas vam vase "
        "alebo ako co uz nechcem aby ste udaje udajov pozdravom ziadam ktore boli"
    ),
    "hr": (
        "i u na se je da mi me mene moje mojih molim postovani hvala za sam s k o do iz vas vam vase ili "
        "kako sto vise zelim ste podatke podataka postovanjem zahtijevam koje bili kao"
    ),
    "sl": (
        "in v na se je da mi me mene moje mojih prosim pozdravljeni hvala za sem s k o do iz vas vam "
        "vase ali kako kaj vec zelim ste podatke podatkov spostovani zahtevam ki so kot"
    ),
    "el": (
        "και το τα τη την της του των να σας μου με για απο στο στη που δεν ειναι θα η ο οι σε ως προς "
        "τους ευχαριστω δεδομενα δεδομενων παρακαλω"
    ),
    "ro": (
        "si in la cu de pe nu sa mea mele meu va rog este un o pentru din ce care am ati sunt multumesc "
        "buna ziua datele dumneavoastra dvs mi al ale despre"
    ),
    "hu": (
        "es a az hogy nem egy is kerem van meg ne en on onok adataim szeretnem koszonom tisztelt "
        "udvozlettel mert vagy csak mar azt ezt nekem volt ha adatok rolam"
    ),
    "bg": (
        "и на да не се за от в с по ми моите вас ви че съм това е са моля благодаря здравейте данни данните как какво"
    ),
    "et": (
        "ja ei on mina minu et see ning palun teie kas oma ma mulle mind kui olen tere tanan andmed "
        "andmeid soovin siis ka mis milliseid lugupidamisega"
    ),
    "lv": (
        "un ir ne es mans mani manus ka lai ar no par uz ludzu jus jusu paldies labdien datus dati vai "
        "kas tas man esmu cienu vairs"
    ),
    "lt": (
        "ir ne as mano mane kad su is apie prasau jus jusu aciu laba diena duomenis duomenu ar kas tai "
        "man esu pagarbiai norim noriu nuo savo"
    ),
    "is": (
        "og eg ekki er ad mig min minar thid sem fra um ykkar hvad vil med til a i takk kvedja "
        "upplysingar halló godan dag thad gogn"
    ),
}
LETTERS: dict[str, dict[str, float]] = {
    "å": {"sv": 1.0, "da": 1.0, "no": 1.0, "fi": 0.1}, "ä": {"sv": 1.0, "de": 0.8, "fi": 1.0, "et": 0.6, "sk": 0.2},
    "ö": {"sv": 1.0, "de": 0.8, "fi": 0.8, "hu": 0.5, "et": 0.4, "is": 0.4}, "ø": {"da": 1.5, "no": 1.5},
    "æ": {"da": 1.5, "no": 1.0, "is": 1.0}, "ß": {"de": 3.0}, "ü": {"de": 1.0, "hu": 0.4, "et": 0.5},
    "ñ": {"es": 3.0}, "¿": {"es": 3.0}, "ã": {"pt": 2.0}, "õ": {"pt": 1.0, "et": 1.5}, "ç": {"fr": 1.0, "pt": 1.0},
    "ł": {"pl": 3.0}, "ę": {"pl": 2.0, "lt": 1.0}, "ą": {"pl": 1.5, "lt": 1.5}, "ż": {"pl": 3.0}, "ź": {"pl": 2.0},
    "ś": {"pl": 2.0}, "ř": {"cs": 3.0}, "ě": {"cs": 3.0}, "ů": {"cs": 3.0}, "ľ": {"sk": 3.0}, "ĺ": {"sk": 3.0},
    "ô": {"sk": 1.5, "fr": 1.0}, "đ": {"hr": 3.0}, "ő": {"hu": 3.0}, "ű": {"hu": 3.0}, "ș": {"ro": 3.0},
    "ț": {"ro": 3.0}, "ş": {"ro": 2.0}, "ţ": {"ro": 2.0}, "ă": {"ro": 3.0}, "ē": {"lv": 3.0}, "ā": {"lv": 3.0},
    "ī": {"lv": 3.0}, "ņ": {"lv": 3.0}, "ķ": {"lv": 3.0}, "ė": {"lt": 3.0}, "ų": {"lt": 3.0},
    "ū": {"lt": 1.0, "lv": 1.0}, "þ": {"is": 3.0}, "ð": {"is": 3.0},
    "č": {"cs": 0.8, "sk": 0.8, "hr": 0.8, "sl": 0.8, "lt": 0.5}, "ć": {"hr": 2.0, "pl": 1.0},
    "š": {"cs": 0.6, "sk": 0.6, "hr": 0.6, "sl": 0.6, "lt": 0.5, "lv": 0.5, "et": 0.1},
    "ž": {"cs": 0.6, "sk": 0.6, "hr": 0.6, "sl": 0.6, "lt": 0.5, "lv": 0.5},
    "é": {"fr": 0.6, "hu": 0.5, "cs": 0.4, "sk": 0.4, "es": 0.2}, "è": {"fr": 1.0, "it": 0.8},
    "à": {"fr": 0.6, "it": 0.6}, "ù": {"it": 0.5, "fr": 0.3}, "ê": {"fr": 0.8, "pt": 0.6},
}  # fmt: skip


FRACTION = 1 << 20  # weights are whole parts of this
MOST = 4  # times that a small word counts
MOST_LETTERS = 6  # times that a letter counts, …
LETTER = 0.6  # … and what for
FEW_LETTERS = 4  # Greek or Cyrillic ones, that say anything
LOOKED = 3_000  # letters of the text that are looked at
CODES = tuple(_WORDS)
_LANE = 32  # bits of a language in a sum; 300 words of weight 1 need 29


def word_weights() -> dict[str, dict[str, int]]:
    """Return for each small word its weight for each language that has it, in parts of `FRACTION`."""
    sharing = Counter(word for words in _WORDS.values() for word in set(words.split()))
    table: dict[str, dict[str, int]] = {}
    for code, words in _WORDS.items():
        for word in set(words.split()):
            table.setdefault(word, {})[code] = round(FRACTION / sharing[word] ** 0.7)
    return table


SMALL_WORDS = frozenset(word for words in _WORDS.values() for word in words.split())
_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_WEIGHTS = {  # all weights of a word in one number with a lane for each of `CODES`
    word: sum(weight << _LANE * CODES.index(code) for code, weight in weights.items())
    for word, weights in word_weights().items()
}
_LANES = struct.Struct(f"<{len(CODES)}I")


def rank_languages(words: Iterable[str], text: str) -> list[tuple[str, float]]:
    """Score languages by folded ``words`` and by the first letters of the unfolded ``text``.

    The likeliest comes first. Languages without any score are left out.
    """
    weights = _WEIGHTS
    counted = Counter(filter(weights.__contains__, words))
    total = sum([weights[word] * (count if count < MOST else MOST) for word, count in counted.items()])
    lanes = _LANES.unpack(total.to_bytes(_LANES.size, "little"))
    scores = {code: lane / FRACTION for code, lane in zip(CODES, lanes, strict=True)}
    head = text[:LOOKED]
    if not head.isascii():
        lower = strange_letters(head).lower()
        counts = Counter(lower)
        for letter in sorted(LETTERS.keys() & counts.keys()):
            share = min(counts[letter], MOST_LETTERS) * LETTER
            for code, weight in LETTERS[letter].items():
                scores[code] += weight * share
        if max(lower) >= "\u0370":
            greek = len(_GREEK.findall(lower))
            cyrillic = len(_CYRILLIC.findall(lower))
            scores["el"] += greek if greek >= FEW_LETTERS else 0
            scores["bg"] += cyrillic if cyrillic >= FEW_LETTERS else 0
    return sorted([item for item in scores.items() if item[1]], key=lambda item: (-item[1], item[0]))


def best_language(ranked: Sequence[tuple[str, float]]) -> str:
    """Return the likeliest language, or ``und``."""
    return ranked[0][0] if ranked and ranked[0][1] >= 0.6 else UNKNOWN


def reading_languages(ranked: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    """Return the languages whose vocabulary a mail is read with: the likely ones, and English.

    When little can be said, the Nordic ones are added.
    """
    if not ranked or ranked[0][1] < 1.5:
        chosen = {"sv", "en", "da", "no", *(code for code, _ in ranked[:2])}
    else:
        top, most = ranked[0]
        chosen = {top, "en"}
        chosen.update(code for code, score in ranked[1:3] if score >= 0.45 * most)
        if top == "en" and dict(ranked).get("sv", 0.0) >= 1.0:
            chosen.add("sv")
        if top in ("da", "no"):
            chosen.update(("da", "no"))
    return tuple(sorted(chosen))
