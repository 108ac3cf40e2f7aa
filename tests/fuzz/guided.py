"""One harness under atheris: `python -m tests.fuzz.guided HARNESS [libFuzzer's options]`."""

from __future__ import annotations

import sys

import atheris

# What takes a stranger's bytes; that is where new branches count.
TAKING = ["deskgate", "h11", "websockets", "supervisor.options"]

with atheris.instrument_imports(include=TAKING, exclude=["deskgate.gate.des"]):
    from .harnesses import HARNESSES


def main(name: str, *options: str) -> None:
    """Run until libFuzzer ends the process."""
    harness = HARNESSES[name]
    own = [f"-max_len={harness.longest}", f"-dict={harness.dictionary}"]
    atheris.Setup([sys.argv[0], *own, *options], harness.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
