# The meanings in the words of a sentence (`vocabulary.find_meanings`, `features.note_meanings`).

cdef struct Hit:
    int32_t concept
    int32_t first
    int32_t last

cdef struct Meant:  # a set of meanings
    uint64_t[SET] bits


cdef inline void put(Meant* meant, int32_t concept) noexcept nogil:
    meant.bits[(concept >> 6) & (SET - 1)] |= <uint64_t>1 << (concept & 63)


cdef inline bint held(const Meant* meant, int32_t concept) noexcept nogil:
    return (meant.bits[(concept >> 6) & (SET - 1)] >> (concept & 63)) & 1


cdef inline bint meet(const Meant* one, const Meant* two) noexcept nogil:
    cdef int place
    for place in range(SET):
        if one.bits[place] & two.bits[place]:
            return True
    return False


cdef inline void join(Meant* one, const Meant* two) noexcept nogil:
    cdef int place
    for place in range(SET):
        one.bits[place] |= two.bits[place]


cdef inline void clear(Meant* meant) noexcept nogil:
    cdef int place
    for place in range(SET):
        meant.bits[place] = 0


cdef int set_of(Meant* meant, concepts) except -1:
    clear(meant)
    for concept in concepts:
        put(meant, concept)
    return 0


cdef struct Cited:
    int32_t article  # its place in `Weights.cited`
    int32_t first
    int32_t last


cdef int articles_near(
    Memory memory, Weights weights, const vector[int32_t]& line, int32_t place, int32_t count, vector[Cited]& found
) except -1:
    """Find the articles that are cited around a word like "article" in the first ``count`` words of a line.

    (`features.article_hits`)
    """
    cdef int32_t end = min(place + 8, count), at, behind, last = <int32_t>weights.article_numbers.size() - 1
    cdef bint marketing
    cdef const Word* word
    for at in range(place + 1, end):
        word = &memory.words[line[at]]
        if word.article >= 0:
            marketing = False
            if word.article == weights.article_21:
                for behind in range(at + 1, min(at + 3, end)):
                    marketing |= (memory.words[line[behind]].flags & MARKETING) != 0
            found.push_back(Cited(last if marketing else word.article, place, at))
        elif word.flags & LONG:
            break
    if place > 0:
        word = &memory.words[line[place - 1]]
        if word.article >= 0:
            found.push_back(Cited(word.article, place - 1, place))
    return 0


@cython.final
cdef class Finder:
    """Finds what a sentence means; the sentence found in last stays to be added up."""

    cdef Memory memory
    cdef Phrases phrases
    cdef Meant ruled, grim
    cdef int32_t spare, threat, otherwise
    cdef vector[int32_t] roots  # of the languages that the mail is read with
    cdef uint64_t languages
    cdef vector[int32_t] nodes  # where phrases go on behind the words of this mail
    cdef vector[int32_t] line  # the words of the sentence
    cdef vector[int32_t] pauses  # before each word, and behind the last: how many pauses up to there
    cdef vector[Hit] hits
    cdef Meant meant  # what the sentence means,
    cdef vector[int32_t] concepts  # and the same as a list

    def __init__(self, vocabulary, Memory memory):
        self.memory, self.phrases = memory, memory.phrases
        set_of(&self.ruled, vocabulary.ruled)
        set_of(&self.grim, vocabulary.grim)
        self.spare, self.threat, self.otherwise = vocabulary.spare, vocabulary.threat, vocabulary.otherwise

    cdef int begin(self, tuple languages) except -1:
        """Begin a mail that is read with these languages."""
        self.roots.clear()
        self.nodes.clear()
        self.languages = 0
        for code in languages:
            root = self.phrases.codes.get(code)
            if root is not None:
                self.roots.push_back(root)
                self.languages |= <uint64_t>1 << <int>root
        return 0

    cdef int read(self, list words, list pauses, bint spoken) except -1:
        """Find what a sentence means."""
        cdef Memory memory = self.memory
        cdef bint keep = spoken or not memory.full()
        cdef size_t words_before = memory.words.size(), atoms_before = memory.atoms.size()
        cdef bint negated = False
        cdef int32_t number
        self.line.clear()
        self.hits.clear()
        clear(&self.meant)
        memory.expect(words)
        for word in words:
            number = memory.number(word, spoken, keep)
            self.line.push_back(number)
            negated |= memory.words[number].flags & NOT
            if spoken:
                fetch(&memory.sums[memory.words[number].row])
                fetch(&memory.sums[memory.words[number].row + LANES // 2])
        self._find()
        if self.hits.size():
            self._pause(pauses)
            if negated:
                self._negate()
            self._note()
        if not keep:
            memory.forget(words_before, atoms_before)
        return 0

    cdef int _find(self) except -1:
        """Find all meanings in the line, in order of their first word."""
        cdef int32_t count = <int32_t>self.line.size(), first, later, place, at, atom, child
        cdef const Word* word
        cdef const Word* following
        for first in range(count):
            if not self.memory.words[self.line[first]].leads & self.languages:
                continue
            self._lead(self.line[first])
            word = &self.memory.words[self.line[first]]
            self._note_first(word, first)
            if first + 1 < count:
                following = &self.memory.words[self.line[first + 1]]
                for at in range(following.atoms, following.atoms + following.atom_count):
                    atom = self.memory.atoms[at]
                    for place in range(word.nodes, word.nodes + word.node_count):
                        child = self.phrases.child(self.nodes[place], atom)
                        if child >= 0:
                            self._enter(child, first, first + 1)
            for place in range(word.nodes, word.nodes + word.node_count):
                if self.phrases.gaps[self.nodes[place]] >= 0:
                    for later in range(first + 1, min(first + 4, count)):
                        self._step(self.phrases.gaps[self.nodes[place]], first, later)
        return 0

    cdef int _lead(self, int32_t number) except -1:
        """Note where the phrases go on that begin with a word, once a mail."""
        cdef Word* word = &self.memory.words[number]
        cdef int32_t root, child, at
        if word.in_finder == self.memory.mail:
            return 0
        word.in_finder = self.memory.mail
        word.nodes = <int32_t>self.nodes.size()
        for root in self.roots:
            for at in range(word.atoms, word.atoms + word.atom_count):
                child = self.phrases.child(root, self.memory.atoms[at])
                if child >= 0:
                    self.nodes.push_back(child)
        word.node_count = <int32_t>self.nodes.size() - word.nodes
        return 0

    cdef int _note_first(self, const Word* word, int32_t first) except -1:
        """Note the meanings of a single word, each once."""
        cdef size_t before = self.hits.size(), at
        cdef int32_t place, node, entry
        cdef bint known
        for place in range(word.nodes, word.nodes + word.node_count):
            node = self.nodes[place]
            for entry in range(self.phrases.starts[node], self.phrases.starts[node + 1]):
                known = False
                for at in range(before, self.hits.size()):
                    known |= self.hits[at].concept == self.phrases.concepts[entry]
                if not known:
                    self.hits.push_back(Hit(self.phrases.concepts[entry], first, first))
        return 0

    cdef int _step(self, int32_t node, int32_t first, int32_t place) except -1:
        """Follow a phrase that began with the word ``first`` to the word ``place``."""
        cdef const Word* word = &self.memory.words[self.line[place]]
        cdef int32_t at, child
        for at in range(word.atoms, word.atoms + word.atom_count):
            child = self.phrases.child(node, self.memory.atoms[at])
            if child >= 0:
                self._enter(child, first, place)
        return 0

    cdef int _enter(self, int32_t node, int32_t first, int32_t place) except -1:
        """Note what ends with the word ``place``, and follow what goes on; goes as deep as the longest phrase."""
        cdef int32_t count = <int32_t>self.line.size(), entry, later, gap = self.phrases.gaps[node]
        for entry in range(self.phrases.starts[node], self.phrases.starts[node + 1]):
            self.hits.push_back(Hit(self.phrases.concepts[entry], first, place))
        if place + 1 < count:
            if self.phrases.grows[node]:
                self._step(node, first, place + 1)
            if gap >= 0:
                for later in range(place + 1, min(place + 4, count)):
                    self._step(gap, first, later)
        return 0

    cdef int _pause(self, list pauses) except -1:
        """Count the pauses up to each word."""
        cdef Py_ssize_t place, size = <Py_ssize_t>self.line.size()
        self.pauses.assign(size + 1, 0)
        for pause in pauses:
            place = pause
            if 0 <= place <= size:
                self.pauses[place] += 1
        for place in range(1, size + 1):
            self.pauses[place] += self.pauses[place - 1]
        return 0

    cdef int _negate(self) except -1:
        """Put *spare* in the place of "delete" and the like where a "not" rules over it (not beyond a comma)."""
        cdef size_t at
        cdef int32_t count = <int32_t>self.line.size(), place
        cdef Hit hit
        for at in range(self.hits.size()):
            hit = self.hits[at]
            if not held(&self.ruled, hit.concept):
                continue
            for place in range(max(hit.first - 3, 0), min(hit.last + 2, count)):
                if (
                    self.memory.words[self.line[place]].flags & NOT
                    and self.pauses[min(place, hit.first)] == self.pauses[max(place, hit.last)]
                ):
                    self.hits[at].concept = self.spare
                    break
        return 0

    cdef int _note(self) except -1:
        """Note what the sentence means; "complain" and the like is a threat beside "otherwise"."""
        cdef size_t at
        self._take_in()
        if held(&self.meant, self.otherwise) and meet(&self.meant, &self.grim):
            for at in range(self.hits.size()):
                if held(&self.grim, self.hits[at].concept):
                    self.hits[at].concept = self.threat
            self._take_in()
        return 0

    cdef int _take_in(self) except -1:
        """Note the meanings of all hits, each once."""
        cdef size_t at
        clear(&self.meant)
        self.concepts.clear()
        for at in range(self.hits.size()):
            if not held(&self.meant, self.hits[at].concept):
                put(&self.meant, self.hits[at].concept)
                self.concepts.push_back(self.hits[at].concept)
        return 0
