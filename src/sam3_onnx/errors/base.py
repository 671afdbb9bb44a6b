"""The error that every other one is."""

from __future__ import annotations

__all__ = ["Sam3Error"]


class Sam3Error(Exception):
    """Base of every error of this library."""
