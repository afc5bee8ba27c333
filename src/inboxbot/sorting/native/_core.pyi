"""What `_core.pyx` gives; ``Core`` is a `weighing.Weigher`."""

from inboxbot.sorting.features import Reading
from inboxbot.sorting.model import Model, Scores
from inboxbot.sorting.vocabulary import Vocabulary
from inboxbot.sorting.weighing import Weighed
from inboxbot.sorting.words import Sentence

SOURCE: str  # SHA-256 of what it was compiled from

class Core:
    def __init__(self, vocabulary: Vocabulary, model: Model) -> None: ...
    @property
    def remembered(self) -> int: ...
    def split(self, text: str, limit: int) -> list[Sentence]: ...
    def weigh(self, reading: Reading) -> Weighed: ...
    def chances(self, scores: Scores) -> list[float]: ...
