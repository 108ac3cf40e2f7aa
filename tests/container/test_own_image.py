"""A desktop in an image of one's own, as the README and the how-to have it, on every base.

The Dockerfiles are those of the pages, word by word; only the base is the one that can be had here,
and the wheel is this checkout's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from deskgate.testing import layers
from deskgate.testing.layers import inspect
from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.building import build, build_base
from tests.container.desk import ONE, ROOT, VARIANTS, base_of, image_of
from tests.container.engine import Result, docker, run, wait_until
from tests.container.web import log_in
from tests.pages import read_blocks

README: Final = "README.md"
PAGE: Final = "docs/how-to/own-image.md"
# Modules that a working directory might shadow; each leaves a mark when it is imported.
TRAPS: Final = ("entrypoint", "deskgate", "jinja2", "h11", "supervisor")
MARK: Final = "/tmp/imported"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """One Dockerfile of the pages, on one base.

    Args:
        page: where it stands.
        number: of the page's Dockerfiles.
        variant: of ours, whose base it is.
        before: what makes a base of that one, as a stranger's image has it.
        user: who the command runs as.
        brings: a file that the base's own Python has.
        default: what the image's own command prints; empty where the desktop alone runs.
        always: in each run, not only with --exhaustive.
    """

    page: str = README
    number: int = 0
    variant: str = ONE
    before: str = ""
    user: str = "root"
    brings: str = ""
    default: str = ""
    always: bool = False


TRAPPED: Final = f"""
WORKDIR /srv
RUN for name in {" ".join(TRAPS)}; do echo 'open("{MARK}", "a").write("it was")' >$name.py; done
"""
OWN_PYTHON: Final = """
RUN apt-get update && apt-get install --yes --no-install-recommends pypy3 pypy3-venv \\
 && pypy3 -m venv /usr/local/own && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/local/own/bin:$PATH
"""
OWN_ENTRYPOINT: Final = r"""
RUN printf '#!/bin/sh\necho "first: $*"\nexec env FIRST=ran "$@"\n' >/docker-entrypoint.sh \
 && printf '#!/bin/sh\necho serving as $FIRST\nexec sleep inf\n' >/usr/bin/serve \
 && chmod +x /docker-entrypoint.sh /usr/bin/serve
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["serve"]
"""
OWN_USER: Final = """
RUN useradd --create-home app
USER app
"""
RECIPES: Final = {
    "trixie": Recipe(before=TRAPPED, always=True),
    "bookworm": Recipe(page=PAGE, variant="bookworm"),
    "own user": Recipe(
        page=PAGE, number=1, variant="bookworm", before=TRAPPED + OWN_USER, user="app"
    ),
    "own python": Recipe(
        variant="bookworm", before=OWN_PYTHON + TRAPPED, brings="/pip/__init__.py"
    ),
    "own entrypoint": Recipe(
        page=PAGE, number=2, before=OWN_ENTRYPOINT, default="first: serve\nserving as ran\n"
    ),
    **{variant: Recipe(variant=variant) for variant in VARIANTS[1:]},
}


def dockerfiles(page: str) -> list[str]:
    """Those of a page; test_pages.py builds the ones that have a name."""
    blocks = read_blocks((ROOT / page).read_text(encoding="utf-8"))
    return [block.text for block in blocks if block.language == "dockerfile" and not block.name]


def test_every_dockerfile_of_the_pages_is_tried() -> None:
    """One that is not would rot."""
    tried = {(recipe.page, recipe.number) for recipe in RECIPES.values()}
    written = {(page, at) for page in (README, PAGE) for at in range(len(dockerfiles(page)))}
    assert tried == written
    assert dockerfiles(README)[0].count("\n") == 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """An image that was made by a recipe, and what it stands on."""

    recipe: Recipe
    base: str
    image: str


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The README's each time, all of them with --exhaustive."""
    if "built" in metafunc.fixturenames:
        every = metafunc.config.getoption("--exhaustive")
        names = [name for name, recipe in RECIPES.items() if recipe.always or every]
        metafunc.parametrize("built", names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def built(request: pytest.FixtureRequest, engine: None, wheels: Path) -> Iterator[Built]:
    """Each recipe as it stands in the page."""
    recipe = RECIPES[request.param]
    tag = f"deskgate-test-own:{os.getpid()}"
    try:
        base = build_base(f"{tag}-base", recipe.variant, wheels, recipe.before)
        steps = dockerfiles(recipe.page)[recipe.number].partition("\n")[2]
        yield Built(recipe=recipe, base=base, image=build(tag, f"FROM {base}\n{steps}", wheels))
    finally:
        run("docker", "rmi", "--force", tag, f"{tag}-base")


@pytest.mark.timeout(600)
def test_the_link_opens_the_desktop(built: Built, make_desk: MakeDesk) -> None:
    """From the printed link to the first picture; healthy, and stopped at once."""
    desk = make_desk(image=built.image).start()
    with Viewer(desk, headers=log_in(desk, desk.token())) as viewer:
        assert (viewer.width, viewer.height) == (1280, 800)
    assert {name: row["state"] for name, row in desk.status().items()} == {
        "gate": "ready",
        "wm": "ready",
        "xvnc": "ready",
    }
    desk.must("deskgate", "health")
    assert desk.must("id", "-un").strip() == built.recipe.user
    assert desk.stop() < 5
    assert desk.exit_status() == (143 if built.recipe.default else 0)


def test_the_command_is_the_images_own(built: Built, make_desk: MakeDesk) -> None:
    """By its user, with its exit status."""
    done = make_desk(image=built.image, command=("sh", "-c", "id -un; exit 7")).run()
    assert (done.status, done.out.splitlines()[-1]) == (7, built.recipe.user), done.err


def test_the_images_own_entrypoint_and_command_run(built: Built, make_desk: MakeDesk) -> None:
    """Where the recipe names them; else the desktop alone runs."""
    wanted = built.recipe.default
    assert bool(inspect(built.image)["Config"]["Cmd"]) == bool(wanted)
    desk = make_desk(image=built.image).start()
    wait_until(lambda: desk.output.out == wanted, 5, what=f"standard output {wanted!r}")


PACKAGES: Final = """
import hashlib, pathlib, sys
for folder in filter(lambda each: each.endswith("-packages"), sys.path):
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            print(path, hashlib.sha256(path.read_bytes()).hexdigest())
"""
KNOWS: Final = "import importlib.util as u, sys; sys.exit(u.find_spec('segno') is not None)"


def python(image: str, *words: str) -> str | None:
    """What the image's python3 says, without deskgate; None when it has none, or no pip."""
    done = run("docker", "run", "--rm", "--entrypoint", "python3", image, *words)
    return done.out if done.status == 0 else None


def test_nothing_is_added_to_the_images_python(built: Built) -> None:
    """What it had is there, file by file; one that came with the desktop knows nothing of ours."""
    files, packages = ("-c", PACKAGES), ("-m", "pip", "freeze")
    assert built.recipe.brings in (python(built.base, *files) or "")
    for words in (files, packages):
        before = python(built.base, *words)
        assert before is None or python(built.image, *words) == before
    assert python(built.image, "-c", KNOWS) == ""


def test_a_module_of_the_working_directory_is_not_ours(built: Built, make_desk: MakeDesk) -> None:
    """Nor one of PYTHONPATH: each would leave a mark, and none does until it is meant."""
    desk = make_desk(image=built.image, env={"PYTHONPATH": "/srv"}).start()
    desk.must("deskgate", "health")
    assert desk.exec("test", "-e", MARK).status == 1
    if TRAPPED in built.recipe.before:
        desk.must("python3", "-c", "import entrypoint")
        assert desk.must("cat", MARK) == "it was"


def test_no_program_of_it_runs_as_somebody_else(built: Built) -> None:
    """Beyond those of the base."""
    base = inspect(built.base)
    theirs = {entry.path for entry in layers.entries(base) if entry.sets_id}
    above = layers.entries(inspect(built.image), skip=len(base["RootFS"]["Layers"]))
    assert {entry.path for entry in above if entry.sets_id} - theirs == set()


# --- what is said before anything is done --------------------------------------------------------


@pytest.fixture
def bare(engine: None, tmp_path: Path) -> Iterator[list[str]]:
    """The words that run deskgate in a base that has a Python and no desktop."""
    name = f"deskgate-test-venv-{os.getpid()}"
    docker("create", "--name", name, image_of("python"))
    try:
        docker("cp", f"{name}:/opt/deskgate", str(tmp_path / "deskgate"))
    finally:
        docker("rm", name)
    venv = f"{tmp_path}/deskgate:/opt/deskgate:ro"
    name += "-run"
    yield ["--name", name, "--network", "none", "--volume", venv]
    docker("rm", name)


def install(bare: Sequence[str], *options: str) -> Result:
    """`deskgate install --dry-run` there, by the way that the page has it."""
    (command,) = re.findall(r"^\$ (.*--dry-run)$", (ROOT / PAGE).read_text(), re.MULTILINE)
    return run("docker", "run", *bare, *options, base_of("python"), *command.split())


def changed(bare: list[str]) -> set[str]:
    """What the container has that its base has not, but for where the venv is mounted."""
    return {*docker("diff", bare[1]).out.splitlines()} - {"C /opt", "A /opt/deskgate"}


def test_a_dry_run_says_all_and_changes_nothing(bare: list[str]) -> None:
    """As the page shows it, but for what this base has already; no network is needed."""
    done = install(bare)
    assert done.status == 0, done.err
    (shown,) = re.findall(r"^\$ .*dry-run\n(.*?)```", (ROOT / PAGE).read_text(), re.M | re.S)
    assert done.out.splitlines()[-4:] == shown.splitlines()[-4:]
    assert sorted(re.findall(r"[\w-]+", done.out.partition("\ntake")[0])) == sorted(
        re.findall(r"[\w-]+", shown.partition("\ntake")[0])
    )
    assert changed(bare) == set()


OTHER: Final = {
    "alpine": (
        'ID=alpine\nPRETTY_NAME="Alpine Linux v3.22"\nVERSION_ID=3.22.1\n',
        "Alpine Linux v3.22: give the image a base of Debian 12 or newer, Ubuntu 24.04 or newer, "
        "or what stands on them; or install what is missing, Xvnc, jwm, xterm, ",
    ),
    "bullseye": (
        'ID=debian\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nVERSION_ID="11"\n',
        "Debian GNU/Linux 11 (bullseye): it is too old: give the image a base of Debian 12 ",
    ),
}


@pytest.mark.parametrize("system", OTHER)
def test_another_distribution_is_named(bare: list[str], system: str, tmp_path: Path) -> None:
    """With what is missing and what to do, before anything is done."""
    fields, said = OTHER[system]
    (tmp_path / "os-release").write_text(fields)
    done = install(bare, "--volume", f"{tmp_path}/os-release:/etc/os-release:ro")
    assert (done.status, done.out) == (66, "")
    assert done.err.startswith(f"deskgate: error: install: cannot install on {said}")
    assert changed(bare) == set()
