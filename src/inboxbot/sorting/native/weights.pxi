# The model: the numbers of features (`index.Index`) and their weights (`model.Model`).

cdef extern from *:
    """
    #include <cstdint>
    struct alignas(64) CoreRow {
        std::uint8_t lanes[48];
        std::uint32_t mail, sentence;
    };
    template <typename Number>
    static inline void core_add_all(const Number* __restrict from, std::int32_t* __restrict to) {
        for (int lane = 0; lane < 48; lane++) to[lane] += from[lane];
    }
    template <typename Number>
    static inline void core_add_near(const Number* __restrict from, std::int32_t* __restrict to) {
        for (int lane = 0; lane < 16; lane++) to[lane] += from[lane];
    }
    """
    cdef cppclass Row "CoreRow":  # all about a feature, in one line of the cache:
        uint8_t* lanes  # a byte for each lane, the plain layer's and then the deep layer's,
        uint32_t mail, sentence  # and the mail and the sentence that it was last counted in
    void add_all "core_add_all"[Number](const Number*, int32_t*) noexcept nogil
    void add_near "core_add_near"[Number](const Number*, int32_t*) noexcept nogil  # the plain layer's, and more


cdef struct Lanes:  # numbers added up, and how many rows they are of
    int32_t[LANES] lanes
    int32_t rows


cdef int _fill(vector[int32_t]& table, int size, dict numbers, list names) except -1:
    """Enter for each of ``names`` its number, or -1."""
    table.assign(size, -1)
    for place, name in enumerate(names):
        table[place] = numbers.get(name, -1)
    return 0


@cython.final
cdef class Weights:
    """The tables of all features, and the bytes of both layers side by side."""

    cdef vector[Row] rows  # of each feature
    cdef int near, width  # lanes of the plain layer, and of both
    cdef vector[double] bias, steps  # for each lane
    cdef vector[double] out  # for each hidden unit what it adds to each target
    cdef dict known  # words that a table names: their places
    cdef vector[int32_t] numbers  # for each of them its number as a feature, or -1,
    cdef vector[int32_t] articles  # its place among the articles, or -1,
    cdef vector[uint32_t] flags  # and what is to be known of it
    cdef Texts letters
    cdef Numbers bigrams  # by the places of two known words
    cdef Numbers before, behind  # by a meaning and the place of a known word
    cdef int32_t start, end, comma  # places of "^", "$" and ","
    cdef int meanings
    cdef vector[int32_t] concepts, titles, context, wishes, asked, opening  # by meaning
    cdef vector[int32_t] pairs, followed  # by ``first * meanings + second``
    cdef list cited  # the names of articles; the last of them is 21(2) and (3)
    cdef vector[int32_t] article_numbers
    cdef int32_t article_21
    cdef dict shape

    def __init__(self, vocabulary, model):
        cdef list names = list(vocabulary.concepts)
        cdef dict tables = {
            group: {name: number for number, name in enumerate(model.names[group], model.base[group])}
            for group in GROUPS
        }
        self.meanings = len(names)
        if self.meanings > 64 * SET:
            raise ValueError("more meanings than a set of them holds")
        self.shape = tables["z"]
        self.letters = Texts(tables["g"])
        self._fill_words(tables)
        _fill(self.concepts, self.meanings, tables["c"], names)
        _fill(self.titles, self.meanings, tables["s"], names)
        _fill(self.context, self.meanings, tables["q"], names)
        _fill(self.wishes, self.meanings, tables["r"], names)
        _fill(self.asked, self.meanings, tables["m"], [f"?{name}" for name in names])
        _fill(self.opening, self.meanings, tables["m"], [f"^{name}" for name in names])
        _fill(self.article_numbers, len(self.cited), tables["a"], self.cited)
        _fill(self.pairs, self.meanings**2, tables["p"], [f"{one}&{two}" for one in names for two in names])
        _fill(self.followed, self.meanings**2, tables["o"], [f"{one}>{two}" for one in names for two in names])
        self._fill_pairs(tables, {name: place for place, name in enumerate(names)})
        self._fill_layers(model)

    cdef int _place(self, str word) except -1:
        """Return the place of a word among those that a table names, a new one the first time."""
        place = self.known.get(word)
        if place is None:
            place = self.known[word] = len(self.known)
            self.numbers.push_back(-1)
            self.articles.push_back(-1)
            self.flags.push_back(0)
        return place

    cdef int _fill_words(self, dict tables) except -1:
        self.known = {}
        for word, number in tables["w"].items():
            self.numbers[self._place(word)] = number
        for word in features.NOTS:
            self.flags[self._place(word)] |= NOT
        for word in features.ARTICLE_WORDS:
            self.flags[self._place(word)] |= ARTICLE
        for word in features.MARKETING:
            self.flags[self._place(word)] |= MARKETING
        self.cited = sorted(features.ARTICLES)
        self.article_21 = self.cited.index("21")
        for place, word in enumerate(self.cited):
            self.articles[self._place(word)] = place
        self.cited.append("21m")
        self.start, self.end, self.comma = self._place("^"), self._place("$"), self._place(",")
        return 0

    cdef int _fill_pairs(self, dict tables, dict concepts) except -1:
        cdef list bigrams = [], before = [], behind = []
        for name, number in tables["b"].items():
            first, _, second = name.partition(" ")
            self.flags[self._place(first)] |= FIRST
            self.flags[self._place(second)] |= SECOND
            bigrams.append((self._place(first), self._place(second), number))
        for name, number in tables["k"].items():
            if "<" in name:
                word, _, meaning = name.partition("<")
                self.flags[self._place(word)] |= NEAR
                before.append((concepts[meaning], self._place(word), number))
            else:
                meaning, _, word = name.partition(">")
                self.flags[self._place(word)] |= NEAR
                behind.append((concepts[meaning], self._place(word), number))
        self.bigrams = Numbers(bigrams, len(self.known), len(self.known))
        self.before = Numbers(before, self.meanings, len(self.known))
        self.behind = Numbers(behind, self.meanings, len(self.known))
        return 0

    cdef int _fill_layers(self, model) except -1:
        cdef bytes plain = model.plain.rows, deep = model.deep.rows
        cdef Py_ssize_t place, count = sum(map(len, model.names.values()))
        cdef const unsigned char* near_bytes = plain
        cdef const unsigned char* far_bytes = deep
        cdef int far = model.deep.size, lane
        self.near = model.plain.size
        self.width = self.near + far
        if self.width > LANES or self.near > NEAR_LANES:
            raise ValueError("the model has more lanes than the core adds up")
        if self.near != len(TARGETS) or far != self.near + len(model.out):
            raise ValueError("the model has other layers than the core adds up")
        if len(plain) != count * self.near or len(deep) != count * far:
            raise ValueError("the model has not one row for each feature")
        self.rows.resize(count)
        for place in range(count):
            memset(&self.rows[place], 0, sizeof(Row))
            for lane in range(self.near):
                self.rows[place].lanes[lane] = near_bytes[place * self.near + lane]
            for lane in range(far):
                self.rows[place].lanes[self.near + lane] = far_bytes[place * far + lane]
        for value in (*model.plain.bias, *model.deep.bias):
            self.bias.push_back(value)
        for value in (*model.plain.steps, *model.deep.steps):
            self.steps.push_back(value)
        for row in model.out:
            if len(row) != self.near:
                raise ValueError("a hidden unit does not add to each target")
            for value in row:
                self.out.push_back(value)
        if self.bias.size() != self.width or self.steps.size() != self.width:
            raise ValueError("the model has not one step and one bias for each lane")
        return 0
