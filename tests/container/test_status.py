"""The container's exit status is the command's own: statuses, signals, and what cannot be run."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.conftest import MakeDesk
from tests.container.desk import READY, VARIANTS

FILES = "/files"  # where the files below are mounted
# Name → content, mode.
HELD = {
    "script": ("#!/bin/sh\nexit 7\n", 0o755),
    "no-first-line": ("exit 8\n", 0o755),
    "no-interpreter": ("#!/no/such/interpreter\n", 0o755),
    "interpreter-is-no-program": ("#!/etc/passwd\n", 0o755),
    "garbage": ("\x7f\0garbage\n", 0o755),
    "not-executable": ("#!/bin/sh\n", 0o644),
}
STATUSES = {
    f"exit-{status}": (("sh", "-c", f"exit {status}"), status)
    for status in (
        *(0, 1, 2, 3, 64, 69, 70, 77, 78, 125, 126, 127, 128, 130, 137, 143, 200, 254, 255),
    )
}
SIGNALS = {
    f"SIG{name}": (("sh", "-c", f"kill -{signal.Signals[f'SIG{name}'].value} $$"), number)
    for name, number in (
        *(("HUP", 129), ("INT", 130), ("QUIT", 131), ("ILL", 132), ("TRAP", 133), ("ABRT", 134)),
        *(("BUS", 135), ("FPE", 136), ("KILL", 137), ("USR1", 138), ("SEGV", 139), ("USR2", 140)),
        *(("PIPE", 141), ("ALRM", 142), ("TERM", 143), ("STKFLT", 144), ("XCPU", 152)),
        *(("XFSZ", 153), ("VTALRM", 154), ("PROF", 155), ("IO", 157), ("PWR", 158), ("SYS", 159)),
        *(("RTMIN", 162), ("RTMAX", 192)),
    )
}
# What a shell answers to a command that it cannot run, or runs in its own way.
AS_A_SHELL = {
    "a script": ((f"{FILES}/script",), 7),
    "a script without #!": ((f"{FILES}/no-first-line",), 8),
    "an interpreter that is not there": ((f"{FILES}/no-interpreter",), 127),
    "an interpreter that is no program": ((f"{FILES}/interpreter-is-no-program",), 126),
    "garbage": ((f"{FILES}/garbage",), 126),
    "a file that is not executable": ((f"{FILES}/not-executable",), 126),
    "a folder": ((FILES,), 126),
    "a file that is not there": ((f"{FILES}/none",), 127),
    "a command that is not there": (("no-such-command",), 127),
    "an empty name": (("",), 127),
}
WITH_CORE = {"SIGSEGV with a core": (("sh", "-c", "ulimit -c 64; cd /tmp; kill -SEGV $$"), 139)}
CASES = STATUSES | SIGNALS | AS_A_SHELL | WITH_CORE

# Its base's entrypoint is a shell script, and an empty name is answered by that shell.
NOT_OURS = {("java", "an empty name")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each case on one variant, in turns; with --exhaustive each on all: four minutes."""
    if "case" not in metafunc.fixturenames:
        return
    every = metafunc.config.getoption("--exhaustive")
    pairs = [
        (variant, case)
        for number, case in enumerate(CASES)
        for variant in (VARIANTS if every else (VARIANTS[number % len(VARIANTS)],))
        if (variant, case) not in NOT_OURS
    ]
    metafunc.parametrize(("variant", "case"), pairs)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of HELD."""
    folder = tmp_path_factory.mktemp("held")
    folder.chmod(0o755)
    for name, (text, mode) in HELD.items():
        (folder / name).write_text(text)
        (folder / name).chmod(mode)
    return folder


def test_f4_exit_status_is_the_commands_own(
    make_desk: MakeDesk, held: Path, variant: str, case: str
) -> None:
    """After a desktop that was ready; what cannot be run is said in one line."""
    command, status = CASES[case]
    desk = make_desk(variant=variant, options=("-v", f"{held}:{FILES}:ro"), command=command)
    desk.allow(r"^deskgate: error: (\(empty\)|no-such-command|/files\S*): ")
    result = desk.run()
    assert (result.status, READY in result.err) == (status, True)


def test_the_table_has_what_was_promised() -> None:
    """More than thirty, and every signal that ends a process but the 29 real-time ones between."""
    assert len(STATUSES) + len(SIGNALS) > 30
    fatal = signal.valid_signals() - {
        *(signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT),
        *(signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
        *range(signal.SIGRTMIN + 1, signal.SIGRTMAX),
    }
    assert {status - 128 for _, status in SIGNALS.values()} == fatal
