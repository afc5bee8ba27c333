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
    cdef vector[Mark] marks  # where kept words are found, by the hash that Python gives them (no mail can choose it)
    cdef uint64_t mask
    cdef list names  # each word, or None when it is not kept
    cdef Py_ssize_t kept  # how many are
    cdef dict passing  # those that are not: their numbers
    cdef vector[Py_UCS4] letters  # of the word at hand
    cdef Py_ssize_t longest
    cdef uint32_t stamp  # counts mails and sentences: what bears the newest number was met in this one
    cdef uint32_t mail

    def __init__(self, Phrases phrases, Weights weights):
        self.phrases, self.weights = phrases, weights
        self.passing = {}
        self._clear()
        self.longest = LONGEST
        self.stamp = self.mail = 0

    cdef int begin(self) except -1:
        """Begin a mail: forget what is not to be remembered, and everything when it is too much."""
        self.passing.clear()
        cdef bint whole = <size_t>len(self.names) == self.words.size()  # no mail was broken off in the midst of a word
        if self.full() or self.stamp > LAST_STAMP or not whole:
            if self.stamp > LAST_STAMP:
                self.stamp = 0
            self._clear()
        self.stamp += 1
        self.mail = self.stamp
        return 0

    cdef int _clear(self) except -1:
        cdef size_t room = _room(MOST_WORDS + LONGEST_MAIL)
        self.marks.assign(room, Mark(0, -1))
        self.mask = room - 1
        self.names = []
        self.kept = 0
        self.words.clear()
        self.atoms.clear()
        self.sums.clear()
        return 0

    cdef inline bint full(self) noexcept:
        return self.words.size() >= MOST_WORDS or self.atoms.size() >= 8 * MOST_WORDS

    cdef int forget(self, size_t words, size_t atoms) except -1:
        """Forget the last words again: those behind so many words and phrase words, none of which is kept."""
        self.passing.clear()
        del self.names[words:]
        self.words.resize(words)
        self.atoms.resize(atoms)
        return 0

    cdef int32_t number(self, str word, bint spoken, bint keep) except -1:
        """Return the number of a word; one that is ``spoken`` has its sums."""
        cdef uint64_t hashed = <uint64_t>hash(word)
        cdef int32_t number = self._find(word, hashed)
        if number < 0 and self.passing:
            number = self.passing.get(word, -1)
        if number >= 0:
            if spoken and self.words[number].row < 0:
                self._spell(word)
                self._weigh(number)
            return number
        number = <int32_t>self.words.size()
        self._spell(word)
        self._learn(word)
        if spoken:
            self._weigh(number)
        self._enter(word, hashed, number, keep and len(word) <= self.longest)
        return number

    cdef int32_t _find(self, str word, uint64_t hashed) except -2:
        """Return the number of a word that is kept, or -1."""
        cdef uint64_t place = hashed & self.mask
        cdef int32_t number = self.marks[place].text
        while number >= 0:
            if self.marks[place].hash == <uint32_t>(hashed >> 32) and <str>self.names[number] == word:
                return number
            place = (place + 1) & self.mask
            number = self.marks[place].text
        return -1

    cdef int _enter(self, str word, uint64_t hashed, int32_t number, bint keep) except -1:
        cdef uint64_t place = hashed & self.mask
        if not keep or 2 * <size_t>self.kept >= self.marks.size():
            self.names.append(None)
            self.passing[word] = number
            return 0
        self.names.append(word)
        self.kept += 1
        while self.marks[place].text >= 0:
            place = (place + 1) & self.mask
        self.marks[place] = Mark(<uint32_t>(hashed >> 32), number)
        return 0

    cdef int expect(self, list words) except -1:
        """Bring into the cache what is known of words that will soon be looked for."""
        cdef int32_t number
        for word in words:
            fetch(&self.marks[<uint64_t>hash(word) & self.mask])
        for word in words:
            number = self.marks[<uint64_t>hash(word) & self.mask].text
            if number >= 0:
                fetch(&self.words[number])
                fetch(<PyObject*>self.names[number])
        return 0

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
