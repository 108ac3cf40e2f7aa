"""How the shell scripts speak while they work."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(script: str, *, folder: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash that has the scripts' own words."""
    words = ["bash", "-c", f"source {ROOT}/docker/lib.bash; {script}"]
    return subprocess.run(
        words,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


def test_a_long_step_says_that_it_goes_on() -> None:
    """Every few seconds, also when its own output goes to a file; its status is kept."""
    done = run("busy building sh -c 'sleep 0.5; exit 7' >/dev/null 2>&1", BEAT_SECONDS="0.1")
    assert done.returncode == 7
    said = done.stderr.splitlines()
    assert len(said) >= 2
    assert all(line.startswith("bash: still building (") for line in said)


def test_a_short_step_says_nothing_and_leaves_nothing_behind() -> None:
    """Nothing keeps the caller's pipes open: the ten seconds of a beat would pass."""
    done = run('found=$(busy building echo done); echo "$found"')
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize(("words", "status"), [("", 69), ("73", 73)])
def test_what_cannot_be_done_ends_with_a_status(words: str, status: int) -> None:
    """One line, and a status of sysexits.h."""
    done = run(f"die 'do it' {words}; echo never")
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "bash: cannot do it\n")


def described(folder: Path) -> list[str]:
    """What the labels of an image from a folder would say."""
    done = run(
        'read_commit; echo "$REVISION,$CREATED,$SOURCE_DATE_EPOCH,$VERSION"',
        folder=folder,
        GIT_CEILING_DIRECTORIES=str(folder.parent),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().split(",")


def test_labels_say_the_commit_and_whether_it_is_all(tmp_path: Path) -> None:
    """Its own time; a file that is not committed shows, ignored ones do not."""
    package = tmp_path / "entrypoint" / "deskgate"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Text."""\n\n__version__ = "4.5.6"\n')
    assert described(tmp_path) == ["", "", "", "4.5.6"]
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    (tmp_path / ".gitignore").write_text("dist/\n")
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "one"]):
        when = {"GIT_COMMITTER_DATE": "1700000000 +0200"}
        subprocess.run([*git, *words], env={"PATH": "/usr/bin:/bin", **when}, check=True)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "wheel").touch()
    sha = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()
    clean = [sha, "2023-11-14T22:13:20Z", "1700000000", "4.5.6"]
    assert described(tmp_path) == clean
    (package / "new.py").touch()
    assert described(tmp_path) == [f"{sha}-dirty", *clean[1:]]


def test_root_runs_nothing_by_a_name_that_a_dev_containers_user_may_take() -> None:
    """PATH begins with folders of his in many; the feature's start is root's until `runuser`."""
    text = (ROOT / "features/src/deskgate/install.sh").read_text(encoding="utf-8")
    start = text.partition("<<START\n")[2].partition("\nSTART\n")[0]
    lines = [re.sub(r"#.*", "", line) for line in start.splitlines()]
    said = re.findall(r"[\w/]*\b(?:id|stat|chown|runuser|setsid)\b", "\n".join(lines))
    assert {Path(each).name for each in said} == {"id", "stat", "chown", "runuser", "setsid"}
    assert all(each.startswith(("/usr/bin/", "/usr/sbin/")) for each in said), said
    # His folder is given to him once: later a hard link in it could be to a file of root's.
    assert 'stat --format %U /run/deskgate)" != "$user" ]; then' in start
