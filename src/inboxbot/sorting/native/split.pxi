# Folded text into sentences: exactly what the regular expression of `words.split_sentences` finds.

cdef enum:
    OTHER = 0
    WORD = 1
    PAUSE = 2
    STOP = 3
    LINE = 4

cdef unsigned char[128] CLASSES
cdef frozenset MARKS_OF_LISTS = frozenset(words.LIST_MARKS)


cdef void _fill_classes():
    cdef int code
    for code in range(128):
        letter = chr(code)
        CLASSES[code] = WORD if letter.isalnum() else PAUSE if letter in ",:()" else STOP if letter in ".!?;" else OTHER
    CLASSES[c"\n"] = LINE


_fill_classes()


cdef inline int _class(Py_UCS4 letter) noexcept:
    if letter < 128:
        return CLASSES[letter]
    return WORD if letter.isalnum() else OTHER


cdef Py_ssize_t _word_end(str text, Py_ssize_t place, Py_ssize_t size) except -1:
    """Return where the word ends that begins at ``place``: letters and digits, perhaps an apostrophe among them."""
    place += 1
    while place < size and _class(text[place]) == WORD:
        place += 1
    if place + 1 < size and text[place] == c"'" and _class(text[place + 1]) == WORD:
        place += 2
        while place < size and _class(text[place]) == WORD:
            place += 1
    return place


cdef bint _ends_sentence(str text, Py_ssize_t place, Py_ssize_t size) except -1:
    """Whether the line end at ``place`` stands before an empty line or a list mark."""
    cdef Py_ssize_t after = place + 1
    cdef Py_UCS4 letter
    while after < size and after < place + 9 and text[after] == c" ":
        after += 1
    if after >= size:
        return False
    letter = text[after]
    if letter == c"\n" or letter in MARKS_OF_LISTS:
        return True
    if not (c"0" <= letter <= c"9" or c"a" <= letter <= c"z") or after + 2 >= size:
        return False
    return (text[after + 1] == c"." or text[after + 1] == c")") and text[after + 2] == c" "


cdef list split_text(str text, Py_ssize_t limit):
    """Split folded text into sentences, of at most ``limit`` words and marks together; note where each begins."""
    cdef list found = [], said = [], pauses = []
    cdef Py_ssize_t place = 0, size = len(text), count = 0, number = 0, marks = 0, start = 0, end
    cdef Py_UCS4 letter
    cdef int kind
    while place < size and count < limit:
        letter = text[place]
        kind = _class(letter)
        if kind == WORD:
            end = _word_end(text, place, size)
            said.append(text[place:end])
            place = end
            count += 1
            continue
        place += 1
        if kind == PAUSE:
            count += 1
            number += 1
            pauses.append(len(said))
        elif (kind == STOP and (place == size or text[place].isspace())) or (
            kind == LINE and _ends_sentence(text, place - 1, size)
        ):
            count += 1
            number += 1
            if said:
                found.append(Sentence(said, pauses, letter == c"?", marks, start))
                said = []
                pauses = []
                marks = number
                start = place
    if said:
        found.append(Sentence(said, pauses, False, marks, start))
    return found
