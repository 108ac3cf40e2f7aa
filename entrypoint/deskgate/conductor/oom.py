"""Whether the kernel killed somebody because the container's memory was used up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# Both count since the cgroup was made, on a line `oom_kill N` (cgroups v2 and v1 of the kernel's
# documentation). Inside a container the cgroup is its own.
COUNTERS: Final = (
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
)


class Killer:
    """Counts the kernel's kills.

    Args:
        counters: the first that can be read is used.
    """

    def __init__(self, counters: Sequence[Path] = COUNTERS) -> None:
        self._counters = counters
        self._seen = self._count()

    def struck(self) -> bool:
        """Whether it did since it was last asked."""
        before, self._seen = self._seen, self._count()
        return self._seen > before

    def _count(self) -> int:
        for counter in self._counters:
            try:
                found = re.search(r"^oom_kill (\d+)$", counter.read_text(), re.MULTILINE)
            except OSError:
                continue
            if found:
                return int(found[1])
        return 0
