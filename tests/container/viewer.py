"""The kit's viewer."""

from __future__ import annotations

from deskgate.testing.viewer import SHIFT, VERSION, Door, Viewer

__all__ = ["SHIFT", "VERSION", "Door", "Viewer"]
