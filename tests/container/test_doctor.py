"""`deskgate doctor`: real mistakes, seen from inside the container and from where a browser is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import PORT, ROOT, Desk, image_of
from tests.container.engine import Result, free_port, run, wait_until
from tests.container.web import bearer

Told = list[dict[str, str]]
LOGGED_OUT = "/run/deskgate/logged-out.json"
SEARCH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"  # Debian's place of nginx
# What a person writes who has not heard of WebSockets.
NGINX = """\
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{}}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxied;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{gate}; {more} }}
    }}
}}
"""


def doctor_outside(link: str, *words: str) -> tuple[int, Told]:
    """Try a link from here; standard input has it, as no argument may."""
    environ = {"PATH": SEARCH, "PYTHONPATH": f"{ROOT}/entrypoint:{':'.join(sys.path)}"}
    command = [sys.executable, "-m", "deskgate", "doctor", "--link", "--json", *words]
    done = subprocess.run(
        command, input=f"{link}\n", env=environ, capture_output=True, text=True, timeout=30
    )
    assert "token" not in done.stdout.replace("the token", ""), "a link stands in what it says"
    return done.returncode, json.loads(done.stdout)


def doctor_inside(desk: Desk) -> tuple[int, Told]:
    """`docker exec NAME deskgate doctor`."""
    return read(desk.exec("deskgate", "doctor", "--json"))


def doctor_instead(*options: str) -> tuple[int, Told]:
    """`docker run --rm --entrypoint deskgate IMAGE doctor`, in the place of a start that fails."""
    words = ("--rm", *options, "--entrypoint", "deskgate", image_of("debian"), "doctor", "--json")
    return read(run("docker", "run", *words))


def read(done: Result) -> tuple[int, Told]:
    """Exit status, and what was found."""
    assert done.err == ""
    found: Told = json.loads(done.out)
    return done.status, found


def bad(told: Told) -> list[str]:
    """Errors and warnings, each with its level."""
    return [f"{each['level']}: {each['what']}" for each in told if each["level"] != "ok"]


@contextmanager
def nginx(folder: Path, gate: int, more: str = "") -> Iterator[int]:
    """A proxy that passes no upgrade on; gives its port."""
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(port=port, gate=gate, more=more))
    process = subprocess.Popen(
        ["nginx", "-p", ".", "-e", "error.log", "-c", "nginx.conf"],
        cwd=folder,
        env={"PATH": SEARCH},
    )

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(listens, 10, what="nginx")
        yield port
    finally:
        process.terminate()
        process.wait(5)


@pytest.fixture(scope="module")
def everywhere() -> int:
    """A port that the shared desk has on all addresses, besides that on loopback."""
    return free_port()


@pytest.fixture(scope="module")
def desk(make_module_desk: MakeDesk, everywhere: int) -> Desk:
    """One desk, for what can be seen of any."""
    return make_module_desk(options=("-p", f"{everywhere}:{PORT}")).start()


def test_a_good_desktop_is_well(make_desk: MakeDesk) -> None:
    """Inside, once somebody has been there; outside, with each link and its way told."""
    desk = make_desk().start()
    lines = desk.must("deskgate", "doctor").splitlines()
    assert lines[0] == "warning  nobody has come in yet"
    assert lines[1].startswith("         → if the link does not open, publish the port")
    assert lines[2] == "ok       the settings can be used"
    assert "\x1b[33mwarning" in desk.exec("deskgate", "doctor", options=("--tty",)).out
    status, told = doctor_inside(desk)
    assert (status, bad(told)) == (0, ["warning: nobody has come in yet"])
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        viewer.settle()
    status, told = doctor_inside(desk)
    assert (status, bad(told)) == (0, [])
    for role in ("control", "view"):
        status, told = doctor_outside(desk.link(role))
        assert (status, bad(told)) == (0, [])
        assert told[-1]["what"] == "the desktop comes through its WebSocket"


def test_a_port_that_is_not_published_is_named() -> None:
    """Outside, as nothing listens there."""
    status, told = doctor_outside(f"http://localhost:{free_port()}/#token=5f0c")
    assert status == 69
    assert told[0]["what"].startswith("nothing listens at localhost port")
    assert told[0]["fix"].startswith("publish the port, -p 127.0.0.1:")


def test_a_port_on_all_addresses_without_tls_is_named(desk: Desk, everywhere: int) -> None:
    """`-p 8002:8002`, as many write it."""
    status, told = doctor_outside(f"http://localhost:{everywhere}/#token={desk.token()}")
    assert status == 0
    said = "the port is published on all addresses of this machine, without TLS"
    assert bad(told) == [f"warning: {said}"]


def test_a_proxy_without_upgrade_is_named_on_both_sides(desk: Desk, tmp_path: Path) -> None:
    """With the lines for nginx that mend it; and with those it is well."""
    host = "proxy_set_header Host $http_host;"
    with nginx(tmp_path, desk.port, host) as port:
        status, told = doctor_outside(f"http://localhost:{port}/#token={desk.token()}")
    assert status == 69
    said = "a proxy on the way does not pass the WebSocket on (status 426)"
    assert bad(told) == [f"error: {said}"]
    assert "proxy_set_header Upgrade $http_upgrade;" in told[-1]["fix"]
    status, told = doctor_inside(desk)
    assert (status, told[0]["level"]) == (69, "error")
    assert told[0]["what"].endswith(" a WebSocket came without its Upgrade: a proxy keeps it back")
    mend = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    mend += "proxy_set_header Connection upgrade;"
    with nginx(tmp_path, desk.port, host + mend) as port:
        assert doctor_outside(f"http://localhost:{port}/#token={desk.token()}")[0] == 0


def test_a_proxy_that_says_another_host_is_named(desk: Desk, tmp_path: Path) -> None:
    """The gate takes its own page for another site's."""
    with nginx(tmp_path, desk.port, "proxy_set_header Host internal;") as port:
        status, told = doctor_outside(f"http://localhost:{port}/#token={desk.token()}")
    assert status == 69
    assert bad(told) == ["error: the gate does not know this address as its own"]
    assert f"PUBLIC_URL=http://localhost:{port}," in told[-1]["fix"]


def test_a_frame_that_is_not_allowed_is_named(make_desk: MakeDesk, desk: Desk) -> None:
    """And one that is allowed is not."""
    app = "https://app.example.org"
    told = doctor_outside(desk.link(), "--frame", app)[1]
    assert f"error: {app} may not show the page in a frame" in bad(told)
    framed = make_desk(env={"VNC_FRAME_ANCESTORS": app}).start()
    assert bad(doctor_outside(framed.link(), "--frame", app)[1]) == []


def test_a_token_that_opens_nothing_is_named(desk: Desk) -> None:
    """Of an older start, say."""
    status, told = doctor_outside(desk.link()[:-4] + "0000")
    assert (status, told[-1]["level"]) == (69, "error")
    assert told[-1]["what"].startswith("the token opens nothing")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody vouches for, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    folder.chmod(0o755)
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    words += ["-nodes", "-subj", "/CN=localhost", "-keyout", "key", "-out", "cert", "-days", "2"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    (folder / "key").chmod(0o644)
    return folder


def test_tls_that_a_browser_would_not_take_is_named(
    make_desk: MakeDesk, desk: Desk, pem: Path
) -> None:
    """A certificate that nobody vouches for; and each scheme at the port of the other."""
    env = {"NOVNC_CERT": "/tls/cert", "NOVNC_KEY": "/tls/key"}
    safe = make_desk(env=env, options=("-v", f"{pem}:/tls:ro")).start()
    said = bad(doctor_outside(safe.link())[1])
    assert said == ["error: a browser does not trust the certificate: self-signed certificate"]
    said = bad(doctor_outside(safe.link().replace("https:", "http:"))[1])
    assert said == ["error: what answers speaks no http"]
    said = bad(doctor_outside(desk.link().replace("http:", "https:"))[1])
    assert said == ["error: the port speaks plain http, the link says https"]


# Why a start fails → options of `docker run`, and the error that is named.
BEFORE_A_START: dict[str, tuple[tuple[str, ...], str]] = {
    "no /tmp": (("--read-only",), "/tmp cannot be used: uid 10001 cannot write it"),
    "/tmp is full": (("--tmpfs", "/tmp:size=4k,nr_inodes=1"), "/tmp cannot be used: it is full"),
    "bad setting": (("-e", "VNC_DPI=big"), 'VNC_DPI: cannot use "big": give dots per inch'),
    "no window manager": (("-e", "DESKTOP=kde"), 'DESKTOP: cannot use "kde": not found'),
}


@pytest.mark.parametrize(("options", "what"), BEFORE_A_START.values(), ids=BEFORE_A_START)
def test_what_keeps_a_start_from_working_is_named(
    engine: None, options: tuple[str, ...], what: str
) -> None:
    """In the place of the start, with its options."""
    status, told = doctor_instead(*options)
    assert status == 69
    assert told[0]["level"] == "error"
    assert told[0]["what"].startswith(what)


def test_before_a_good_start_all_is_well(engine: None) -> None:
    """The positive control of the above."""
    assert doctor_instead()[0] == 0


def test_an_old_novnc_is_named(make_desk: MakeDesk, tmp_path: Path) -> None:
    """Debian 12 has 1.3."""
    (tmp_path / "package.json").write_text('{"name": "@novnc/novnc", "version": "1.3.0"}')
    tmp_path.chmod(0o755)
    options = ("-v", f"{tmp_path}:/novnc:ro", "-e", "NOVNC_WEB=/novnc", "-e", "SUBPATH=/desk/")
    told = doctor_instead(*options)[1]
    assert any("noVNC 1.3.0 of NOVNC_WEB is old" in each for each in bad(told))


def test_a_program_that_cannot_live_is_named(make_desk: MakeDesk, tmp_path: Path) -> None:
    """With the command that tells why."""
    (tmp_path / "app.conf").write_text("[program:app]\ncommand=false\nautorestart=false\n")
    tmp_path.chmod(0o755)
    desk = make_desk(options=("-v", f"{tmp_path}:/etc/deskgate/programs.d:ro"))
    desk.allow("^deskgate: warning: app: ")
    desk.start()
    wait_until(lambda: desk.status()["app"]["state"] == "failed", 10)
    status, told = doctor_inside(desk)
    assert status == 69
    assert (told[0]["what"], told[0]["fix"]) == ("app cannot live", "deskgate logs app says why")


def test_a_visit_leaves_no_session(desk: Desk) -> None:
    """It logs out, so the cookie that it was given opens nothing any more."""

    def ended() -> int:
        by_token = json.loads(desk.must("cat", LOGGED_OUT))["ids"].values()
        return sum(map(len, by_token))

    assert doctor_outside(desk.link())[0] == 0
    before = ended()
    assert doctor_outside(desk.link())[0] == 0
    assert ended() == before + 1
