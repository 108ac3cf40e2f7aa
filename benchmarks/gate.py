"""The gate as a benchmark wants it: `python -I benchmarks/gate.py PLACES GATE_JSON`.

With more places than the product's 16 viewers (gate/limits.py), and on SIGUSR1 it says on stderr
what nobody sees from outside. Both are done to it from here, before its own main runs.
"""

from __future__ import annotations

import gc
import signal
import sys
from typing import Any

from deskgate.gate import limits
from deskgate.gate.__main__ import main
from deskgate.gate.lean import load_asyncio_without_tls


def say_what_lives_on_a_signal() -> None:
    """Tasks of asyncio, and objects that the garbage collector knows."""
    load_asyncio_without_tls()  # before life would load all of it
    import asyncio

    from deskgate.gate import life

    its_own = life.live

    def say() -> None:
        gc.collect()
        print("lives:", len(asyncio.all_tasks()), len(gc.get_objects()), file=sys.stderr)

    async def live(*arguments: Any) -> int:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, say)
        return await its_own(*arguments)

    setattr(life, "live", live)  # noqa: B010 - mypy: whatever its arguments are


if __name__ == "__main__":
    limits.VIEWERS = limits.WATCHERS = int(sys.argv[1])
    say_what_lives_on_a_signal()
    sys.exit(main(sys.argv[2:]))
