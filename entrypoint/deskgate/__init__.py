"""A desktop behind one secret link, for any container."""

__version__ = "0.1.0"
