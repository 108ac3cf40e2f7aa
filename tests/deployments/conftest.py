"""What the tests of examples/ share: Chromium, as the browser suite has it."""

from __future__ import annotations

from tests.browser.conftest import chromium, open_tab

__all__ = ["chromium", "open_tab"]
