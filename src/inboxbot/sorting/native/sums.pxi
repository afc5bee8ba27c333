# The features of a mail and of its sentences, added up (`features.features_of`, `model.Model.score` and `scores`).

cdef struct Found:  # a feature that is to be counted
    int32_t number
    bint word  # of words, not of meaning
    bint own  # for its sentence as well, not only for the mail


cdef struct Sum:  # of a mail or of a sentence
    Lanes words
    Lanes meanings
    int32_t different  # words
    Meant meant


cdef double PARTS = 10.0**KEPT


cdef double rounded(double value) except? -1.0:
    """Return what ``round(value, KEPT)`` gives: a whole number of parts, divided once.

    When the product is not near a half, the whole number next to it is next to the exact product too.
    """
    cdef double parts = value * PARTS, whole = rint(parts)
    if fabs(parts) < 1e9 and fabs(parts - whole) < 0.4999:
        return whole / PARTS
    return round(<object>value, KEPT)


cdef list rounded_all(const vector[double]& values):
    cdef size_t place
    return [rounded(values[place]) for place in range(values.size())]


def word_factor(count):
    """Return what a feature of words counts for (`Model._factors`)."""
    return 1.0 / max(count, 1) ** WORD_POWER


cdef int size_of(const Meant* meant) noexcept nogil:
    """Return how many meanings a set holds."""
    cdef int count = 0, place
    cdef uint64_t bits
    for place in range(SET):
        bits = meant.bits[place]
        while bits:
            bits &= bits - 1
            count += 1
    return count


@cython.final
cdef class Adder:
    """Counts every feature once a sentence and once a mail, and adds up its weights."""

    cdef Weights weights
    cdef Memory memory
    cdef Finder finder
    cdef Meant telling, bland, wishes
    cdef uint32_t sentence
    cdef Sum whole, single
    cdef vector[Found] found  # features to be counted
    cdef Meant quoted
    cdef vector[double] best  # of the sentences; empty: none is telling
    cdef vector[int32_t] known  # numbers of words
    cdef vector[uint8_t] cited  # for each article
    cdef vector[double] word_factors, meaning_factors

    def __init__(self, vocabulary, Memory memory, Finder finder):
        self.weights, self.memory, self.finder = memory.weights, memory, finder
        set_of(&self.telling, vocabulary.telling)
        set_of(&self.bland, vocabulary.bland)
        set_of(&self.wishes, vocabulary.wishes)
        for number in range(2_000):
            self.word_factors.push_back(word_factor(number))
        for number in range(64 * SET + 1):
            self.meaning_factors.push_back(1.0 / max(number, 1) ** MEANING_POWER)

    cdef int begin(self) except -1:
        """Begin a mail."""
        cdef size_t place
        if self.memory.mail < self.sentence:  # numbers began anew
            for place in range(self.weights.rows.size()):
                self.weights.rows[place].mail = self.weights.rows[place].sentence = 0
        self.sentence = self.memory.mail
        memset(&self.whole, 0, sizeof(Sum))
        clear(&self.quoted)
        self.best.clear()
        self.found.clear()
        self.known.clear()
        self.cited.assign(len(self.weights.cited), 0)
        return 0

    cdef object add_spoken(self, bint asks, bint title):
        """Add the sentence that was read last to the mail; return its own sums, or None when it tells nothing."""
        cdef bint own = meet(&self.finder.meant, &self.telling)
        cdef vector[double] sums
        cdef int lane
        self.memory.stamp += 1
        self.sentence = self.memory.stamp
        if own:
            memset(&self.single, 0, sizeof(Sum))
            self.single.meant = self.finder.meant
        self._add_words(own)
        if self.finder.hits.size():
            self._add_meanings(asks, title, own)
            self._add_near(own)
        self._add_found()
        join(&self.whole.meant, &self.finder.meant)
        if not own:
            return None
        self._reckon(&self.single, self.weights.near, sums)
        if self.best.empty():
            self.best = sums
        for lane in range(self.weights.near):
            if sums[lane] > self.best[lane]:
                self.best[lane] = sums[lane]
        return sums

    cdef int add_context(self) except -1:
        """Note what a sentence means that was not said to us."""
        join(&self.quoted, &self.finder.meant)
        return 0

    cdef inline int _add(self, int32_t number, bint word, bint own) except -1:
        """Note a feature that is to be counted with the sentence; -1 is none."""
        if number >= 0:
            fetch(&self.weights.rows[number])
            self.found.push_back(Found(number, word, own))
        return 0

    cdef int _add_found(self) except -1:
        """Count the features that were noted."""
        cdef size_t at
        for at in range(self.found.size()):
            self._add_now(self.found[at].number, self.found[at].word, self.found[at].own)
        self.found.clear()
        return 0

    cdef inline void _add_now(self, int32_t number, bint word, bint own) noexcept nogil:
        """Add up a feature unless it was counted in this sentence, or in this mail."""
        cdef Row* row = &self.weights.rows[number]
        cdef Lanes* to
        if own and row.sentence != self.sentence:
            row.sentence = self.sentence
            to = &self.single.words if word else &self.single.meanings
            to.rows += 1
            add_near(&row.lanes[0], to.lanes)
        if row.mail != self.memory.mail:
            row.mail = self.memory.mail
            to = &self.whole.words if word else &self.whole.meanings
            to.rows += 1
            add_all(&row.lanes[0], to.lanes)

    cdef int _add_words(self, bint own) except -1:
        """Add the words of the sentence, their letter groups, and every two words in a row."""
        cdef int32_t before = self.weights.start, number
        cdef uint32_t first = FIRST
        cdef Word* word
        for number in self.finder.line:
            word = &self.memory.words[number]
            if own and word.in_sentence != self.sentence:
                word.in_sentence = self.sentence
                self.single.different += 1
                self.single.words.rows += word.rows
                add_near(&self.memory.sums[word.row], self.single.words.lanes)
            if word.in_mail != self.memory.mail:
                word.in_mail = self.memory.mail
                self.whole.different += 1
                self.whole.words.rows += word.rows
                add_all(&self.memory.sums[word.row], self.whole.words.lanes)
                if word.known >= 0 and self.weights.numbers[word.known] >= 0:
                    self.known.push_back(self.weights.numbers[word.known])
            if first and word.flags & SECOND:
                self._add_bigram(before, word.known, own)
            before = word.known
            first = word.flags & FIRST
        if first:
            self._add_bigram(before, self.weights.end, own)
        return 0

    cdef inline int _add_bigram(self, int32_t first, int32_t second, bint own) except -1:
        return self._add(self.weights.bigrams.find(first, second), True, own)

    cdef int _add_meanings(self, bint asks, bint title, bint own) except -1:
        """Add what the sentence means, and the articles it cites (`features._meant`)."""
        cdef int32_t concept
        cdef size_t place
        cdef Hit opening = self.finder.hits[0]
        for concept in self.finder.concepts:
            self._add(self.weights.concepts[concept], False, own)
            if title:
                self._add(self.weights.titles[concept], False, own)
            if held(&self.wishes, concept):
                self._add(self.weights.wishes[concept], False, own)
            if asks:
                self._add(self.weights.asked[concept], False, own)
        if opening.first == 0:
            self._add(self.weights.opening[opening.concept], False, own)
        for place in range(self.finder.line.size()):
            if self.memory.words[self.finder.line[place]].flags & ARTICLE:
                self._add_articles(<int32_t>place, own)
        return 0

    cdef int _add_articles(self, int32_t place, bint own) except -1:
        """Add the articles that are cited around a word like "article"."""
        cdef int32_t number
        cdef Cited cited
        cdef vector[Cited] found
        articles_near(self.memory, self.weights, self.finder.line, place, <int32_t>self.finder.line.size(), found)
        for cited in found:
            number = self.weights.article_numbers[cited.article]
            if number >= 0:
                self.cited[cited.article] = True
                self._add(number, False, own)
        return 0

    cdef int _add_near(self, bint own) except -1:
        """Add what stands next to each meaning: words, and other meanings (`features._met`)."""
        cdef int32_t count = <int32_t>min(self.finder.hits.size(), <size_t>MOST_HITS), place, other
        cdef int32_t low, high, meanings = self.weights.meanings
        cdef Hit hit, later
        for place in range(count):
            hit = self.finder.hits[place]
            if not held(&self.bland, hit.concept):
                self._add_words_near(hit, own)
            for other in range(place + 1, min(place + 1 + MAX_PAIRS, count)):
                later = self.finder.hits[other]
                if later.first > hit.last + FAR:
                    break
                if later.concept != hit.concept:
                    low, high = min(hit.concept, later.concept), max(hit.concept, later.concept)
                    self._add(self.weights.pairs[low * meanings + high], False, own)
                if hit.last < later.first <= hit.last + CLOSE:
                    self._add(self.weights.followed[hit.concept * meanings + later.concept], False, own)
        return 0

    cdef int _add_words_near(self, Hit hit, bint own) except -1:
        cdef int32_t count = <int32_t>self.finder.line.size(), place
        cdef const Word* word
        if hit.first == 0:
            self._add(self.weights.before.find(hit.concept, self.weights.start), False, own)
        else:
            if self.finder.pauses[hit.first] != self.finder.pauses[hit.first - 1]:
                self._add(self.weights.before.find(hit.concept, self.weights.comma), False, own)
            for place in range(max(hit.first - BEFORE, 0), hit.first):
                word = &self.memory.words[self.finder.line[place]]
                if word.flags & NEAR:
                    self._add(self.weights.before.find(hit.concept, word.known), False, own)
        for place in range(hit.last + 1, min(hit.last + 1 + CLOSE, count)):
            word = &self.memory.words[self.finder.line[place]]
            if word.flags & NEAR:
                self._add(self.weights.behind.find(hit.concept, word.known), False, own)
        return 0

    cdef int _reckon(self, const Sum* total, int width, vector[double]& sums) except -1:
        """Reckon the sums of the first lanes, in the order of `model._Layer.sums`."""
        cdef double word, meaning, less, value
        cdef int lane
        word = self.word_factors[total.different] if total.different < 2_000 else word_factor(total.different)
        meaning = self.meaning_factors[size_of(&total.meant)]
        less = ZERO * (total.words.rows * word + total.meanings.rows * meaning)
        sums.clear()
        for lane in range(width):
            value = total.words.lanes[lane] * word + total.meanings.lanes[lane] * meaning - less
            sums.push_back(self.weights.bias[lane] + self.weights.steps[lane] * value)
        return 0

    cdef object weighed(self, set shape, list sentences):
        """Return what the mail weighs."""
        cdef vector[double] whole, deep
        cdef int32_t concept, near = self.weights.near, lane, unit
        cdef double value
        cdef list known
        for concept in range(self.weights.meanings):
            if held(&self.quoted, concept):
                self._add(self.weights.context[concept], False, False)
        for name in shape:
            self._add(self.weights.shape.get(name, -1), False, False)
        self._add_found()
        self._reckon(&self.whole, self.weights.width, whole)
        deep.assign(whole.begin() + near, whole.begin() + 2 * near)
        for unit in range(self.weights.width - 2 * near):
            value = whole[2 * near + unit]
            if value > 0.0:
                for lane in range(near):
                    deep[lane] += value * self.weights.out[unit * near + lane]
        whole.resize(near)
        if self.best.empty():
            self.best = whole
        sort(self.known.begin(), self.known.end())
        known = self.known
        return Weighed(
            Scores(whole, self.best, deep),
            tuple(rounded_all(whole) + rounded_all(self.best) + rounded_all(deep)),
            sentences,
            frozenset([concept for concept in range(self.weights.meanings) if held(&self.whole.meant, concept)]),
            frozenset([name for name, cited in zip(self.weights.cited, self.cited) if cited]),
            tuple(known),
        )
