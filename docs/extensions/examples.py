"""Lets the API reference show the docstrings' "Example:" sections as code.

Google's style names the section so; the parser behind mkdocstrings knows its plural only.
"""  # noqa: INP001 - loaded by its path, as mkdocs.yml says

from __future__ import annotations

import re

import griffe

_HEADING = re.compile(r"^Example:$", re.MULTILINE)


class ExampleSections(griffe.Extension):
    """Renames the sections as the source is read."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Renames them in one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = _HEADING.sub("Examples:", obj.docstring.value)
