"""What the layers of an image hold, also what a later one hides.

Read off the engine's own disk where that can be done; else from `docker save`.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Final

from tests.container.engine import run

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


def entries(image: Mapping[str, Any], *, skip: int = 0) -> Iterator[Entry]:
    """All that an image's layers hold, the lowest first; without so many of the lowest.

    Args:
        image: what `docker image inspect` says of it.
    """
    driver = image.get("GraphDriver") or {"Name": "", "Data": {}}
    folders = [folder for folder in driver["Data"].get("LowerDir", "").split(":") if folder][::-1]
    folders.append(driver["Data"].get("UpperDir", "/nowhere"))
    if driver["Name"] == "overlay2" and all(os.access(each, os.R_OK) for each in folders):
        for folder in folders[skip:]:
            yield from from_disk(Path(folder))
    else:
        yield from by_command(image["Id"], image["RootFS"]["Layers"][skip:])


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


def by_command(image: str, layers: Sequence[str]) -> Iterator[Entry]:
    """The same layers, by their digests, from any engine."""
    kinds = {tarfile.REGTYPE: stat.S_IFREG, tarfile.DIRTYPE: stat.S_IFDIR}
    wanted = {f"blobs/{layer.replace(':', '/')}" for layer in layers}
    with Popen(["docker", "save", image], stdout=PIPE) as saving:
        assert saving.stdout is not None
        with tarfile.open(fileobj=saving.stdout, mode="r|") as archive:
            for blob in archive:
                if blob.name not in wanted:
                    continue
                wanted.remove(blob.name)
                with tarfile.open(fileobj=archive.extractfile(blob), mode="r|") as layer:
                    for each in layer:
                        kind = kinds.get(each.type, 0)
                        small = kind == stat.S_IFREG and each.size <= READ_BYTES
                        file = layer.extractfile(each) if small else None
                        yield Entry(
                            path=each.name.rstrip("/"),
                            mode=each.mode | kind,
                            data=file.read() if file else b"",
                            capable=f"SCHILY.xattr.{CAPABILITY}" in each.pax_headers,
                        )
    assert saving.returncode == 0
    assert not wanted, f"docker save lacks {wanted}"


def history(image: str) -> list[tuple[int, str]]:
    """Bytes and command of each step that made an image, the newest first."""
    form = "{{.Size}}\t{{.CreatedBy}}"
    done = run("docker", "history", "--no-trunc", "--human=false", "--format", form, image)
    assert done.status == 0, done.err
    rows = (line.partition("\t") for line in done.out.splitlines() if line[:1].isdigit())
    return [(int(size), command) for size, _, command in rows]
