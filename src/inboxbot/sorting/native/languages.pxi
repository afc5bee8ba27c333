# Which languages a mail may be written in (`language.rank_languages`).

cdef extern from "Python.h":
    Py_UCS4 Py_UNICODE_TOLOWER(Py_UCS4) nogil  # one letter for one: of the two that "İ" becomes, none tells anything

cdef struct Share:  # of a small word or a letter: what it weighs for a language
    int32_t code
    double weight


cdef struct Ranked:
    double score
    int32_t code


cdef bint likelier(const Ranked& one, const Ranked& two) noexcept nogil:
    return one.score > two.score or (one.score == two.score and one.code < two.code)


@cython.final
cdef class Languages:
    """Small words and telling letters, and what each weighs. Weights of words are whole numbers, so sums are exact."""

    cdef tuple codes  # in alphabetical order
    cdef dict places  # of small words
    cdef vector[Share] words, letters
    cdef vector[int32_t] word_starts, letter_starts  # shares begin at a start and end where the next ones begin
    cdef vector[int32_t] letter_places  # by letter, or -1
    cdef int32_t greek, cyrillic

    def __init__(self):
        cdef dict numbers
        cdef list letters = sorted(language.LETTERS)
        self.codes = tuple(sorted(language.CODES))
        numbers = {code: number for number, code in enumerate(self.codes)}
        self.greek, self.cyrillic = numbers["el"], numbers["bg"]
        self.places = {}
        self.word_starts.push_back(0)
        for word, weights in language.word_weights().items():
            self.places[word] = len(self.places)
            for code, weight in weights.items():
                self.words.push_back(Share(numbers[code], weight))
            self.word_starts.push_back(<int32_t>self.words.size())
        self.letter_places.assign(ord(max(letters)) + 1, -1)
        self.letter_starts.push_back(0)
        for number, letter in enumerate(letters):
            self.letter_places[ord(letter)] = number
            for code, weight in language.LETTERS[letter].items():
                self.letters.push_back(Share(numbers[code], weight))
            self.letter_starts.push_back(<int32_t>self.letters.size())

    cdef list rank(self, list words, str text):
        """Return the languages that have any score, the likeliest first."""
        cdef vector[uint8_t] counts
        cdef vector[double] scores
        cdef vector[Ranked] ranked
        cdef int32_t place, at
        counts.assign(len(self.places), 0)
        scores.assign(len(self.codes), 0.0)
        for word in words:
            place = self.places.get(word, -1)
            if place >= 0 and counts[place] < MOST_SMALL:
                counts[place] += 1
                for at in range(self.word_starts[place], self.word_starts[place + 1]):
                    scores[self.words[at].code] += self.words[at].weight
        for place in range(<int32_t>scores.size()):
            scores[place] /= FRACTION
        self._add_letters(text, scores)
        for place in range(<int32_t>scores.size()):
            if scores[place] != 0.0:
                ranked.push_back(Ranked(scores[place], place))
        sort(ranked.begin(), ranked.end(), &likelier)
        return [(self.codes[ranked[at].code], ranked[at].score) for at in range(<int32_t>ranked.size())]

    cdef int _add_letters(self, str text, vector[double]& scores) except -1:
        """Add what the letters say, in the order of the letters, as the reference does."""
        cdef vector[int32_t] counts
        cdef int32_t greek = 0, cyrillic = 0, place, code
        cdef size_t at, share
        cdef double times
        cdef Py_UCS4 letter
        if text.isascii():
            return 0
        counts.assign(self.letter_starts.size() - 1, 0)
        for place in range(<int32_t>min(len(text), LOOKED)):
            letter = text[place]
            if letter < 128:
                continue
            letter = Py_UNICODE_TOLOWER(letter)
            if <size_t>letter < self.letter_places.size():
                code = self.letter_places[letter]
                if code >= 0:
                    counts[code] += 1
            if 0x370 <= letter <= 0x3FF or 0x1F00 <= letter <= 0x1FFF:
                greek += 1
            elif 0x400 <= letter <= 0x4FF:
                cyrillic += 1
        for at in range(counts.size()):
            if counts[at]:
                times = min(counts[at], MOST_LETTERS) * LETTER
                for share in range(self.letter_starts[at], self.letter_starts[at + 1]):
                    scores[self.letters[share].code] += self.letters[share].weight * times
        if greek >= FEW_LETTERS:
            scores[self.greek] += greek
        if cyrillic >= FEW_LETTERS:
            scores[self.cyrillic] += cyrillic
        return 0
