# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True, embedsignature=False
# distutils: language = c++
"""The native core: splits and weighs mails as `weighing.PlainWeigher` does, to the last bit, only more quickly.

What is meant stands in the reference: `words.split_sentences`, `vocabulary.find_meanings`, `features.features_of` and
`model.Model`. Names here are theirs. Meanings are found in the order of the reference, and sums of doubles are made in
its order. Mail is not to be trusted: no place is read that was not checked against its bounds, nothing goes deeper than
the phrases of the vocabulary, and what is remembered (single words of at most 40 letters) is bounded.
"""

cimport cython
from cpython.object cimport PyObject
from libc.math cimport exp, fabs, rint
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector

import threading

from inboxbot.sorting import evidence, features, language, words
from inboxbot.sorting.index import GROUPS, MEANING_POWER, WORD_POWER
from inboxbot.sorting.model import ANY, KINDS, TARGETS, Scores
from inboxbot.sorting.model import ZERO as _ZERO
from inboxbot.sorting.vocabulary import LONGEST
from inboxbot.sorting.weighing import KEPT, Weighed
from inboxbot.sorting.words import Sentence

cdef extern from *:
    """
    #ifndef CORE_SOURCE
    #define CORE_SOURCE unknown
    #endif
    #define CORE_QUOTED(text) #text
    #define CORE_TEXT(text) CORE_QUOTED(text)
    static const char* core_source = CORE_TEXT(CORE_SOURCE);
    """
    const char* core_source

SOURCE = core_source.decode()  # the digest of what this was compiled from

cdef enum:
    LANES = 48  # of both layers, at most
    NEAR_LANES = 16  # of the plain layer, at most
    SET = 4  # words of 64 bits that hold a set of meanings
    MOST_WORDS = 50_000  # words remembered, before all are forgotten when the next mail begins
    LONGEST_MAIL = 8_000  # words of it that are spoken
    LAST_STAMP = 2_000_000_000  # mails and sentences counted, before they are counted anew

cdef enum:  # what is to be known of a word
    NOT = 1
    ARTICLE = 2
    MARKETING = 4
    LONG = 8  # no number, and longer than what stands between "Article" and its number
    FIRST = 16  # two words in a row begin with it,
    SECOND = 32  # or end with it
    NEAR = 64  # it stands next to a meaning

cdef int32_t FAR = features.FAR, CLOSE = features.CLOSE, BEFORE = features.BEFORE
cdef int32_t MAX_PAIRS = features.MAX_PAIRS, MOST_HITS = features.MOST_HITS
cdef int32_t MOST_SMALL = language.MOST, MOST_LETTERS = language.MOST_LETTERS, FEW_LETTERS = language.FEW_LETTERS
cdef int32_t LOOKED = language.LOOKED, LOOKED_AT = evidence.LOOKED
cdef double ZERO = _ZERO, FRACTION = language.FRACTION, LETTER = language.LETTER, PLAIN_WORD = evidence.PLAIN_WORD

include "tables.pxi"
include "split.pxi"
include "languages.pxi"
include "phrases.pxi"
include "weights.pxi"
include "memory.pxi"
include "finder.pxi"
include "sums.pxi"
include "spans.pxi"
include "chances.pxi"


@cython.final
cdef class Core:
    """Weighs mails (`weighing.Weigher`); made once from a vocabulary and a model."""

    cdef Languages languages
    cdef Weights weights
    cdef Memory memory
    cdef Finder finder
    cdef Adder adder
    cdef Spans telling
    cdef Chances calibration
    cdef object lock

    def __init__(self, vocabulary, model):
        self.languages = Languages()
        self.weights = Weights(vocabulary, model)
        self.memory = Memory(Phrases(vocabulary), self.weights)
        self.finder = Finder(vocabulary, self.memory)
        self.adder = Adder(vocabulary, self.memory, self.finder)
        self.telling = Spans(self.memory, self.finder)
        self.calibration = Chances(model)
        self.lock = threading.Lock()

    @property
    def remembered(self):
        """How many words are remembered."""
        return self.memory.kept

    def split(self, str text not None, Py_ssize_t limit):
        """Do what `words.split_sentences` does."""
        return split_text(text, limit)

    def rank(self, list words not None, str text not None):
        """Do what `language.rank_languages` does."""
        return self.languages.rank(words, text)

    def weigh(self, reading):
        """Do what `weighing.PlainWeigher.weigh` does."""
        with self.lock:
            return self._weigh(reading)

    def spans(self, reading, sentence, int target):
        """Do what `weighing.PlainWeigher.spans` does; what the sentence means is found once more."""
        with self.lock:
            self.memory.begin()
            self.finder.begin(reading.languages)
            self.finder.read(sentence.words, sentence.pauses, True)
            return self.telling.find(target)

    def chances(self, scores):
        """Do what `model.Model.chances` does."""
        return self.calibration.reckon(scores)

    cdef object _weigh(self, reading):
        cdef list parts = reading.parts, sentences = []
        cdef bint title
        self.memory.begin()
        self.finder.begin(reading.languages)
        self.adder.begin()
        for part in parts:
            if part.role != "context":
                title = part.role == "subject"
                for sentence in part.sentences:
                    self.finder.read(sentence.words, sentence.pauses, True)
                    sentences.append(self.adder.add_spoken(bool(sentence.asks), title))
        for part in parts:
            if part.role == "context":
                for sentence in part.sentences:
                    self.finder.read(sentence.words, sentence.pauses, False)
                    self.adder.add_context()
        return self.adder.weighed(reading.shape, sentences)
