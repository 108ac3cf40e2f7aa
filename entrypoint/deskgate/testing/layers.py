"""What the layers of an image hold, also what a later one hides.

Read off the engine's own disk where that can be done; else from `docker save`.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from deskgate.testing.engine import docker, run

# Larger files are not read: 85 % of the bytes, and no secret is of that size.
READ_BYTES: Final = 512 * 1024
CAPABILITY: Final = "security.capability"  # of a file (capabilities(7))


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file or folder of a layer.

    Args:
        path: from the root on, without the first slash.
        mode: as stat(2) gives it.
        data: of a file that is not too large.
        capable: whether it runs with capabilities of its own.
    """

    path: str
    mode: int
    data: bytes
    capable: bool

    @property
    def sets_id(self) -> bool:
        """Whether it runs as somebody else than who starts it."""
        special = self.mode & (stat.S_ISUID | stat.S_ISGID)
        return stat.S_ISREG(self.mode) and (bool(special) or self.capable)


def inspect(image: str) -> dict[str, Any]:
    """All that the engine knows of an image."""
    (found,) = json.loads(docker("image", "inspect", image).out)
    return dict(found)


def entries(image: Mapping[str, Any], *, skip: int = 0) -> Iterator[Entry]:
    """All that an image's layers hold, the lowest first; without so many of the lowest.

    Args:
        image: what `inspect` says of it.
    """
    driver = image.get("GraphDriver") or {"Name": "", "Data": {}}
    folders = [folder for folder in driver["Data"].get("LowerDir", "").split(":") if folder][::-1]
    folders.append(driver["Data"].get("UpperDir", "/nowhere"))
    if driver["Name"] == "overlay2" and all(os.access(each, os.R_OK) for each in folders):
        for folder in folders[skip:]:
            yield from from_disk(Path(folder))
    else:
        yield from by_command(image["Id"], skip=skip)


def from_disk(root: Path) -> Iterator[Entry]:
    """A layer, by its folder."""
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(folder, name)
            about = path.lstat()
            regular = stat.S_ISREG(about.st_mode)
            yield Entry(
                path=str(path.relative_to(root)),
                mode=about.st_mode,
                data=path.read_bytes() if regular and about.st_size <= READ_BYTES else b"",
                capable=regular and CAPABILITY in os.listxattr(path),
            )


def by_command(image: str, *, skip: int = 0) -> Iterator[Entry]:
    """The same, from any engine; `manifest.json` says what it calls the layers."""
    with tempfile.TemporaryFile() as saved:
        subprocess.run(["docker", "save", image], stdout=saved, check=True)
        saved.seek(0)
        with tarfile.open(fileobj=saved) as archive:
            (manifest,) = json.load(_file(archive, "manifest.json"))
            for name in manifest["Layers"][skip:]:
                with tarfile.open(fileobj=_file(archive, name)) as layer:
                    yield from map(partial(_entry, layer), layer)


def _file(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    assert file is not None, f"docker save lacks {name}"
    return file


def _entry(layer: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    kind = {tarfile.REGTYPE: stat.S_IFREG, tarfile.DIRTYPE: stat.S_IFDIR}.get(member.type, 0)
    small = kind == stat.S_IFREG and member.size <= READ_BYTES
    file = layer.extractfile(member) if small else None
    return Entry(
        path=member.name.rstrip("/"),
        mode=member.mode | kind,
        data=file.read() if file else b"",
        capable=f"SCHILY.xattr.{CAPABILITY}" in member.pax_headers,
    )


def history(image: str) -> list[tuple[int, str]]:
    """Bytes and command of each step that made an image, the newest first."""
    form = "{{.Size}}\t{{.CreatedBy}}"
    done = run("docker", "history", "--no-trunc", "--human=false", "--format", form, image)
    assert done.status == 0, done.err
    rows = (line.partition("\t") for line in done.out.splitlines() if line[:1].isdigit())
    return [(int(size), command) for size, _, command in rows]
