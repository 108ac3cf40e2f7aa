"""What an image says of itself, and what its layers may not hold."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from deskgate import __version__
from deskgate.testing import layers
from deskgate.testing.layers import Entry, inspect
from tests.container.desk import EVERY_VARIANT, ROOT, VARIANTS, base_of, image_of
from tests.container.engine import docker, run

HOME: Final = "https://github.com/deskgate/deskgate"
PREFIX: Final = "org.opencontainers.image."
BUDGETS: Final = json.loads((ROOT / "docker/sizes.json").read_text())
MEGABYTE: Final = 1_000_000
# Where docker/build looks for what it hands the build as a secret.
BUNDLES: Final = ("CA_BUNDLE", "SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
# Texts that open something wherever they are known. The first word of each is searched first.
SECRETS: Final = {
    b"PRIVATE KEY-----": rb"-----BEGIN [A-Z ]*PRIVATE KEY-----[\r\n]+[A-Za-z0-9+/=\r\n]{40}",
    b"gh": rb"\bgh[pousr]_[A-Za-z0-9]{36}",
    b"github_pat_": rb"github_pat_\w{60}",
    b"glpat-": rb"glpat-[\w-]{20}",
    b"npm_": rb"\bnpm_[A-Za-z0-9]{36}",
    b"pypi-": rb"pypi-AgE[\w-]{50}",
    b"AKIA": rb"\bAKIA[0-9A-Z]{16}\b",
}
# In an address, as apt and pip take them. Documentation is full of examples, so not everywhere.
LOGIN: Final = re.compile(rb"://[^/\s:@]+:[^/\s:@]+@[a-zA-Z0-9]")
# Files that people keep secrets in, and places that a build has no business in.
PLACES: Final = re.compile(
    r"(^|/)(\.git|\.ssh|\.gnupg|\.aws|\.docker|\.netrc|\.pypirc|\.npmrc|\.env|pip\.conf"
    r"|id_(rsa|dsa|ecdsa|ed25519)|ssh_host_\w+_key)(/|$)"
    r"|^(root|mnt|run/secrets|etc/apt/auth\.conf\.d|var/lib/apt/lists)/."
    r"|^tmp/.|^etc/apt/auth\.conf$"
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The variants that the suite is for; with --exhaustive all that there are."""
    if "variant" in metafunc.fixturenames:
        every = metafunc.config.getoption("--exhaustive")
        metafunc.parametrize("variant", EVERY_VARIANT if every else VARIANTS)


def git(*words: str) -> str:
    """What git says of this checkout."""
    done = run("git", "-C", str(ROOT), *words)
    assert done.status == 0, done.err
    return done.out.strip()


def test_labels_say_what_the_image_is_made_from(engine: None, variant: str) -> None:
    """OCI's own names, none of them the base's; the time is the commit's, so it comes out again."""
    found = inspect(image_of(variant))
    labels = found["Config"]["Labels"]
    ours = {name.removeprefix(PREFIX): labels[name] for name in labels if name.startswith(PREFIX)}
    commit = ours["revision"].removesuffix("-dirty")
    assert git("rev-parse", "--verify", f"{commit}^{{commit}}") == commit
    when = datetime.fromtimestamp(int(git("log", "-1", "--format=%ct", commit)), UTC)
    assert ours == {
        "title": "deskgate",
        "description": "A desktop behind one secret link",
        "licenses": "MIT",
        "url": HOME,
        "documentation": f"{HOME}#readme",
        "source": HOME,
        "created": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "revision": ours["revision"],
        "version": __version__,
        "ref.name": "deskgate",
        "base.name": base_of(variant),
    }
    assert found["Created"] == ours["created"]
    below = inspect(ours["base.name"])["RootFS"]["Layers"]
    assert found["RootFS"]["Layers"][: len(below)] == below


def found_in(entries: Iterator[Entry], *, given: bytes = b"") -> set[str]:
    """The paths of what looks like a secret, or holds what a build was given as one."""
    return {
        entry.path
        for entry in entries
        if PLACES.search(entry.path)
        or is_secret(entry.data)
        or (entry.path.startswith("etc/") and LOGIN.search(entry.data))
        or (given and given in entry.data)
    }


def is_secret(data: bytes) -> bool:
    """Whether a text holds a key, or a token of a known form."""
    return any(word in data and re.search(form, data) for word, form in SECRETS.items())


def bundle() -> bytes:
    """The certificates that the build trusted: they may name a company's own authority."""
    paths = [os.environ.get(name, name) for name in BUNDLES]
    return next((Path(path).read_bytes() for path in paths if Path(path).is_file()), b"")


def test_no_layer_holds_a_secret(engine: None, variant: str) -> None:
    """Nor one that a later layer hides, nor the image's configuration and history."""
    image = image_of(variant)
    about = inspect(image)
    skip = len(inspect(base_of(variant))["RootFS"]["Layers"])
    assert found_in(layers.entries(about, skip=skip), given=bundle()) == set()
    told = json.dumps([about["Config"], layers.history(image)]).encode()
    assert not is_secret(told)
    assert not LOGIN.search(told)


def test_no_program_runs_as_somebody_else(engine: None, variant: str) -> None:
    """Beyond those of the base: no set-user-ID, set-group-ID or capabilities of a file."""
    base = inspect(base_of(variant))
    theirs = {entry.path for entry in layers.entries(base) if entry.sets_id}
    assert theirs, "any Debian has some: su, passwd"
    above = layers.entries(inspect(image_of(variant)), skip=len(base["RootFS"]["Layers"]))
    assert {entry.path for entry in above if entry.sets_id} - theirs == set()


def test_image_keeps_to_its_size(engine: None, variant: str) -> None:
    """What deskgate adds to the base, and what of it is not the distribution's packages."""
    image = image_of(variant)
    added = inspect(image)["Size"] - inspect(base_of(variant))["Size"]
    steps = layers.history(image)
    packages = next(number for number, (_, step) in enumerate(steps) if "add-packages" in step)
    own = sum(size for size, _ in steps[:packages])
    budget = BUDGETS[variant]
    assert added <= budget["with packages"] * MEGABYTE
    assert own <= budget["without"] * MEGABYTE
    # A budget far above what is there would hide the next ten megabytes.
    assert added > (budget["with packages"] - 20) * MEGABYTE
    assert own > (budget["without"] - 2) * MEGABYTE


# --- that the search finds what is there --------------------------------------------------------

KEY: Final = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + b"b3BlbnNzaC1rZXktdjE" * 4 + b"\n"
PLANTED: Final = {
    "srv/key": KEY,
    "usr/share/app/settings": b'token = "ghp_' + b"a1B2" * 9 + b'"',
    "etc/app.conf": b"index = https://me:hunter2hunter2@pypi.example.org",
    "opt/bundle.crt": b"before" + b"OUR OWN AUTHORITY" + b"after",
    "root/.cache/pip/x": b"",
    "home/me/.netrc": b"",
    "run/secrets/ca": b"",
    "harmless": b"-----BEGIN PRIVATE KEY-----, says the manual",
    "home/me/notes": b"http://host:8080/a@b",
}
# CAP_NET_RAW, permitted and effective (struct vfs_cap_data of linux/capability.h).
CAPABLE: Final = (b"\x01\0\0\x02\0\x20" + bytes(14)).decode()
HARMLESS: Final = {"harmless", "home/me/notes"}


@pytest.fixture(scope="module")
def planted(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """An image with secrets in one layer, all of which the next one replaces."""
    tag = f"deskgate-test-planted:{os.getpid()}"
    below = io.BytesIO()
    with tarfile.open(fileobj=below, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, mode, headers in (
            ("plain", 0o755, {}),
            ("owner", 0o4755, {}),
            ("group", 0o2755, {}),
            ("capable", 0o755, {f"SCHILY.xattr.{layers.CAPABILITY}": CAPABLE}),
        ):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.pax_headers = mode, headers
            archive.addfile(entry)
    docker("import", "-", f"{tag}-below", stdin=below.getvalue())
    folder = tmp_path_factory.mktemp("planted")
    for name, data in PLANTED.items():
        for step, content in (("first", data), ("second", b"")):
            path = folder / step / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    steps = (f"FROM {tag}-below", "COPY first /", "COPY second /")
    (folder / "Dockerfile").write_text("\n".join(steps))
    docker("build", "--quiet", "--tag", tag, str(folder))
    yield inspect(tag)
    docker("rmi", tag, f"{tag}-below")


def test_a_secret_that_a_later_layer_hides_is_found(planted: dict[str, Any]) -> None:
    """Else an empty result above would mean nothing."""
    found = found_in(layers.entries(planted), given=b"OUR OWN AUTHORITY")
    folders = {"root/.cache", "root/.cache/pip"}
    assert found == PLANTED.keys() - HARMLESS | folders


def test_what_runs_as_somebody_else_is_found(planted: dict[str, Any]) -> None:
    """By its mode, or by its capabilities."""
    found = {entry.path for entry in layers.entries(planted) if entry.sets_id}
    assert found == {"owner", "group", "capable"}


def test_every_engine_shows_the_same_layers(planted: dict[str, Any]) -> None:
    """Where its disk cannot be read, `docker save` gives the same."""
    read = set(layers.entries(planted))
    assert set(layers.by_command(planted["Id"])) == read
    above = set(layers.by_command(planted["Id"], skip=1))
    assert above == set(layers.entries(planted, skip=1))
