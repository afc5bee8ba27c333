# Tables that are filled once, from the vocabulary and the model, and only looked up afterwards. Each is at most half
# full, of keys that no mail chooses: a mail cannot make a search in them long.

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define core_fetch(place) __builtin_prefetch(place)
    #else
    #define core_fetch(place) ((void)(place))
    #endif
    """
    void fetch "core_fetch"(const void*) noexcept nogil  # bring into the cache what will soon be read


cdef inline uint64_t mixed(uint64_t value) noexcept nogil:
    """Spread the bits of a number (a bijection)."""
    value ^= value >> 32
    value *= <uint64_t>0x9E3779B97F4A7C15
    value ^= value >> 29
    return value


cdef inline uint64_t stirred(uint64_t state, Py_UCS4 letter) noexcept nogil:
    """Take one more letter into a hash."""
    return (state ^ <uint64_t>letter) * <uint64_t>0x100000001B3


cdef uint64_t START = 0xCBF29CE484222325


cdef size_t _room(size_t count) except 0:
    cdef size_t size = 16
    while size < 2 * count:
        size *= 2
    return size


cdef struct Entry:
    uint32_t key  # one more than the key; 0 is an empty place
    int32_t value


@cython.final
cdef class Numbers:
    """A number for each of many pairs of numbers."""

    cdef vector[Entry] entries
    cdef uint64_t mask
    cdef uint32_t seconds  # the second number of a pair is below it

    def __init__(self, list items, Py_ssize_t firsts, Py_ssize_t seconds):
        cdef uint64_t place
        cdef uint32_t key
        cdef size_t room = _room(len(items))
        if firsts * seconds >= <Py_ssize_t>0xFFFFFFFF:
            raise ValueError("more pairs than a key tells apart")
        self.entries.assign(room, Entry(0, -1))
        self.mask = room - 1
        self.seconds = seconds
        for first, second, value in items:
            key = first * seconds + second
            place = mixed(key) & self.mask
            while self.entries[place].key != 0 and self.entries[place].key != key + 1:
                place = (place + 1) & self.mask
            self.entries[place] = Entry(key + 1, value)

    cdef inline int32_t find(self, uint32_t first, uint32_t second) noexcept nogil:
        """Return the number of a pair, or -1."""
        cdef uint32_t key = first * self.seconds + second
        cdef uint64_t place = mixed(key) & self.mask
        while self.entries[place].key != 0:
            if self.entries[place].key == key + 1:
                return self.entries[place].value
            place = (place + 1) & self.mask
        return -1


cdef struct Mark:
    uint32_t hash  # a part of it: other texts are told from this one without a look at their letters
    int32_t text  # -1: an empty place


@cython.final
cdef class Texts:
    """A number for each of many short texts, found by letters that need not be a string of their own."""

    cdef vector[uint32_t] letters  # of all texts
    cdef vector[uint32_t] starts  # a text begins at its start and ends where the next begins
    cdef vector[int32_t] values
    cdef vector[Mark] marks
    cdef uint64_t mask
    cdef Py_ssize_t longest

    def __init__(self, dict items):
        cdef uint64_t state, place
        cdef size_t room = _room(len(items))
        cdef str text
        cdef Py_UCS4 letter
        self.marks.assign(room, Mark(0, -1))
        self.mask = room - 1
        self.longest = 0
        self.starts.push_back(0)
        for text, value in items.items():
            state = START
            for letter in text:
                state = stirred(state, letter)
                self.letters.push_back(letter)
            state = mixed(state)
            self.longest = max(self.longest, len(text))
            place = state & self.mask
            while self.marks[place].text >= 0:
                place = (place + 1) & self.mask
            self.marks[place] = Mark(<uint32_t>(state >> 32), <int32_t>self.values.size())
            self.values.push_back(value)
            self.starts.push_back(<uint32_t>self.letters.size())

    cdef inline int32_t find(
        self, const Py_UCS4* text, Py_ssize_t size, Py_ssize_t step, uint64_t state
    ) noexcept nogil:
        """Return the number of the ``size`` letters at ``text``, ``text + step`` …, stirred into ``state``, or -1."""
        cdef uint64_t hashed = mixed(state), place = hashed & self.mask
        cdef int32_t number = self.marks[place].text
        while number >= 0:
            if self.marks[place].hash == <uint32_t>(hashed >> 32) and self._same(number, text, size, step):
                return self.values[number]
            place = (place + 1) & self.mask
            number = self.marks[place].text
        return -1

    cdef inline void expect(self, uint64_t state) noexcept nogil:
        """Bring the place of a text into the cache that will soon be looked for."""
        fetch(&self.marks[mixed(state) & self.mask])

    cdef inline bint _same(
        self, int32_t number, const Py_UCS4* text, Py_ssize_t size, Py_ssize_t step
    ) noexcept nogil:
        cdef const uint32_t* own = self.letters.data() + self.starts[number]
        cdef Py_ssize_t at
        if <Py_ssize_t>(self.starts[number + 1] - self.starts[number]) != size:
            return False
        for at in range(size):
            if own[at] != <uint32_t>text[at * step]:
                return False
        return True
