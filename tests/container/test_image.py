"""What an image says of itself, and that it can be believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from deskgate import __version__
from tests.container.desk import ROOT, VARIANTS, base_of, image_of
from tests.container.engine import docker, run

HOME: Final = "https://github.com/deskgate/deskgate"
PREFIX: Final = "org.opencontainers.image."


def inspect(image: str) -> dict[str, Any]:
    """All that the engine knows of an image."""
    (found,) = json.loads(docker("image", "inspect", image).out)
    return dict(found)


def git(*words: str) -> str:
    """What git says of this checkout."""
    done = run("git", "-C", str(ROOT), *words)
    assert done.status == 0, done.err
    return done.out.strip()


@pytest.mark.parametrize("variant", VARIANTS)
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
