# What sums mean as probabilities (`model.evidence_for`, `model.Model.chances`).

cdef inline double sigmoid(double value) noexcept nogil:
    if -40.0 < value < 40.0:
        return 1.0 / (1.0 + exp(-value))
    return 0.0 if value < 0 else 1.0


@cython.final
cdef class Chances:
    """The calibration: for each target factors of its own six sums, of all sums as chances, and a bias."""

    cdef vector[double] factors
    cdef int targets, any

    def __init__(self, model):
        self.targets, self.any = len(TARGETS), ANY
        if KINDS != slice(0, ANY) or {len(row) for row in model.calibration} != {6 + 3 * len(TARGETS) + 1}:
            raise ValueError("the calibration has other factors than the core knows")
        for row in model.calibration:
            for factor in row:
                self.factors.push_back(factor)

    cdef list reckon(self, scores):
        """Return the chance of each target; sums are made one by one, as in the reference."""
        cdef vector[double] sums = [*scores.whole, *scores.best, *scores.deep], common
        cdef double[6] own
        cdef const double* factors
        cdef double total
        cdef int target, row, kind
        cdef list found = []
        if <int>sums.size() != 3 * self.targets:
            raise ValueError("not three sums for each target")
        for total in sums:
            common.push_back(sigmoid(total))
        for target in range(self.targets):
            for row in range(3):
                own[row] = sums[row * self.targets + target]
                own[3 + row] = sums[row * self.targets + self.any]
                if target == self.any:
                    own[3 + row] = sums[row * self.targets]
                    for kind in range(1, self.any):
                        own[3 + row] = max(own[3 + row], sums[row * self.targets + kind])
            factors = self.factors.data() + target * (6 + 3 * self.targets + 1)
            total = factors[6 + 3 * self.targets]
            for row in range(6):
                total += factors[row] * own[row]
            for row in range(3 * self.targets):
                total += factors[6 + row] * common[row]
            found.append(sigmoid(total))
        return found
