"""A gate that is watched: what it answers is judged at once, and what it holds is measured."""

from __future__ import annotations

import contextlib
import http.client
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.processes import free_port, listens, open_files, pss_mib, wait_until
from benchmarks.proxies import ROOT, Lab, write_files
from benchmarks.viewer import RefusedError, WebSocketViewer

PLACES = 16  # as the product
CLOSING_SECONDS = 5.0  # for the gate to see that the last client is gone
NOBODY = ('viewers{role="control"} 0', 'viewers{role="view"} 0', "connections 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What a gate holds.

    Args:
        pss_mib: swings with how many others share Python's own pages.
        own_mib: what is shared with nobody.
        more_files: than at its start.
    """

    pss_mib: float
    own_mib: float
    rss_mib: float
    more_files: int
    tasks: int
    objects: int


class House:
    """One gate, its tokens and its secret."""

    def __init__(self, lab: Lab, desk: int) -> None:
        self.faults: Counter[str] = Counter()
        self.tally: Counter[str] = Counter()  # what was answered, by status and close code
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.control, self.view = secrets.token_hex(32), secrets.token_hex(32)
        self._desk = desk
        self._config, self._token_file = write_files(lab, self.port, desk)
        self._python = lab.python
        self._secret = secrets.token_hex(32)
        self.replace_tokens()
        self.start()

    def start(self) -> None:
        """Start the gate, with the secret that it had before."""
        words = [str(self._python), "-I", str(ROOT / "benchmarks" / "gate.py")]
        self._process = subprocess.Popen(
            [*words, str(PLACES), str(self._config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self._process.stdin.write(f"{self._secret}\n".encode())
        self._process.stdin.close()
        self._lives: queue.Queue[tuple[int, int]] = queue.Queue()
        threading.Thread(target=self._read, args=(self._process.stderr,), daemon=True).start()
        self._files_at_start = sys.maxsize  # not known yet
        wait_until(lambda: listens(self.port))
        self.ask("/healthz")  # answered when everything is loaded
        with self._alone() as connection:
            wait_until(lambda: self._is_empty(connection))
            self._files_at_start = open_files(self._process.pid)

    def _read(self, log: IO[bytes]) -> None:
        for line in log:
            kind, _, rest = line.decode().partition(": ")
            if kind == "lives":
                tasks, objects = rest.split()
                self._lives.put((int(tasks), int(objects)))
            elif kind == "error":
                self.faults[f"the gate says: {rest.strip()}"] += 1

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def replace_tokens(self) -> None:
        """Write two new ones into the file, whole and by rename; the gate sees it or is told."""
        self.old_tokens = (self.control, self.view)  # of those at first, nobody ever heard
        self.control, self.view = secrets.token_hex(32), secrets.token_hex(32)
        fresh = self._token_file.with_name("fresh")
        fresh.write_text(
            f"# name=control role=control\n{self.control}: 127.0.0.1:{self._desk}\n"
            f"# name=view role=view\n{self.view}: 127.0.0.1:0\n"
        )
        fresh.rename(self._token_file)

    def tell(self) -> None:
        """SIGHUP."""
        self._process.send_signal(signal.SIGHUP)

    # What it holds

    def measure(self) -> State:
        """What the gate holds with nobody there."""
        pid = self._process.pid
        with self._alone() as connection:
            with contextlib.suppress(TimeoutError):  # then more are open, and that is what is told
                wait_until(lambda: self._is_empty(connection), seconds=CLOSING_SECONDS)
            files = open_files(pid)
        os.kill(pid, signal.SIGUSR1)
        tasks, objects = self._lives.get(timeout=10)
        rss = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        return State(
            pss_mib=pss_mib([pid]),
            own_mib=pss_mib([pid], "Pss_Anon"),
            rss_mib=rss / (1 << 20),
            more_files=files - self._files_at_start,
            tasks=tasks,
            objects=objects,
        )

    def _alone(self) -> contextlib.closing[http.client.HTTPConnection]:
        """A connection that stays open while files are counted, so that it counts each time."""
        return contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10))

    def _is_empty(self, connection: http.client.HTTPConnection) -> bool:
        """Whether the gate knows of nobody but this connection, and holds no more than then."""
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {self.control}"})
        said = connection.getresponse().read().decode()
        nobody = all(f"deskgate_{gauge}\n" in said for gauge in NOBODY)
        return nobody and open_files(self._process.pid) <= self._files_at_start

    # What it answers

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, str]:
        """One request; status, body and cookie."""
        host = self.origin.removeprefix("http://")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, headers={"Host": host, **headers})
            answer = connection.getresponse()
            self.tally[f"{answer.status}"] += 1
            cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
            return answer.status, answer.read().decode("latin-1"), cookie

    def serves(self, token: str) -> int:
        """The status of a page, asked for with a Bearer."""
        return self.ask("/vnc.html", Authorization=f"Bearer {token}")[0]

    def welcomes(self, token: str) -> int:
        """The status of a WebSocket."""
        try:
            WebSocketViewer(self.port, token).close()
        except RefusedError as error:
            return error.status
        return 101

    def expect(self, what: str, status: int | None, *right: int | None) -> None:
        """Judge a status, or the code of a close."""
        if status not in right:
            self.faults[f"{what}: {status}"] += 1

    def enter(self, token: str = "", *headers: str) -> WebSocketViewer | None:
        """A viewer with a good credential; None is a fault."""
        try:
            viewer = WebSocketViewer(self.port, token, *headers)
            viewer.server_init()
        except ConnectionError as error:
            self.faults[f"a good credential: {error}"] += 1
            return None
        self.tally["ServerInit"] += 1
        return viewer

    def expect_end(self, what: str, viewer: WebSocketViewer, *right: int | None) -> None:
        """Judge how a viewer is sent away."""
        code = viewer.close_code()
        viewer.close()
        self.tally[f"{what}: {code or 'cut off'}"] += 1
        self.expect(what, code, *right)
