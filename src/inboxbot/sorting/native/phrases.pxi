# The vocabulary: which phrase words a word can stand for, and the tree of phrases (`vocabulary.Vocabulary`).

@cython.final
cdef class Phrases:
    """The tree of phrases of all languages. The roots of the languages are its first nodes."""

    cdef Texts exact
    cdef Texts prefixes
    cdef Texts suffixes  # read from their last letter on
    cdef Numbers children  # by node and phrase word
    cdef vector[int32_t] gaps  # for each node the one behind a gap, or -1
    cdef vector[uint8_t] grows  # whether words follow it
    cdef vector[int32_t] starts  # the meanings of a node begin at its start and end where those of the next begin
    cdef vector[int32_t] concepts
    cdef vector[uint64_t] leads  # for each atom the languages in which a phrase begins with it
    cdef dict codes  # the root of each language

    def __init__(self, vocabulary):
        cdef list nodes = list(vocabulary.roots.values()), links = []
        cdef Py_ssize_t place = 0
        self.exact = Texts(vocabulary.atoms)
        self.prefixes = Texts(vocabulary.prefixes)
        self.suffixes = Texts({suffix[::-1]: atom for suffix, atom in vocabulary.suffixes.items()})
        self.codes = {code: root for root, code in enumerate(vocabulary.roots)}
        if len(self.codes) > 64:
            raise ValueError("more languages than a set of them holds")
        self.leads.assign(len(vocabulary.atoms) + len(vocabulary.prefixes) + len(vocabulary.suffixes), 0)
        while place < len(nodes):
            node = nodes[place]
            self.gaps.push_back(-1 if node.gap is None else len(nodes))
            if node.gap is not None:
                nodes.append(node.gap)
            self.grows.push_back(bool(node.following))
            self.starts.push_back(<int32_t>self.concepts.size())
            for concept in node.concepts:
                self.concepts.push_back(concept)
            for atom, child in node.following.items():
                links.append((place, atom, len(nodes)))
                nodes.append(child)
                if place < len(self.codes):
                    self.leads[<size_t>atom] |= <uint64_t>1 << place
            place += 1
        self.starts.push_back(<int32_t>self.concepts.size())
        self.children = Numbers(links, len(nodes), self.leads.size())

    cdef inline int32_t child(self, int32_t node, int32_t atom) noexcept nogil:
        return self.children.find(node, atom)

    cdef int atoms_of(self, const Py_UCS4* word, Py_ssize_t size, vector[int32_t]& atoms) except -1:
        """Append the phrase words that a word can stand for: itself, its stems, its endings."""
        cdef uint64_t state = START
        cdef Py_ssize_t length
        cdef int32_t atom
        cdef size_t exactly = atoms.size()
        for length in range(1, min(size, max(self.prefixes.longest, self.exact.longest)) + 1):
            state = stirred(state, word[length - 1])
            if length == size:
                atom = self.exact.find(word, size, 1, state)
                if atom >= 0:
                    atoms.insert(atoms.begin() + exactly, atom)
            if length >= 2:
                atom = self.prefixes.find(word, length, 1, state)
                if atom >= 0:
                    atoms.push_back(atom)
        state = START
        for length in range(1, min(size, 12)):
            state = stirred(state, word[size - length])
            if length >= 4:
                atom = self.suffixes.find(word + size - 1, length, -1, state)
                if atom >= 0:
                    atoms.push_back(atom)
        return 0
