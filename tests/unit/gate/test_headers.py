"""Frames and cookies in them."""

from __future__ import annotations

from deskgate.gate.headers import common, page_csp, viewer_csp
from deskgate.gate.messages import Answer
from deskgate.gate.policy import decide

from .samples import CONTROL, config, context, request


def test_listed_pages_may_frame_us() -> None:
    """And then the opener policy, which breaks them, goes."""
    headers = dict(common(config(frame_ancestors=["https://a.test", "https://b.test"])))
    assert headers["Content-Security-Policy"].endswith(
        "frame-ancestors https://a.test https://b.test"
    )
    assert "Cross-Origin-Opener-Policy" not in headers


def test_the_policies_have_no_unsafe_word() -> None:
    """Hashes only; noVNC runs without (measured)."""
    for csp in (viewer_csp(["sha256-a"], ["sha256-b"]), page_csp(["sha256-a"], ["sha256-b"])):
        assert "unsafe" not in csp
        assert csp.startswith("default-src 'none'")
        assert "'sha256-a'" in csp
        assert "; connect-src 'self'; " in csp
        assert "; base-uri 'none'; " in csp
        assert "*" not in csp
    assert "script-src 'self'; style-src 'self'; img-src 'self' data:; " in page_csp([], [])


def cookie_of(host: str, **changes: object) -> str:
    decision = decide(request(f"/?token={CONTROL}", host=host), context(**changes))  # type: ignore[arg-type]
    assert isinstance(decision, Answer)
    return dict(decision.headers)["Set-Cookie"]


def test_a_framed_cookie_is_partitioned_where_browsers_take_it() -> None:
    """On plain http to a LAN address none would arrive, so the usual one is set."""
    listed = ["https://a.test"]
    framed = "SameSite=None; Secure; Partitioned"
    assert cookie_of("localhost", frame_ancestors=listed).endswith(framed)
    secure = cookie_of("d.test", frame_ancestors=listed, public_url="https://d.test")
    assert secure.endswith(framed)
    assert cookie_of("192.0.2.1", frame_ancestors=listed).endswith("SameSite=Lax")
    assert cookie_of("localhost").endswith("SameSite=Lax")


def test_a_subpath_bounds_the_cookie() -> None:
    """Other desktops of the host do not get it."""
    cookie = cookie_of("d.test", subpath="/desk/1/", public_url="https://d.test/desk/1/")
    assert cookie.startswith("__Secure-vnc_")
    assert "; Path=/desk/1/; " in cookie
