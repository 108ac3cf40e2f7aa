"""What a container leaves to be read: the files that it wrote, and what its processes show.

Read off the engine's own disk and process table where that can be done, which takes 5 ms; else by
docker's command line. In the container itself, this file runs as a script on standard input:
standard library only, Python >= 3.9.
"""

from __future__ import annotations

import base64
import io
import json
import os
import stat
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.container.desk import Desk

Trace = tuple[str, bytes]  # where it was read, and all that stood there
KERNELS = ("/proc", "/sys")  # no files of the container's
GONE = " (deleted)"  # behind the path of an open file that no folder holds (proc(5))


def _family(first: str) -> set[str]:
    """The pids of a process, its children and theirs. What the engine starts is nobody's child."""
    parents = {}
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                about = (each / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[each.name] = about.rpartition(")")[2].split()[1]
    family, size = {first}, 0
    while len(family) > size:
        size = len(family)
        family |= {pid for pid, parent in parents.items() if parent in family}
    return family


def of_processes(first: str) -> Iterator[Trace]:
    """What a container's first process, and all that came of it, show.

    Arguments, environment, and open files that no folder holds: in memory, or removed. Not of those
    that the engine starts there, as `docker exec` does: they get the container's configured
    environment, and are gone again.
    """
    for pid in _family(first):
        process = Path(f"/proc/{pid}")
        try:
            name = (process / "comm").read_text().strip()
            for what in ("cmdline", "environ"):
                yield f"{what} of {name}", (process / what).read_bytes()
            for file in (process / "fd").iterdir():
                path = os.readlink(file)  # noqa: PTH115 - no path of this machine
                if path.endswith(GONE) and file.is_file():
                    yield path[: -len(GONE)], file.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue


def of_files(root: str, below: str = "") -> Iterator[Trace]:
    """Every file of a folder: its name and what is in it; of a link, where it leads.

    Args:
        below: the folder's path in the container.
    """
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(folder, name)
            data = b""
            try:
                mode = path.lstat().st_mode
                if stat.S_ISREG(mode):
                    data = path.read_bytes()
                elif stat.S_ISLNK(mode):
                    data = os.fsencode(path.readlink())
            except FileNotFoundError:
                continue
            yield below + str(path)[len(root) :], os.fsencode(name) + b"\n" + data


def of_memory(first: str) -> Iterator[Trace]:
    """Every file of a tmpfs, which is no part of the container's own file system (proc(5))."""
    for line in Path(f"/proc/{first}/mountinfo").read_text().splitlines():
        mount, kind = line.split()[4], line.rpartition(" - ")[2].split()[0]
        if kind == "tmpfs" and not mount.startswith(KERNELS):
            yield from of_files(f"/proc/{first}/root{mount}", mount)


def from_disk(upper: str, first: str) -> Iterator[Trace]:
    """Read a container from its engine's machine, as root.

    Args:
        upper: the folder of what it wrote (overlay2).
        first: the pid of its first process, on this machine; 0 when it has ended.
    """
    yield from of_files(upper)
    if first != "0":
        yield from of_memory(first)
        yield from of_processes(first)


def _copied(desk: Desk, path: str) -> Iterator[Trace]:
    from tests.container.engine import run

    copy = run("docker", "cp", f"{desk.name}:{path}", "-")
    if copy.status and "Could not find the file" in copy.err:
        return  # gone by now, or the first half of a name with a line break
    assert copy.status == 0, copy.err
    with tarfile.open(fileobj=io.BytesIO(copy.stdout)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            data = file.read() if file else os.fsencode(member.linkname)
            yield path, os.fsencode(member.name) + b"\n" + data


def by_command(desk: Desk, *, running: bool) -> Iterator[Trace]:
    """Read a container by what every engine can do; takes some tenths of a second."""
    # Late, as above: in a container there is this file alone.
    from tests.container.engine import docker
    from tests.container.inside import AS_ROOT

    changes = docker("diff", desk.name).out.splitlines()
    paths = [line[2:] for line in changes if line.startswith(("A /", "C /"))]
    folders = {path.rpartition("/")[0] for path in paths}
    for path in paths:
        if path not in folders:
            yield from _copied(desk, path)
    if running:
        script = Path(__file__).read_bytes()
        found = desk.exec("python3", "-I", "-", options=AS_ROOT, stdin=script)
        assert found.status == 0, found.err
        for place, data in json.loads(found.out):
            yield place, base64.b64decode(data)


def read(desk: Desk) -> list[Trace]:
    """Everything, `docker inspect` included."""
    from tests.container.engine import docker

    text = docker("inspect", desk.name).stdout
    about: dict[str, Any] = json.loads(text)[0]
    first = about["State"]["Pid"]
    driver = about.get("GraphDriver") or {"Name": ""}
    upper = driver["Data"]["UpperDir"] if driver["Name"] == "overlay2" else ""
    ours = os.geteuid() == 0 and Path(upper or "/none").is_dir()
    found = from_disk(upper, str(first)) if ours else by_command(desk, running=first != 0)
    return [("docker inspect", text), *found]


if __name__ == "__main__":
    told = [*of_memory("1"), *of_processes("1")]
    json.dump([[place, base64.b64encode(data).decode()] for place, data in told], sys.stdout)
