"""How long until a desktop answers: ours, the same programs under plain supervisord, the floor.

`python -m benchmarks.start [--runs 10] [--image deskgate:debian]` prints the table that the docs
quote. Everything is measured in one run, in turns, so that a noisy machine harms all alike.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.processes import PATIENCE_SECONDS, free_port, pss_mib, run, timed
from benchmarks.viewer import WebSocketViewer

TOKEN = secrets.token_hex(32)
SUPERVISORD = """\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=/tmp/supervisord.pid

[program:xvnc]
command=Xvnc :1 -geometry 1280x800 -depth 24 -rfbport 5901 -localhost -SecurityTypes None
priority=100

[program:websockify]
command=/opt/deskgate/bin/python -m websockify --token-plugin TokenFile
  --token-source /bench/tokens 0.0.0.0:8002
priority=200

[program:wm]
command=jwm
environment=DISPLAY=":1"
priority=300
"""


def first_server_init(port: int) -> None:
    """Try until a viewer gets through."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            viewer = WebSocketViewer(port, TOKEN)
            viewer.server_init()
            viewer.close()
        except OSError:  # the engine's own proxy accepts before anybody listens behind it
            continue
        return
    raise TimeoutError("no ServerInit")


def base_of(image: str) -> str:
    """The image that this one stands on: as it is called, or its stand-in."""
    label = '{{index .Config.Labels "org.opencontainers.image.base.name"}}'
    return run("docker", "image", "inspect", "--format", label, image)


def our_words(folder: Path, image: str) -> list[str]:
    """What `docker run` needs for ours."""
    return ["-e", f"VNC_TOKEN={TOKEN}", image]


def supervisord_words(folder: Path, image: str) -> list[str]:
    """The same programs as a plain supervisord stack has them: priorities, and its own tick."""
    (folder / "supervisord.conf").write_text(SUPERVISORD)
    (folder / "tokens").write_text(f"{TOKEN}: 127.0.0.1:5901\n")
    words = ["-v", f"{folder}:/bench:ro", "--entrypoint", "/opt/deskgate/bin/python", image]
    return [*words, "-m", "supervisor.supervisord", "-n", "-c", "/bench/supervisord.conf"]


STACKS: dict[str, Callable[[Path, str], list[str]]] = {
    "deskgate": our_words,
    "plain supervisord 4.3 with websockify": supervisord_words,
}


def start_to_server_init(words: list[str]) -> tuple[float, float]:
    """Seconds from `docker run` to ServerInit; memory of what is not Xvnc or jwm, in MiB PSS."""
    port, name = free_port(), f"bench-{secrets.token_hex(4)}"
    began = time.perf_counter()
    # A health check is a Python process of its own, and is not what is measured.
    options = ("--no-healthcheck", "-p", f"127.0.0.1:{port}:8002")
    run("docker", "run", "-d", "--name", name, *options, *words)
    try:
        first_server_init(port)
        return time.perf_counter() - began, memory_of_python(name)
    finally:
        run("docker", "rm", "-f", name)


def memory_of_python(name: str) -> float:
    """PSS of the Python processes in MiB, read on the host as root."""
    lines = run("docker", "top", name, "-eo", "pid,args").splitlines()[1:]
    split = [line.split() for line in lines]
    return pss_mib(int(pid) for pid, command, *_ in split if "python" in command)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--image", default="deskgate:debian")
    arguments = parser.parse_args()
    image, base = arguments.image, base_of(arguments.image)
    floor: list[float] = []
    true: list[float] = []
    inits: dict[str, list[float]] = {name: [] for name in STACKS}
    memory: dict[str, list[float]] = {name: [] for name in STACKS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for _ in range(arguments.runs):
            floor.append(timed(run, "docker", "run", "--rm", base, "true"))
            true.append(timed(run, "docker", "run", "--rm", image, "true"))
            for stack, words in STACKS.items():
                seconds, mib = start_to_server_init(words(folder, image))
                inits[stack].append(seconds)
                memory[stack].append(mib)
    least = statistics.median(floor)
    print(f"{image} on {base}, {arguments.runs} runs, medians\n")
    print("| figure | seconds | over the floor | Python processes, MiB PSS |")
    print("|---|---|---|---|")
    print(f"| `docker run {base} true`, the floor | {least:.2f} | | |")
    middle = statistics.median(true)
    print(f"| `docker run … true`, desktop up and down | {middle:.2f} | +{middle - least:.2f} | |")
    for stack, values in inits.items():
        middle, mib = statistics.median(values), statistics.median(memory[stack])
        print(f"| first ServerInit, {stack} | {middle:.2f} | +{middle - least:.2f} | {mib:.1f} |")
    ours, theirs = (statistics.median(values) - least for values in inits.values())
    print(f"\nOver the floor, plain supervisord takes {theirs / ours:.1f} times as long.")


if __name__ == "__main__":
    main()
