"""The headers that say what a browser may do with our answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from deskgate.gate.config import GateConfig
from deskgate.gate.messages import Headers

# For answers that are no page: they load nothing.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'"
NO_STORE = ("Cache-Control", "no-store")
HTML = ("Content-Type", "text/html; charset=utf-8")
TEXT = ("Content-Type", "text/plain; charset=utf-8")
METRICS = ("Content-Type", "text/plain; version=0.0.4; charset=utf-8")  # Prometheus' text format
PNG = ("Content-Type", "image/png")
JSON = ("Content-Type", "application/json")


def common(config: GateConfig, csp: str = NOTHING) -> Headers:
    """What every answer carries.

    Args:
        csp: without frame-ancestors, which goes on every answer (OWASP ASVS 5.0, 3.4.6).
    """
    ancestors = " ".join(config.frame_ancestors) or "'none'"
    headers = [
        ("Content-Security-Policy", f"{csp}; frame-ancestors {ancestors}"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    if not config.frame_ancestors:  # an opener policy breaks pages that frame us
        headers.append(("Cross-Origin-Opener-Policy", "same-origin"))
    return tuple(headers)


def viewer_csp(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """The policy noVNC runs under, without a single unsafe- word.

    Args:
        scripts: hashes of the page's own inline scripts, as `sha256-…`.
        styles: the same of its inline style sheets.
    """
    script = " ".join(["'self'", *(f"'{value}'" for value in scripts)])
    style = " ".join(["'self'", *(f"'{value}'" for value in styles)])
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; media-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; object-src 'none'"
    )


def page_csp(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """The policy of our own page: what stands in it, our files, noVNC's core, and its form.

    `data:` is noVNC's pointer, and its pictures in the picture.
    """
    script = " ".join(["'self'", *(f"'{value}'" for value in scripts)])
    style = " ".join(["'self'", *(f"'{value}'" for value in styles)])
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'"
    )
