"""Says what keeps this commit from being released: `make release-check`.

Builds the wheel and the sdist into dist/, and tries the wheel where nothing else is installed. All
faults are said, not only the first.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from release import readiness
from release.push import NAME, ROOT, Push, PushError, ask, package_version, read_commit

LOOPBACK: Final = "localhost"  # where also an image on a stand-in may go
INSTALL_SECONDS: Final = 300.0
UNAVAILABLE: Final = 69  # sysexits.h


def build(source: Path, target: Path, kind: str) -> Path:
    """Make a wheel or an sdist; its times are the commit's."""
    when = ask("git", "log", "-1", "--format=%ct")
    words = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    run(words, source, SOURCE_DATE_EPOCH=when)
    suffix = {"wheel": "*.whl", "sdist": "*.tar.gz"}[kind]
    (made,) = target.glob(suffix)
    return made


def run(words: Sequence[str], folder: Path, **env: str) -> str:
    """What a command prints.

    Raises:
        PushError: it failed; with the last of what it said.
    """
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().rpartition("\n")[2]
        raise PushError(f"run `{Path(words[0]).name} {' '.join(words[1:4])}`: {said}")
    return done.stdout


def wheel_faults(wheel: Path, sdist: Path, scratch: Path) -> Iterator[str]:
    """Whether a wheel is the tree, and the sdist gives the same one."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = about["tool"]["hatch"]["build"]["targets"]["wheel"]
    tracked = ask("git", "ls-files").splitlines()
    files = readiness.expected_files(project, tracked)
    tree = {target: (ROOT / path).read_bytes() for path, target in files}
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    yield from readiness.content_faults(inside, tree, "-".join(wheel.name.split("-")[:2]))
    with tarfile.open(sdist) as archive:
        archive.extractall(scratch, filter="data")
    (unpacked,) = scratch.iterdir()
    again = build(unpacked, scratch / "again", "wheel")
    if again.read_bytes() != wheel.read_bytes():
        yield f"{sdist.name} builds another wheel than the tree"


def installed_faults(wheel: Path, scratch: Path, package: str) -> Iterator[str]:
    """Whether the wheel works where nothing else is installed, with its kit."""
    scratch.chmod(0o755)  # as root, deskgate asks whether the gate's user can read its files
    venv.create(scratch, with_pip=True)
    python = str(scratch / "bin/python")
    pip = [python, "-I", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run([*pip, "install", f"{wheel}[testing]"], scratch)
    run([*pip, "check"], scratch)
    command = str(scratch / "bin/deskgate")
    if (said := run([command, "--version"], scratch).strip()) != f"{NAME} {package}":
        yield f"the installed package calls itself {said}, not {package}"
    for words in (["check"], ["render"]):
        run([command, *words], scratch, DESKTOP="none")  # no window manager is needed here
    run([python, "-m", "pytest", "--pyargs", "deskgate.testing", "--collect-only", "-q"], scratch)


def image_faults(environ: Mapping[str, str]) -> Iterator[str]:
    """Whether each variant is built here, from this commit, with this version in its labels."""
    push = Push(environ.get("REGISTRY") or LOOPBACK, read_commit(environ))
    own = ask("docker", "version", "--format", "{{.Server.Arch}}")
    for variant in push.variants:
        image = push.built(variant, own, own)
        for fault in push.faults(image, own, package_version()):
            yield f"{image}: {fault}"


def faults(options: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[str]:
    """Everything that is wrong."""
    package = package_version()
    changed = ask("git", "status", "--porcelain").splitlines()
    if changed:
        yield f"{len(changed)} files are not as they are committed"
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    yield from readiness.changelog_faults(changelog, package)
    here = ask("git", "tag", "--points-at", "HEAD").split()
    yield from readiness.tag_faults(here, package, tagged=not options.before_tag)
    dist = ROOT / "dist"
    for old in (*dist.glob("*.whl"), *dist.glob("*.tar.gz")):
        old.unlink()
    wheel, sdist = build(ROOT, dist, "wheel"), build(ROOT, dist, "sdist")
    with tempfile.TemporaryDirectory() as scratch:
        yield from wheel_faults(wheel, sdist, Path(scratch))
    with tempfile.TemporaryDirectory() as scratch:
        yield from installed_faults(wheel, Path(scratch), package)
    if not options.without_images:
        yield from image_faults(environ)
    for made in (wheel, sdist):
        print(f"{hashlib.sha256(made.read_bytes()).hexdigest()}  {made.relative_to(ROOT)}")


def main(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Say each fault in a line; the exit status."""
    parser = argparse.ArgumentParser(prog="make release-check")
    parser.add_argument("--before-tag", action="store_true", help="the commit needs no tag yet")
    parser.add_argument("--without-images", action="store_true", help="only the package")
    options = parser.parse_args(words)
    status = 0
    for fault in told(options, environ):
        status = UNAVAILABLE
        print(f"release: cannot release {NAME}: {fault}", file=sys.stderr, flush=True)
    return status


def told(options: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[str]:
    """Everything that is wrong, and what could not even be asked."""
    try:
        yield from faults(options, environ)
    except PushError as error:
        yield str(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
