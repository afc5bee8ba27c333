# Words that were met: what they can mean, and the sums of their rows (`vocabulary.Memo`, `model._Words`).

cdef struct Word:
    int32_t known  # its place in `Weights.known`, or -1
    int32_t atoms  # its phrase words: the first of them in `Memory.atoms`, and how many
    int32_t atom_count
    int32_t row  # its lanes in `Memory.sums`, or -1: never spoken yet
    int32_t rows  # how many rows they are of
    int32_t article  # its place in `Weights.cited`, or -1
    uint32_t flags
    uint32_t in_mail  # the mail and the sentence that it was last counted in
    uint32_t in_sentence
    int32_t nodes  # where its phrases go on: the first of the nodes in `Finder.nodes`, and how many,
    int32_t node_count
    uint32_t in_finder  # in this mail
    uint64_t leads  # the languages in which it begins a phrase


@cython.final
cdef class Memory:
    """Words by number. Numbers hold until the next mail begins.

    Remembered are single words of up to `LONGEST` letters. Longer ones, and words that are only quoted when there are
    too many, are forgotten with the mail.
    """

    cdef Phrases phrases
    cdef Weights weights
    cdef vector[Word] words
    cdef vector[int32_t] atoms
    cdef vector[uint16_t] sums  # for each word that was spoken a number for each lane: at most 46 bytes added up
    cdef dict kept, passing
    cdef vector[Py_UCS4] letters  # of the word at hand
    cdef Py_ssize_t longest
    cdef uint32_t stamp  # counts mails and sentences: what bears the newest number was met in this one
    cdef uint32_t mail

    def __init__(self, Phrases phrases, Weights weights):
        self.phrases, self.weights = phrases, weights
        self.kept, self.passing = {}, {}
        self.longest = LONGEST
        self.stamp = self.mail = 0

    cdef int begin(self) except -1:
        """Begin a mail: forget what is not to be remembered, and everything when it is too much."""
        self.passing.clear()
        if self.full() or self.stamp > LAST_STAMP:
            if self.stamp > LAST_STAMP:
                self.stamp = 0
            self.kept.clear()
            self.words.clear()
            self.atoms.clear()
            self.sums.clear()
        self.stamp += 1
        self.mail = self.stamp
        return 0

    cdef inline bint full(self) noexcept:
        return self.words.size() >= MOST_WORDS or self.atoms.size() >= 8 * MOST_WORDS

    cdef int forget(self, size_t words, size_t atoms) except -1:
        """Forget the last words again: those behind so many words and phrase words, none of which is kept."""
        self.passing.clear()
        self.words.resize(words)
        self.atoms.resize(atoms)
        return 0

    cdef int32_t number(self, str word, bint spoken, bint keep) except -1:
        """Return the number of a word; one that is ``spoken`` has its sums."""
        cdef int32_t number
        found = self.kept.get(word)
        if found is None and self.passing:
            found = self.passing.get(word)
        if found is not None:
            number = found
            if spoken and self.words[number].row < 0:
                self._spell(word)
                self._weigh(number)
            return number
        number = <int32_t>self.words.size()
        self._spell(word)
        self._learn(word)
        if spoken:
            self._weigh(number)
        (self.kept if keep and len(word) <= self.longest else self.passing)[word] = number
        return number

    cdef int _spell(self, str word) except -1:
        cdef Py_UCS4 letter
        self.letters.clear()
        for letter in word:
            self.letters.push_back(letter)
        return 0

    cdef int _learn(self, str word) except -1:
        """Work out what a word can mean."""
        cdef Word made
        cdef Py_ssize_t size = <Py_ssize_t>self.letters.size(), place
        cdef size_t at
        made.known = self.weights.known.get(word, -1)
        made.article = made.row = made.nodes = -1
        made.flags = made.in_mail = made.in_sentence = made.in_finder = 0
        made.rows = made.node_count = 0
        made.leads = 0
        if made.known >= 0:
            made.article = self.weights.articles[made.known]
            made.flags = self.weights.flags[made.known]
        if size > 3 and not word.isdigit():
            made.flags |= LONG
        made.atoms = <int32_t>self.atoms.size()
        self.phrases.atoms_of(self.letters.data(), size, self.atoms)
        for place in range(size):  # "l'accès", "dell'account": the word behind the elided article
            if self.letters[place] == c"'":
                self.phrases.atoms_of(self.letters.data() + place + 1, size - place - 1, self.atoms)
                break
        made.atom_count = <int32_t>self.atoms.size() - made.atoms
        for at in range(made.atoms, self.atoms.size()):
            made.leads |= self.phrases.leads[self.atoms[at]]
        self.words.push_back(made)
        return 0

    cdef int _weigh(self, int32_t number) except -1:
        """Add up the rows of the word that was spelled, and of its letter groups."""
        cdef int32_t[64] found
        cdef Lanes total
        cdef Py_UCS4[27] edged  # and one letter that is looked at for nothing
        cdef Py_ssize_t size = min(<Py_ssize_t>self.letters.size(), 24), place, at
        cdef uint64_t[24] states
        cdef int count = 0, lane
        cdef Word* word = &self.words[number]
        if size >= 4:
            edged[0] = c"<"
            for place in range(size):
                edged[place + 1] = self.letters[place]
            edged[size + 1] = edged[size + 2] = c">"
            for place in range(size - 1):
                states[place] = START
                for at in range(place, place + 4):
                    states[place] = stirred(states[place], edged[at])
                self.weights.letters.expect(states[place])
                self.weights.letters.expect(stirred(states[place], edged[place + 4]))
            for place in range(size - 1):
                count = self._group(edged + place, 4, states[place], found, count)
                if place < size - 2:
                    count = self._group(edged + place, 5, stirred(states[place], edged[place + 4]), found, count)
        if word.known >= 0 and self.weights.numbers[word.known] >= 0:
            found[count] = self.weights.numbers[word.known]
            count += 1
        memset(&total, 0, sizeof(Lanes))
        for place in range(count):
            add_all(&self.weights.rows[found[place]].lanes[0], total.lanes)
        word.row = <int32_t>self.sums.size()
        word.rows = count
        self.sums.resize(word.row + LANES)
        for lane in range(LANES):
            self.sums[word.row + lane] = <uint16_t>total.lanes[lane]
        return 0

    cdef inline int _group(
        self, const Py_UCS4* text, int size, uint64_t state, int32_t* found, int count
    ) noexcept nogil:
        """Note the number of a group of letters, once; return how many there are now (at most 45 in a word)."""
        cdef int32_t number = self.weights.letters.find(text, size, 1, state)
        cdef int place
        if number < 0:
            return count
        for place in range(count):
            if found[place] == number:
                return count
        found[count] = number
        return count + 1
