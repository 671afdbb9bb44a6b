"""`sam3-onnx models`: what is published, what is here, and how it comes and goes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from sam3_onnx._support.units import in_bytes, in_words
from sam3_onnx.cli.consent import agreed

if TYPE_CHECKING:
    import argparse

    from sam3_onnx.hub.inventory import Whereabouts
    from sam3_onnx.hub.registry import PublishedModel

__all__ = ["add"]

_COLUMNS = ("name", "size", "family", "prompts", "precision", "licence", "state")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the parser of `sam3-onnx`."""
    models = commands.add_parser(
        "models",
        help="list, download, verify and remove published models",
        description="Models that can be had by name. Exit code 0: done; 1: not done, the reason is on standard error; "
        "130: interrupted, and the next pull continues.",
    )
    actions = models.add_subparsers(dest="action", required=True)

    listing = actions.add_parser("list", help="what is published, and what of it is here")
    listing.add_argument("--json", action="store_true", help="for programs: everything that is known of each model")
    listing.set_defaults(run=_list)

    pull = _action(actions, "pull", "download what is missing, verify what has not been")
    pull.add_argument("--mirror", help="an address to put in place of scheme and host (default: SAM3_ONNX_MIRROR)")
    pull.add_argument("--offline", action="store_true", default=None, help="never use the network")
    pull.add_argument("--quiet", action="store_true", help="no progress on standard error")
    pull.set_defaults(run=_pull)

    verify = _action(actions, "verify", "hash every file again")
    verify.set_defaults(run=_verify)

    where = _action(actions, "where", "the folder, and each file with its state and address")
    where.set_defaults(run=_where)

    remove = _action(actions, "remove", "delete a model's files")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=_remove)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, told: str
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=told)
    action.add_argument("model", metavar="NAME", help="as `sam3-onnx models list` shows it")
    action.add_argument("--folder", help="the model's folder (default: models/NAME in the cache folder)")
    return action


def _list(options: argparse.Namespace) -> int:
    from sam3_onnx.hub.inventory import where  # noqa: PLC0415 - --help need not wait for it
    from sam3_onnx.hub.registry import list_models  # noqa: PLC0415

    found = [where(model) for model in list_models()]
    if options.json:
        print(json.dumps([_entry(one) for one in found], indent=2))
    else:
        print(_table([_COLUMNS, *(_row(one) for one in found)]))
    return 0


def _pull(options: argparse.Namespace) -> int:
    from sam3_onnx.hub import pull  # noqa: PLC0415

    folder = pull(
        options.model,
        folder=options.folder,
        mirror=options.mirror,
        offline=options.offline,
        progress=not options.quiet,
    )
    print(f"{options.model} is complete in {folder}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from sam3_onnx.hub.inventory import verify, where  # noqa: PLC0415

    model = where(options.model, folder=options.folder).model
    seen = verify(options.model, folder=options.folder)
    rows = [
        (file.name, seen[file.name], "as published" if file.sha256 else "as seen first, none is published")
        for file in model.files
    ]
    print(_table([("file", "SHA-256", "verdict"), *rows]))
    return 0


def _where(options: argparse.Namespace) -> int:
    from sam3_onnx.hub.inventory import where  # noqa: PLC0415

    found = where(options.model, folder=options.folder)
    model = found.model
    print(f"{model.name}: {model.description}")
    print(f"page: {model.source or 'ships in the package'}")
    print(f"licence: {_licence(model)}")
    if model.note:
        print(f"note: {model.note}")
    print(f"folder: {found.folder} ({found.state})")
    rows = [
        (file.published.name, file.state, _size(file.published.size), file.published.url or "-") for file in found.files
    ]
    print(_table([("file", "state", "size", "from"), *rows]))
    return 0


def _remove(options: argparse.Namespace) -> int:
    from sam3_onnx.hub.inventory import remove, where  # noqa: PLC0415

    found = where(options.model, folder=options.folder)
    there = [file for file in found.files if file.size]
    if there and not found.model.bundled and not options.yes:
        amount = _size(sum(file.size for file in there))
        if not agreed(f"Delete {in_words(len(there), 'file')}, {amount}, from {found.folder}? [y/N] "):
            print("sam3-onnx: nothing was deleted; pass --yes to delete without being asked", file=sys.stderr)
            return 1
    deleted = remove(options.model, folder=options.folder)
    for path in deleted:
        print(f"deleted {path}")
    if not deleted:
        print(f"nothing to delete: no file of {options.model} is in {found.folder}")
    return 0


def _entry(found: Whereabouts) -> dict[str, object]:
    model = found.model
    return {
        "name": model.name,
        "description": model.description,
        "source": model.source,
        "licence": {"name": model.licence.name, "url": model.licence.url},
        "family": model.family,
        "precision": model.precision,
        "prompts": list(model.prompts),
        "note": model.note,
        "size": model.size,
        "approximate_size": model.approximate_size,
        "state": found.state,
        "folder": str(found.folder),
        "files": [
            {
                "name": file.published.name,
                "url": file.published.url,
                "size": file.published.size,
                "sha256": file.published.sha256,
                "state": file.state,
                "here": file.size,
            }
            for file in found.files
        ],
    }


def _row(found: Whereabouts) -> tuple[str, ...]:
    model = found.model
    whole = found.state in {"complete", "not verified"}
    size = sum(file.size for file in found.files) if whole else model.size
    prompts = ", ".join(model.prompts)
    return (
        model.name,
        _size(size, model.approximate_size),
        model.family,
        prompts,
        model.precision,
        model.licence.name,
        found.state,
    )


def _licence(model: PublishedModel) -> str:
    return model.licence.name + (f", {model.licence.url}" if model.licence.url else "")


def _size(size: int | None, about: int | None = None) -> str:
    if size is not None:
        return in_bytes(size)
    return "not known yet" if about is None else f"about {in_bytes(about)}"


def _table(rows: list[tuple[str, ...]]) -> str:
    """Rows in aligned columns, a rule under the first."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
