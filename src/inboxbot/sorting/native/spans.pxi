# The words of a sentence that speak for a target (`evidence.find_spans`).

cdef struct Span:
    double worth
    int32_t first
    int32_t last


cdef bint weightier(const Span& one, const Span& two) noexcept nogil:
    if one.worth != two.worth:
        return one.worth > two.worth
    return one.first < two.first or (one.first == two.first and one.last < two.last)


@cython.final
cdef class Spans:
    """Finds the telling expressions of the sentence that was read last."""

    cdef Weights weights
    cdef Memory memory
    cdef Finder finder
    cdef vector[Span] found

    def __init__(self, Memory memory, Finder finder):
        self.weights, self.memory, self.finder = memory.weights, memory, finder

    cdef list find(self, int target):
        """Return all of any worth, the weightiest first."""
        cdef size_t at
        cdef int32_t place, number, count = <int32_t>min(self.finder.line.size(), <size_t>LOOKED_AT)
        if not 0 <= target < self.weights.near:
            raise ValueError("there is no such target")
        self.found.clear()
        self._add_hits(count, target)
        for place in range(count):
            if self.memory.words[self.finder.line[place]].flags & ARTICLE:
                self._add_articles(place, count, target)
        for place in range(count):
            number = self.memory.words[self.finder.line[place]].known
            if number >= 0:
                self._add(PLAIN_WORD * self._weight(self.weights.numbers[number], target), place, place)
        sort(self.found.begin(), self.found.end(), &weightier)
        return [(self.found[at].worth, self.found[at].first, self.found[at].last) for at in range(self.found.size())]

    cdef inline double _weight(self, int32_t number, int target) noexcept nogil:
        """Return the plain layer's weight of a feature; of -1 nothing."""
        if number < 0:
            return 0.0
        return (<int>self.weights.rows[number].lanes[target] - <int>ZERO) * self.weights.steps[target]

    cdef inline int _add(self, double worth, int32_t first, int32_t last) except -1:
        if worth > 0:
            self.found.push_back(Span(worth, first, last))
        return 0

    cdef int _add_hits(self, int32_t count, int target) except -1:
        """Add the meanings among the first ``count`` words; the weight of a pair is shared by the two."""
        cdef vector[Hit] hits
        cdef vector[double] worth
        cdef Hit hit, later
        cdef int32_t number, meanings = self.weights.meanings, low, high
        cdef size_t place, other
        cdef double value
        for hit in self.finder.hits:
            if hit.last < count:
                hits.push_back(hit)
                value = self._weight(self.weights.concepts[hit.concept], target)
                worth.push_back(value + self._weight(self.weights.wishes[hit.concept], target))
        for place in range(hits.size()):
            hit = hits[place]
            for other in range(place + 1, min(place + <size_t>MAX_PAIRS, hits.size())):
                later = hits[other]
                if later.first - hit.last > FAR:
                    break
                low, high = min(hit.concept, later.concept), max(hit.concept, later.concept)
                number = self.weights.pairs[low * meanings + high] if low != high else -1
                if number >= 0:
                    value = self._weight(number, target) / 2
                    worth[place] += value
                    worth[other] += value
        for place in range(hits.size()):
            self._add(worth[place], hits[place].first, hits[place].last)
        return 0

    cdef int _add_articles(self, int32_t place, int32_t count, int target) except -1:
        """Add the articles that are cited around a word like "article" among the first ``count`` words."""
        cdef Cited cited
        cdef vector[Cited] found
        articles_near(self.memory, self.weights, self.finder.line, place, count, found)
        for cited in found:
            self._add(self._weight(self.weights.article_numbers[cited.article], target), cited.first, cited.last)
        return 0
