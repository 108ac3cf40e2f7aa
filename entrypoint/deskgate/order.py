"""Order: which programs come before which, by what they need of each other. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from deskgate.errors import ProgramError
from deskgate.programs import Program


class CircleError(ProgramError):
    """Programs that need each other in a circle.

    Args:
        names: in the order of need; the last is the first again.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(f"programs need each other in a circle: {' → '.join(names)}; take one out")


def order(programs: Sequence[Program]) -> tuple[tuple[str, ...], ...]:
    """Names by level: a level needs and uses only earlier ones. Stopping goes the other way.

    Raises:
        ProgramError: an unknown name.
        CircleError: they wait for each other.
    """
    needs = {program.name: {*program.named_needs, *program.uses} for program in programs}
    for name, wanted in needs.items():
        if unknown := sorted(wanted - needs.keys()):
            raise ProgramError(f"{name}: cannot need {unknown[0]!r}: there is no such program")
    levels: list[tuple[str, ...]] = []
    placed: set[str] = set()
    while len(placed) < len(needs):
        level = tuple(
            sorted(n for n, wanted in needs.items() if n not in placed and wanted <= placed)
        )
        if not level:
            raise CircleError(_circle(needs, needs.keys() - placed))
        levels.append(level)
        placed.update(level)
    return tuple(levels)


def _circle(needs: Mapping[str, Collection[str]], stuck: Collection[str]) -> list[str]:
    """A circle among the stuck, each of whom needs another one of them."""
    path: list[str] = []
    name = min(stuck)
    while name not in path:
        path.append(name)
        name = min(each for each in needs[name] if each in stuck)
    return [*path[path.index(name) :], name]
