"""What becomes of bytes that were not on the disk when the power was cut."""

from random import Random

PAGE = 4096


class Fate:
    """What becomes of bytes that were not flushed: by default all are there."""

    def size(self, durable: int, latest: int) -> int:
        """How long a file is found."""
        return latest

    def content(self, contents: list[bytes]) -> bytes | None:
        """What is found of a page; None is what was durable of it, or zeros."""
        return contents[-1]


class Zeros(Fate):
    """No byte is there, but every file is as long as it was."""

    def content(self, contents: list[bytes]) -> bytes | None:
        return None


class Short(Fate):
    """Files are as short as when they were durable: what was added is not there."""

    def size(self, durable: int, latest: int) -> int:
        return durable


class Chance(Fate):
    """Any of it."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def size(self, durable: int, latest: int) -> int:
        somewhere = self._random.randint(durable, latest) // PAGE * PAGE
        return self._random.choice((latest, latest, latest, durable, max(durable, somewhere)))

    def content(self, contents: list[bytes]) -> bytes | None:
        return self._random.choice((None, contents[-1], self._random.choice(contents)))
