"""Prints the runtime dependencies of pyproject.toml pinned to their lower bounds, for pip's -r."""

from __future__ import annotations

import re
from pathlib import Path


def main() -> None:
    """Reads the `dependencies` list, one requirement a line."""
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"^dependencies = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    if block is None:
        raise SystemExit("pyproject.toml has no list of dependencies")
    for name, version in re.findall(r'"([A-Za-z0-9_-]+)>=([0-9.]+)"', block[1]):
        print(f"{name}=={version}.*" if version.count(".") == 1 else f"{name}=={version}")


if __name__ == "__main__":
    main()
