"""What is installed from where, and the command on the PATH."""

from __future__ import annotations

import sys

import pytest

from deskgate import files, install
from deskgate.errors import UsageError


def test_each_desktop_has_its_packages_beside_those_of_all() -> None:
    """The small one is the default; without any there is still an X server."""
    assert install.desktops() == ["jwm", "none", "xfce"]
    assert "jwm" in install.packages("jwm")
    assert install.packages("none") == install.packages("jwm")[: len(install.packages("none"))]
    assert install.packages("none")[0] == "tigervnc-standalone-server"


def test_the_script_of_our_images_is_the_one_that_install_runs() -> None:
    """One place for what is left out and whom nothing may run as."""
    assert (files.CHECKOUT / "docker" / "add-packages").stat().st_mode & 0o111
    text = (files.CHECKOUT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert "/mnt/add-packages $(sed" in text
    assert "apt-get install --yes --no-install-recommends tigervnc" not in text


def test_the_launcher_is_immune_to_the_users_python_path() -> None:
    """Decision D1."""
    assert install.launcher().splitlines()[0] == f"#!{sys.executable} -I"


def test_our_images_have_the_launcher_that_install_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decision D4: one recipe."""
    monkeypatch.setattr(sys, "executable", "/opt/deskgate/bin/python")
    assert f"<<'LAUNCHER' {install.LAUNCHER}\n{install.launcher()}LAUNCHER\n" in (
        files.CHECKOUT / "docker" / "Dockerfile"
    ).read_text(encoding="utf-8")


def test_a_path_that_no_launcher_can_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel takes one word of at most 127 bytes after #! (execve(2))."""
    for path in ("/opt/my desk/bin/python", f"/{'x' * 130}/bin/python"):
        monkeypatch.setattr(sys, "executable", path)
        with pytest.raises(UsageError, match="/opt/deskgate"):
            install.launcher()
