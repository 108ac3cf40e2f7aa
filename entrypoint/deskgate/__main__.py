"""What the launcher runs, and `python -I -m deskgate`: immune to the user's PYTHONPATH."""

import sys

# The C module: `signal` loads enum first, and for 5 ms more a stop would be lost.
from _signal import (
    SIG_BLOCK,
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGTERM,
    SIGUSR1,
    SIGUSR2,
    pthread_sigmask,
)


def main() -> int:
    """Run one command; returns its exit status."""
    if sys.argv[1:2] == ["run"]:
        # The kernel drops a signal for which PID 1 has no handler. A blocked one waits, across
        # the exec, until the conductor has its own (signal(7), execve(2)).
        pthread_sigmask(SIG_BLOCK, (SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2))
    from deskgate.lean import load_basics

    load_basics()
    from deskgate.cli import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
