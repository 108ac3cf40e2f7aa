"""A registry on loopback: Debian's docker-registry, as a plain process that ends with the block."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.container.engine import free_port, wait_until

START_SECONDS: Final = 10.0  # it takes 0.1 s
INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
KINDS: Final = (
    *INDEXES,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
CONFIG: Final = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "{address}"}}
"""


class Registry:
    """What a running registry holds, as it says itself."""

    def __init__(self, address: str) -> None:
        self.address = address

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository; none for one that it does not know."""
        try:
            found = json.loads(self._get(f"{repository}/tags/list")[0])
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        return sorted(found["tags"] or [])

    def manifest(self, repository: str, tag: str) -> tuple[str, dict[str, Any]]:
        """Digest and content of what a tag leads to."""
        body, digest = self._get(f"{repository}/manifests/{tag}")
        return digest, json.loads(body)

    def _get(self, path: str) -> tuple[bytes, str]:
        request = urllib.request.Request(f"http://{self.address}/v2/{path}")
        request.add_header("Accept", ", ".join(KINDS))
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read(), answer.headers.get("Docker-Content-Digest", "")


@contextmanager
def running_registry(folder: Path) -> Iterator[Registry]:
    """Run one until the block ends, with its data in a folder."""
    program = shutil.which("docker-registry")
    assert program, "no docker-registry: `docker/prepare docker-registry` installs it"
    address = f"127.0.0.1:{free_port()}"
    (folder / "registry.yml").write_text(CONFIG.format(folder=folder, address=address))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", str(folder / "registry.yml")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

        def answers() -> bool:
            assert process.poll() is None, (folder / "registry.log").read_text()
            try:
                urllib.request.urlopen(f"http://{address}/v2/", timeout=1).close()
            except OSError:
                return False
            return True

        try:
            wait_until(answers, START_SECONDS, what="a registry")
            yield Registry(address)
        finally:
            process.terminate()
            process.wait(10)
