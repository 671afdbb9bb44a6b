"""The distributions that are installed in this environment."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Distribution", "installed_distributions"]


@dataclass(frozen=True, order=True)
class Distribution:
    """An installed distribution."""

    name: str
    """In the normal form of PEP 503: lower case, hyphens."""
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def installed_distributions() -> tuple[Distribution, ...]:
    """Returns every distribution that Python's path holds, sorted by name and version."""
    import importlib.metadata  # noqa: PLC0415 - 20 ms, for what an ordinary session never asks

    found = {
        Distribution(re.sub(r"[-_.]+", "-", entry.metadata["Name"] or "").lower(), entry.version or "")
        for entry in importlib.metadata.distributions()
    }
    return tuple(sorted(found))
