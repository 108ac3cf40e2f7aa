"""The harnesses: each takes any bytes and raises when something that must hold does not."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import cookie, http_head, quoting, rfb_handshake, token_file, ws_frames

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Harness:
    """One harness.

    Args:
        check: what it does with an input.
        longest: bytes of the longest input worth trying.
        corpus: its folder in `corpus`, and its file in `dictionaries`.
    """

    check: Callable[[bytes], None]
    longest: int
    corpus: str

    def seeds(self) -> dict[str, bytes]:
        """The inputs that are kept in the repository, by name."""
        folder = HERE / "corpus" / self.corpus
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    @property
    def dictionary(self) -> Path:
        """Words that its inputs are made of, as libFuzzer reads them."""
        return HERE / "dictionaries" / self.corpus

    def words(self) -> list[bytes]:
        """The same as bytes."""
        lines = self.dictionary.read_text("ascii").splitlines()
        return [ast.literal_eval(f"b{line}") for line in lines if line.startswith('"')]


HARNESSES = {
    "http": Harness(check=http_head.plain, longest=2048, corpus="http"),
    "http_proxied": Harness(check=http_head.proxied, longest=2048, corpus="http"),
    "http_open": Harness(check=http_head.open_to_all, longest=2048, corpus="http"),
    "frames": Harness(check=ws_frames.check, longest=1024, corpus="frames"),
    "rfb": Harness(check=rfb_handshake.check, longest=256, corpus="rfb"),
    "cookie": Harness(check=cookie.check, longest=512, corpus="cookie"),
    "token_file": Harness(check=token_file.check, longest=1024, corpus="token_file"),
    "quoting": Harness(check=quoting.check, longest=256, corpus="quoting"),
}
