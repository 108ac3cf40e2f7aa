"""What can be served, and with which headers."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from deskgate.files import templates_dir, web_dir
from deskgate.gate import pages
from deskgate.gate.headers import common

from .samples import config

HEADERS = common(config())


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A web folder with everything that must not be served beside what must."""
    root = tmp_path / "web"
    (root / "app").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "vnc.html").write_text('<script type="module">1</script><script src="a.js"></script>')
    (root / "app" / "ui.js").write_text("let x")
    (root / "app" / "data.bin").write_bytes(b"\0")
    (root / ".git" / "config").write_text("hidden")
    (root / ".hidden").write_text("hidden")
    (tmp_path / "outside").write_text("outside")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "folder").symlink_to(tmp_path)
    os.mkfifo(root / "fifo")
    return root


def test_h5_only_regular_files_inside_are_served(web: Path) -> None:
    """No link, no dot file, no pipe."""
    assert set(pages.index_folder(str(web))) == {"vnc.html", "app/ui.js", "app/data.bin"}


def test_h7_a_file_comes_with_its_type_and_is_asked_for_again(web: Path) -> None:
    """Kept by the browser, but never used without the credential being checked."""
    page = pages.index_folder(str(web))["app/ui.js"]
    answer = pages.serve(page, HEADERS, [])
    headers = dict(answer.headers)
    assert (answer.status, answer.body) == (200, b"let x")
    assert headers["Content-Type"].startswith("text/javascript")
    assert headers["Cache-Control"] == "private, no-cache"
    for known in (headers["ETag"], f"W/{headers['ETag']}", "*"):
        again = pages.serve(page, HEADERS, ['"other"', known])
        assert (again.status, again.body) == (304, b"")
    assert pages.serve(page, HEADERS, ['"other"']).status == 200


def test_a_text_is_sent_in_gzip_to_who_takes_it(web: Path) -> None:
    """Half of our page's time on a slow network. Other bytes have another name."""
    text = "let x = 1;\n" * 500
    (web / "app" / "ui.js").write_text(text)
    page = pages.index_folder(str(web))["app/ui.js"]
    plain = pages.serve(page, HEADERS, [], ["br", "deflate", "x-gzip"])
    small = pages.serve(page, HEADERS, [], ["br", "gzip"])
    assert plain.body == text.encode()
    assert gzip.decompress(small.body) == text.encode()
    assert len(small.body) < len(plain.body) / 10
    told = [dict(answer.headers) for answer in (plain, small)]
    assert [each.get("Content-Encoding") for each in told] == [None, "gzip"]
    assert [each["Vary"] for each in told] == ["Accept-Encoding"] * 2
    assert told[0]["ETag"] != told[1]["ETag"]
    for codings, own, other in ((["gzip"], 1, 0), ([], 0, 1)):
        assert pages.serve(page, HEADERS, [told[own]["ETag"]], codings).status == 304
        assert pages.serve(page, HEADERS, [told[other]["ETag"]], codings).status == 200


def test_what_gets_no_smaller_or_takes_long_is_sent_as_it_is(web: Path) -> None:
    """A few bytes, a picture, and what would hold up everybody else."""
    (web / "app" / "ui.js").write_bytes(b"x" * (pages.SQUEEZED_BYTES_AT_MOST + 1))
    (web / "app" / "a.css").write_text("a")
    (web / "app" / "a.png").write_bytes(b"x" * 5000)
    files = pages.index_folder(str(web))
    for name in ("app/ui.js", "app/a.css", "app/a.png"):
        answer = pages.serve(files[name], HEADERS, [], ["gzip"])
        assert answer.body == (web / name).read_bytes()
        assert "Content-Encoding" not in dict(answer.headers)


@pytest.mark.timeout(10)
def test_h5_what_took_a_files_name_is_not_served(web: Path, tmp_path: Path) -> None:
    """A link is not followed, and a pipe is not waited for, which would stop the whole gate."""
    path = web / "app" / "ui.js"
    page = pages.index_folder(str(web))["app/ui.js"]
    path.unlink()
    path.symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="symbolic links"):
        pages.serve(page, HEADERS, [])
    path.unlink()
    os.mkfifo(path)
    assert pages.serve(page, HEADERS, []).body == b""


def test_an_unknown_type_is_bytes(web: Path) -> None:
    """With nosniff, nothing is run by accident."""
    answer = pages.serve(pages.index_folder(str(web))["app/data.bin"], HEADERS, [])
    assert dict(answer.headers)["Content-Type"] == "application/octet-stream"


def test_a_page_runs_its_own_inline_scripts_and_no_other(web: Path) -> None:
    """The hash is of the installed file; sha256 of `1` here. HTML is never kept."""
    answer = pages.serve(pages.index_folder(str(web))["vnc.html"], HEADERS, ["*"])
    headers = dict(answer.headers)
    hashed = "sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s="
    assert f"script-src 'self' '{hashed}';" in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].endswith("; frame-ancestors 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert answer.status == 200


def test_a_changed_file_has_another_etag(web: Path) -> None:
    """Even with one size and one modification time, as reproducible builds have it."""
    path = web / "app" / "ui.js"
    before = pages.index_folder(str(web))["app/ui.js"].etag
    status = path.stat()
    path.write_text("let y")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert pages.index_folder(str(web))["app/ui.js"].etag != before


def test_a_folder_can_be_served_below_another() -> None:
    """What our page loads, beside noVNC's files."""
    own = pages.index_folder(str(templates_dir() / "web" / "page"), under="page/")
    assert {"page/main.js", "page/page.css"} <= set(own)
    assert not set(own) & set(pages.index_folder(str(web_dir())))


def test_our_locked_page_is_whole_and_tells_nothing() -> None:
    """No version, no other file, its one script allowed by hash."""
    page = pages.load_page(templates_dir() / "web" / "index.html")
    assert page.csp.count("sha256-") == 2
    assert page.locked != page.opened
    for word in (b"noVNC", b"http://", b"https://", b"src="):
        assert word not in page.locked


def test_the_novnc_we_ship_runs_under_the_policy() -> None:
    """One inline module; no inline style, no event attribute."""
    files = pages.index_folder(str(web_dir()))
    page = files["vnc.html"]
    assert page.csp is not None
    assert page.csp.count("sha256-") == 1
    html = page.path.read_text("utf-8")
    assert not any(f" {name}=" in html for name in ("onclick", "onload", "onerror", "style"))
    assert {"app/ui.js", "core/rfb.js"} <= set(files)
