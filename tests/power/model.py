"""What clients were told, and what may be found after the power was cut.

Each subject (a key, an upload, a bucket) has one client that changes it, so its states are a list in the order of time. A state may be
found when it was current at some time between the instant from which on things may be lost and the instant of the cut. And no change
of one key may be there when an earlier one of another subject is not, but for new objects, which are taken over when they are whole.
"""

from math import inf
from typing import Any

from attrs import Factory, define, frozen


@frozen
class Version:
    """One version of an object as clients see it.

    :ivar digest: MD5 of its bytes; None for a delete marker.
    :ivar note: metadata: which operation wrote these bytes.
    """

    id: str
    digest: str | None = None
    size: int = 0
    etag: str = ""
    kind: str = ""
    note: str = ""
    tags: str = ""
    sealed: bool = False

    def __str__(self) -> str:
        if self.digest is None:
            return f"marker {self.id[-8:]}"
        tags = f" {self.tags}" if self.tags else ""
        return f"{self.note} {self.size} B md5 {self.digest[:6]} etag {self.etag[:6]} {self.id[-8:]}{tags}"


@frozen
class Subject:
    """What has a history: a key, an upload (``upload`` is its id) or a bucket (no key)."""

    bucket: str
    key: str = ""
    upload: str = ""

    def __str__(self) -> str:
        key = self.key if len(self.key) < 60 else f"{self.key[:30]}..."
        return f"{self.bucket}/{key}" + (f" upload {self.upload[:6]}" if self.upload else "")


State = Any
"""Of a key its versions, the newest first; of an upload its parts (number, ETag), or None; of a bucket its tags, or None."""


@define
class Step:
    """One change: asked for, answered, and the state from then on."""

    what: str
    sent: float
    acked: float
    state: State


@frozen
class Move:
    """A step of two subjects at once: what leaves the first one comes to the other one."""

    what: str
    source: Subject
    left: int
    target: Subject
    came: int


@frozen
class Cut:
    """An instant, somewhere between two times; whatever was answered before ``certain`` must be there."""

    began: float
    ended: float
    certain: float


@define
class Record:
    """The histories of one run.

    :ivar troubles: answers that no client should get, while the power was on.
    """

    histories: dict[Subject, list[Step]] = Factory(dict)
    moves: list[Move] = Factory(list)
    troubles: list[str] = Factory(list)

    def state(self, subject: Subject) -> State:
        return self.steps(subject)[-1].state

    def steps(self, subject: Subject) -> list[Step]:
        """The first one is that there was nothing."""
        nothing = () if subject.key and not subject.upload else None
        return self.histories.setdefault(subject, [Step("nothing", -inf, -inf, nothing)])

    def add(self, subject: Subject, step: Step) -> int:
        """The number of the step."""
        steps = self.steps(subject)
        steps.append(step)
        return len(steps) - 1

    def move(self, what: str, source: tuple[Subject, Step], target: tuple[Subject, Step]) -> None:
        self.moves.append(Move(what, source[0], self.add(*source), target[0], self.add(*target)))


def window(steps: list[Step], cut: Cut) -> range:
    """The numbers of the steps whose states may be found."""
    first = max(number for number, step in enumerate(steps) if step.acked <= cut.certain)
    last = max(number for number, step in enumerate(steps) if step.sent <= cut.ended)
    return range(first, last + 1)


def judge(record: Record, cut: Cut, found: dict[Subject, State]) -> list[str]:
    """What was lost, mixed or invented."""
    faults = [
        f"{subject}: nobody made it, and there is {show(found[subject])}" for subject in found.keys() - record.histories
    ]
    places: dict[Subject, list[int]] = {}
    for subject, steps in record.histories.items():
        state = found.get(subject, steps[0].state)
        allowed = window(steps, cut)
        places[subject] = [number for number in allowed if steps[number].state == state]
        if not places[subject]:
            faults.append(_fault(subject, steps, cut, state))
    torn = [fault for move in record.moves if (fault := _torn(record, move, places))]
    return faults + torn + _reordered(record, cut, places)


def _torn(record: Record, move: Move, places: dict[Subject, list[int]]) -> str:
    """What a move left in both places or in none; where a state is found that recurs, the kinder reading counts.

    An object that is renamed is at its new key before it is gone from the old one. A new object that was made later is taken over, also
    where the move is taken back.
    """
    source, target = places[move.source], places[move.target]
    if source and target:
        was_left = min(source) >= move.left and not _made_since(record, move.source, move.left, min(source))
        has_come = min(target) >= move.came and not _made_since(record, move.target, move.came, min(target))
        if was_left and max(target) < move.came:
            return f"{move.what}: {move.source} is gone, and {move.target} did not get it"
        if move.source.upload and max(source) < move.left and has_come:
            return f"{move.what}: {move.target} has it, and {move.source} still has it"
    return ""


def _made_since(record: Record, subject: Subject, step: int, last: int) -> bool:
    """Whether one of the steps after a step made a new object."""
    return bool(subject.key) and any(is_new(record, subject, number) for number in range(step + 1, last + 1))


def is_new(record: Record, subject: Subject, number: int) -> bool:
    """Whether a step made an object where none was served before."""
    before = record.histories[subject][number - 1].state
    return not subject.upload and not (before and before[0].digest is not None)


def _reordered(record: Record, cut: Cut, places: dict[Subject, list[int]]) -> list[str]:
    """A key's step that is there although an earlier one of another subject is not; where a state recurs, the kinder reading counts.

    Settings of buckets are not taken back: they have no bytes that could be lost.
    """
    there, lost = [], []
    for subject, numbers in places.items():
        steps = record.histories[subject]
        since = range(window(steps, cut)[0] + 1, numbers[0] + 1) if numbers else ()
        if subject.key and numbers and numbers[0] and not any(is_new(record, subject, number) for number in since):
            there.append((steps[numbers[0]].sent, subject, steps[numbers[0]]))
        if numbers and numbers[-1] + 1 < len(steps):
            lost.append((steps[numbers[-1] + 1].acked, subject, steps[numbers[-1] + 1]))
    if there and lost:
        sent, subject, step = max(there, key=lambda one: one[0])
        acked, other, missing = min(lost, key=lambda one: one[0])
        if acked < sent:
            when = f"{acked - cut.began:+.3f} s, and this began at {sent - cut.began:+.3f} s"
            return [f"{subject} {step.what!r} is there; {other} {missing.what!r} is not, which was answered at {when}"]
    return []


def _fault(subject: Subject, steps: list[Step], cut: Cut, state: State) -> str:
    allowed = window(steps, cut)
    same = [number for number, step in enumerate(steps) if step.state == state]
    alike = [number for number, step in enumerate(steps) if _without_bytes(step.state) == _without_bytes(state)]
    if not same:
        kind = f"was so at step {alike[-1]}, but for its bytes" if alike else "was never so"
    elif max(same) < allowed[0]:
        late = cut.began - steps[max(same) + 1].acked
        kind = f"is older than it may be: step {max(same)}; the next one was answered {late:.2f} s before the cut"
    else:
        kind = f"was so only at steps {same}"
    lines = [f"{subject} {kind}", f"    found   {show(state)}"]
    for number in range(max(0, allowed[0] - 2), min(len(steps), allowed[-1] + 2)):
        step, mark = steps[number], "allowed" if number in allowed else "       "
        when = f"{step.sent - cut.began:+.3f}..{step.acked - cut.began:+.3f}"
        lines.append(f"    {mark} {number}: {step.what} at {when}: {show(step.state)}")
    return "\n".join(lines)


def _without_bytes(state: State) -> State:
    """To tell wrong bytes from a wrong state."""
    if isinstance(state, tuple) and state and isinstance(state[0], Version):
        return [(version.id, version.note, version.digest is None) for version in state]
    return state


def show(state: State) -> str:
    if isinstance(state, tuple):
        return "[" + ", ".join(map(str, state)) + "]"
    return repr(state)
