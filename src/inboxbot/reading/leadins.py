"""Words by which mail programs introduce quoted and forwarded text, signatures and footers, folded (see `segments`).

Lists, not patterns: each is looked for by plain comparison, so that no text can make the scanner slow.
"""

from __future__ import annotations

FROM_NAMES = frozenset(
    {"fran", "from", "von", "fra", "de", "da", "van", "lahettaja", "od", "avsandare", "expediteur", "mittente"}
)
SENT_NAMES = frozenset(
    {
        "skickat", "sent", "gesendet", "sendt", "date", "datum", "dato", "lahetetty", "envoye", "enviado", "inviato",
        "verzonden", "wyslano", "data", "fecha", "paivays", "paivamaara", "enviada", "enviada em", "enviado em",
        "enviado el", "odeslano", "wyslane", "sent on", "envoye le",
    }
)  # fmt: skip
TO_NAMES = frozenset(
    {
        "till", "to", "an", "til", "a", "para", "aan", "do", "vastaanottaja", "komu", "kopia", "cc", "kopi", "copie",
        "svar till", "reply-to", "destinataire", "destinatario",
    }
)  # fmt: skip
SUBJECT_NAMES = frozenset(
    {"amne", "subject", "betreff", "emne", "aihe", "objet", "asunto", "oggetto", "onderwerp", "temat", "assunto",
     "predmet"}
)  # fmt: skip

WRITE_VERBS = (
    " skrev", " wrote", " schrieb", " kirjoitti", " a ecrit", " escribio", " ha scritto", " schreef", " napisal",
    " escreveu", " napsal", " scrisse", " irta", " napisao", " a scris", " εγραψε", " έγραψε",
)  # fmt: skip
ATTRIBUTION_STARTS = (
    "den ", "in data ", "on ", "am ", "le ", "el ", "il ", "op ", "w dniu ", "em ", "dne ", "dnia ", "fredag",
    "mandag", "tisdag",
    "tirsdag", "onsdag", "torsdag", "lordag", "sondag", "tors", "tis", "ons", "man ", "fre ", "lor ", "son ", "man.",
    "tir.", "ons.", "tor.", "fre.", "lor.", "son.", "pa ", "ke ", "ma ", "ti ", "to ", "pe ", "la ", "su ", "mon",
    "tue", "wed", "thu", "fri", "sat", "sun", "vid ", "kl.", "kl ", "maanantai", "tiistai", "keskiviikko", "torstai",
    "perjantai", "lauantai", "sunnuntai", "gio ", "lun", "mar", "mer", "jeu", "ven", "sam", "dim", "v ",
)  # fmt: skip

ORIGINAL_MARKS = (
    "ursprungligt meddelande", "originalmeddelande", "original message", "original-nachricht",
    "ursprungliche nachricht", "originalnachricht", "oprindelig meddelelse", "oprindelig besked",
    "original meddelelse",
    "opprinnelig melding", "alkuperainen viesti", "message d'origine", "message original", "mensaje original",
    "messaggio originale", "oorspronkelijk bericht", "wiadomosc oryginalna", "oryginalna wiadomosc",
    "mensagem original", "puvodni zprava", "reply message", "reply above this line", "svara ovanfor denna rad",
)  # fmt: skip
FORWARD_MARKS = (
    "vidarebefordrat meddelande", "vidarebefordrat brev", "vidarebefordrat mejl", "vidarebefordrat mail",
    "vidarebefordrat e-postmeddelande", "borjan pa vidarebefordrat", "borja vidarebefordrat",
    "start pa vidarebefordrat",
    "forwarded message", "begin forwarded message", "forwarded by", "forwarded mail", "forwarded email",
    "weitergeleitete nachricht", "anfang der weitergeleiteten", "beginn der weitergeleiteten", "weitergeleitet von",
    "videresendt meddelelse", "videresendt besked", "start pa videresendt", "videresendt melding", "videresendt mail",
    "videresendt e-post", "valitetty viesti", "edelleenlahetetty viesti", "valitetty sahkoposti",
    "lahetetty edelleen",
    "message transfere", "debut du message", "message reexpedie", "mensaje reenviado", "inicio del mensaje reenviado",
    "messaggio inoltrato", "inizio messaggio inoltrato", "doorgestuurd bericht", "begin doorgestuurd",
    "wiadomosc przekazana", "przekazana wiadomosc", "przekazywana wiadomosc", "mensagem encaminhada",
    "inicio da mensagem", "preposlana zprava", "zacatek preposlane",
)  # fmt: skip

PHONE_SIGNATURES = (
    "skickat fran min", "skickat fran mitt", "skickat fran outlook", "skickat fran e-post", "skickat fran yahoo",
    "skickat fran proton", "skickat fran gmail", "skickat med", "skickat via",
    "skickad fran min", "hamta outlook", "sant fran min", "sent from my", "sent from outlook", "sent from mail",
    "sent from yahoo", "sent from proton", "sent from gmail", "sent from an", "sent via", "sent with", "get outlook",
    "download outlook",
    "von meinem", "gesendet von mein", "gesendet von outlook", "gesendet mit", "diese nachricht wurde von meinem",
    "sendt fra min",
    "sendt fra outlook", "sendt fra mit", "hent outlook", "fa outlook", "lahetetty iphone", "lahetetty puhelim",
    "lahetetty androi", "lahetetty samsung", "hanki outlook", "envoye de mon", "envoye depuis", "envoye a partir",
    "obtenez outlook",
    "enviado desde mi", "enviado desde", "enviado do meu", "enviado a partir", "obtener outlook", "inviato da",
    "verzonden vanaf mijn", "verstuurd vanaf", "wyslane z", "wyslano z", "odeslano z", "obtenha o outlook",
    "virusfri.", "virus-free.",
)  # fmt: skip

SIGN_OFFS = (
    "med vanlig halsning", "med vanliga halsningar", "vanliga halsningar", "vanlig halsning", "mvh", "mvh.", "m v h",
    "halsningar", "basta halsningar", "hogaktningsfullt", "vanligen", "med halsning", "m.v.h",
    "kind regards", "best regards", "regards", "best wishes", "yours sincerely", "yours faithfully", "sincerely",
    "kindest regards", "warm regards", "yours truly", "mit freundlichen grussen", "mit freundlichen grusen",
    "freundliche grusse", "freundliche gruse", "viele gruse", "viele grusse", "mfg", "med venlig hilsen",
    "venlig hilsen", "med vennlig hilsen", "vennlig hilsen", "mvh", "hilsen", "ystavallisin terveisin", "terveisin",
    "cordialement", "bien cordialement", "un cordial saludo", "saludos", "atentamente", "cordiali saluti",
    "distinti saluti", "met vriendelijke groet", "z powazaniem", "pozdrawiam", "atenciosamente", "cumprimentos",
    "com os melhores cumprimentos", "s pozdravem",
)  # fmt: skip

FOOTER_STARTS = (
    "detta meddelande ar konfidentiellt", "detta meddelande och", "detta mejl och eventuella", "detta mail och",
    "detta e-postmeddelande", "detta meddelande kan innehalla", "detta meddelande innehaller", "denna e-post",
    "informationen i detta", "innehallet i detta", "sekretessmeddelande", "konfidentialitet",
    "om du inte ar ratt mottagare",
    "om du inte ar avsedd mottagare", "tank pa miljon", "nar du kontaktar oss behandlar",
    "nar du skickar e-post till",
    "vi behandlar dina personuppgifter", "vi behandlar personuppgifter i enlighet", "personuppgifter som du lamnar",
    "information om hur vi behandlar", "las om hur vi behandlar", "las mer om hur vi behandlar", "sa behandlar vi",
    "dina personuppgifter behandlas", "for information om hur", "var integritetspolicy", "las var integritetspolicy",
    "this e-mail and any", "this email and any", "this message and any", "this e-mail is confidential",
    "this email is confidential", "this message is confidential", "this e-mail may contain", "this email may contain",
    "this message may contain", "this message contains", "this email contains", "this e-mail contains",
    "the information contained in this", "the information in this", "the contents of this e",
    "confidentiality notice",
    "confidential:", "disclaimer", "if you are not the intended recipient", "if you have received this",
    "please consider the environment", "for information about how we process", "for information on how we process",
    "we process personal data in accordance", "read our privacy", "privacy notice:", "legal notice",
    "diese e-mail enthalt", "diese nachricht enthalt", "diese e-mail und", "der inhalt dieser", "vertraulichkeit",
    "haftungsausschluss", "informationen zum datenschutz", "hinweise zum datenschutz", "unsere datenschutz",
    "denne e-mail", "denne mail", "denne e-posten", "denne e-post", "denne meddelelse", "denne eposten",
    "tama viesti", "tama sahkoposti", "ce message et", "ce message est confidentiel", "ce courriel", "cet e-mail",
    "este mensaje", "este correo", "questo messaggio", "il presente messaggio", "le informazioni contenute",
    "dit bericht", "deze e-mail", "niniejsza wiadomosc", "tato zprava", "esta mensagem", "esta message",
)  # fmt: skip
LIST_FOOTERS = (
    "du far detta mejl for att du", "du far detta mejl eftersom du", "du far det har mejlet",
    "du far detta mail for att du",
    "du far detta mail eftersom du", "du far detta nyhetsbrev", "du far detta utskick",
    "du far det har brevet for att du",
    "detta nyhetsbrev skickades", "detta mejl skickades till", "vill du inte langre fa",
    "vill du inte ha fler", "avregistrera dig har", "avprenumerera har",
    "klicka har for att avregistrera", "for att avregistrera dig", "hantera dina preferenser",
    "you are receiving this", "you received this email because you", "you received this message because you",
    "you're receiving this", "this email was sent to", "this e-mail was sent to", "this newsletter was sent",
    "to unsubscribe from this", "to unsubscribe, ", "to unsubscribe click", "unsubscribe here",
    "unsubscribe from this list", "if you no longer wish to receive",
    "if you do not wish to receive", "if you don't want to receive", "if you'd rather not receive",
    "manage your preferences",
    "update your preferences", "view this email in your browser", "sie erhalten diese e-mail",
    "sie erhalten diesen newsletter",
    "wenn sie diese e-mail", "du modtager denne", "du mottar denne", "du far denne e-post",
    "sait taman viestin", "saat taman", "vous recevez ce",
    "pour vous desabonner", "has recibido este", "recibes este", "para darte de baja", "hai ricevuto questa",
    "ricevi questa", "per cancellarti", "je ontvangt deze", "u ontvangt deze", "otrzymujesz te", "recebeu este",
    "_______________________________________________",
)  # fmt: skip
# Somebody who has a wish made by another: no company's notice speaks of one.
ABSENT = frozenset(
    {
        "hans", "hennes", "honom", "henne", "hon", "han", "his", "him", "he", "she", "hendes", "hende", "hun",
        "hanen", "hanet", "hanta", "ihm", "klient", "klienten", "klientens", "client", "client's", "huvudman",
        "huvudmannen", "huvudmannens", "mandant", "mandanten", "mandantin", "fullmaktsgiver", "fuldmagtsgiver",
        "vedkommende", "kayttajamme", "mandat", "mandato", "fullmakt", "fuldmagt", "vollmacht", "valtakirja",
    }
)  # fmt: skip
# Who wishes something: a paragraph with one of these, or of the absent, is no company's notice.
WISHING = ABSENT | frozenset(
    {
        "jag", "mig", "mej", "min", "mitt", "mina", "undertecknad", "me", "my", "mine", "i'm", "jeg", "meg", "mit",
        "ich", "mich", "mir", "mein", "meine", "meiner", "meinen", "minun", "minua", "haluan", "pyydan", "je", "mon",
        "mes", "ma", "mi", "mis", "mio", "miei", "ik", "mijn", "pyydamme", "vaadimme", "begar", "yrkar", "kraver",
        "yrkas", "krever", "kraevet", "ersuchen", "ersucht", "fordern", "verlangen", "verlangt", "request", "requests",
        "please", "vanligen", "snalla", "her",
    }
)  # fmt: skip
# Said to whoever reads, by who sends to many: rights of "you", "we process", "not for you".
NOTICE_PHRASES = (
    "du har ratt", "har du ratt", "din ratt", "dina ratt", "dina personuppgift", "dina uppgift", "ditt namn", "du kan ",
    "kan du ", "rattigheter", "las mer", "vi behandlar", "behandlar person", "ansvarig for", "ansvarar for",
    "var webb", "webbplats", "hemsida", "kontakta dataskydd", "till dataskydd", "konfidentiell", "sekretess", "avsedd",
    "avsett", "adressat", "fel mottagare", "ratt mottagare", "av misstag", "fragor om", "allman handling",
    "du prenumererar", "fler mejl", "fler mail", "fler utskick", "klagomal lamnas", "radera efter",
    "you have the right", "you may ", "you can ", "your rights", "your right to", "your personal data",
    "your personal information", "subjects have the right", "subjects may", "we process", "processes personal",
    "handles personal", "responsible for the processing", "confidential", "intended", "in error", "wrongly",
    "website", " our privacy", "to this office", "wishing to", "to unsubscribe", "unsubscribe |", "popia notice",
    "du har ret", "din ret", "dine personop", "dine oplysn", "dine opplysn", "vi behandler", "behandler person",
    "fortrolig", "retten modtager", "rette modtager", "rette mottaker", "ved en feil", "hjemmeside", "nettside",
    "personvernombud", "konfidensiell", "onsker du",
    "haben sie das recht", "sie haben das recht", "ihre daten", "ihrer daten", "ihre personenbez", "ihre angaben",
    "ihre einwilligung", "ihnen stehen", "vertraulich", "irrtumlich", "der adressat", "datenschutzhinweis",
    "sinulla on", "sinun", "voit ", "tietojesi", "tietosi", "tietoihisi", "kasittelemme", "luottamuksel",
    "vahingossa", "tietosuojaselost",
    "vous pouvez", "vos droits", "vos donnees", "confidentiel", "sus derechos", "sus datos", "confidencial",
    "i suoi diritti", "i suoi dati", "riservat", "uw gegevens", "uw rechten", "vertrouwelijk",
    " | ",
)  # fmt: skip
NOTICE_STEMS = (
    "personuppgift", "dataskydd", "gdpr", "behandla", "konfidenti", "sekretess", "integritetspolicy", "mottagar",
    "avsedd",
    "registerutdrag", "artikel", "rattslig", "lagringstid", "avregistrera", "prenumer", "utskick", "tystnadsplikt",
    "personal", "privacy", "confidential", "intended", "recipient", "process", "processing", "legal", "unsubscribe",
    "newsletter", "disclos", "personoplysning", "personopplysning", "fortrolig", "modtager", "mottaker", "databeskyt",
    "personvern", "personenbezogen", "datenschutz", "vertraulich", "empfanger", "dsgvo", "tietosuoja", "henkilotie",
    "luottamuksel", "vastaanottaj", "donnees", "confidentiel", "destinataire", "rgpd", "klagomal", "dataombud",
)  # fmt: skip
