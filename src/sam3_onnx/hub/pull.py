"""Models by name, as folders of whole, verified files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sam3_onnx._support.checks import require_callable, require_callbacks, require_flag
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx._support.units import in_bytes, in_words
from sam3_onnx.errors import OfflineError, OptionError
from sam3_onnx.hub.inventory import hash_and_record, held, settle
from sam3_onnx.hub.patience import Patience
from sam3_onnx.hub.progress import meter, say
from sam3_onnx.hub.records import read_records
from sam3_onnx.hub.registry import PublishedModel, find_model
from sam3_onnx.hub.sources import is_offline, mirrored, shown, token_for
from sam3_onnx.hub.stopping import Stop
from sam3_onnx.hub.store import folder_of, local_files, make_folder, require_space

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from pathlib import Path

    from sam3_onnx.hub.progress import ProgressChoice
    from sam3_onnx.hub.records import Record
    from sam3_onnx.hub.store import LocalFile
    from sam3_onnx.hub.transfer import Order

__all__ = ["model_folder", "pull"]


@known_keywords()
def pull(
    model: str | PublishedModel,
    *,
    folder: str | PathLike[str] | None = None,
    mirror: str | None = None,
    offline: bool | None = None,
    progress: ProgressChoice = True,
    patience: Patience | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Makes a model complete on this disk: downloads what is missing, verifies what has not been.

    What is there and recorded as verified costs a look at sizes and times, no more. In a thread of a program whose main
    thread is over it ends as if it were cancelled, so that the program can end.

    Args:
        model: A name of `list_models`, or an entry of your own.
        folder: Where its files lie or belong; None for `models/NAME` in the cache folder, which the environment
            variable SAM3_ONNX_CACHE moves.
        mirror: "https://host" or "https://host/path", put in place of scheme and host of every address; None for what
            SAM3_ONNX_MIRROR names, if anything.
        offline: True never to use the network, False to use it; None for what SAM3_ONNX_OFFLINE or HF_HUB_OFFLINE say.
        progress: True for lines and, on a terminal, bars on standard error; False for silence; or a function that is
            called with a file's name, the bytes so far and its size (None if not known yet); see `Listener`.
        patience: Attempts, time-outs and the least rate; None for the default.
        cancel: Setting this event from another thread ends it within a second, whatever the server does; what has come
            is continued by the next call.

    Returns:
        The folder of the files.

    Raises:
        CancelledError: `cancel` was set, or the program is about to end.
        UnknownModelError: No model has this name.
        OfflineError: Files are missing, and the network is not to be used.
        DownloadError: A file did not come whole; what has come is continued by the next call. Its kinds tell a file
            that is not there, is refused, is damaged, or is a web page.
        ModelFileChangedError: A file is not the published one, or not the one seen first.
        CacheFolderError: The folder cannot be written.
        DiskFullError: There is not enough space.
        OptionError: The mirror is no address, or `folder` is given for a model that ships in the package.
    """
    require_callbacks(cancel)
    if offline is not None:
        require_flag("offline", offline)
    if not isinstance(progress, bool):
        require_callable("progress", progress, takes="a file's name, the bytes so far and its size")
    stop = Stop(cancel)
    published = model if isinstance(model, PublishedModel) else find_model(model)
    target = folder_of(published, folder)
    if published.bundled:
        if folder is not None:
            raise OptionError("folder", expected=f"None: {published.name} ships in the package", got=str(folder))
        return target
    local = local_files(published, target)
    if all(file.state == "verified" for file in local):
        return target
    absent = _absent(local)
    if not absent:
        unverified = [file.published for file in local if file.state == "unverified"]
        settle(published, target, unverified, progress=progress, stop=stop)
        return target
    if is_offline(asked=offline):
        missing = {file.published.name: file.published.url for file in absent}
        raise OfflineError(published.name, folder=target, missing=missing)
    make_folder(target)
    with held(published, target, progress=progress, stop=stop):
        local = local_files(published, target)
        if unverified := [file.published for file in local if file.state == "unverified"]:
            hash_and_record(target, unverified, progress=progress, stop=stop)
        if absent := _absent(local):
            _download(published, target, absent, mirror=mirror, progress=progress, patience=patience, stop=stop)
    return target


@known_keywords()
def model_folder(
    name: str,
    *,
    folder: str | PathLike[str] | None = None,
    mirror: str | None = None,
    offline: bool | None = None,
    progress: ProgressChoice = True,
    cancel: threading.Event | None = None,
) -> Path:
    """The folder of a named model, complete and verified: what `Sam3Session.from_pretrained` opens.

    Args:
        name: As in `list_models`.
        folder: As in `pull`.
        mirror: As in `pull`.
        offline: As in `pull`.
        progress: As in `pull`.
        cancel: As in `pull`.

    Raises:
        UnknownModelError: No model has this name.
        ModelError: As `pull`.
    """
    return pull(name, folder=folder, mirror=mirror, offline=offline, progress=progress, cancel=cancel)


def _absent(local: Sequence[LocalFile]) -> list[LocalFile]:
    return [file for file in local if file.state in {"missing", "partial"}]


def _download(
    model: PublishedModel,
    target: Path,
    absent: Sequence[LocalFile],
    *,
    mirror: str | None,
    progress: ProgressChoice,
    patience: Patience | None,
    stop: Stop,
) -> None:
    """Fetches files one after the other; each is in place and recorded before the next begins."""
    from sam3_onnx.hub.placing import place  # noqa: PLC0415 - network code
    from sam3_onnx.hub.transfer import fetch, learn_size, new_connection  # noqa: PLC0415

    kept_up = Patience() if patience is None else patience
    known = read_records(target)
    orders = [_order(file, known, mirror) for file in absent]
    with new_connection() as connection:
        sizes = [learn_size(connection, order, kept_up, stop) if order.size is None else order.size for order in orders]
        _announce(model, target, orders, sizes, progress=progress)
        to_come = (size - file.size for size, file in zip(sizes, absent, strict=True) if size is not None)
        require_space(target, sum(max(0, count) for count in to_come))
        for order, size in zip(orders, sizes, strict=True):
            with meter(order.name, total=size, progress=progress) as moved:
                tell = partial(say, progress=progress)
                place(order, partial(fetch, connection, order, kept_up, moved, tell=tell, stop=stop))


def _order(file: LocalFile, known: Mapping[str, Record], mirror: str | None) -> Order:
    from sam3_onnx.hub.transfer import Order  # noqa: PLC0415 - network code

    published = file.published
    if published.url is None:
        raise OptionError("url", expected=f"an address of {published.name}", got=None)
    url = mirrored(published.url, mirror)
    seen = known.get(published.name)
    sha256 = seen.sha256 if published.sha256 is None and seen is not None else published.sha256
    return Order(published.name, url, file.path, published.size, sha256, token_for(url))


def _announce(
    model: PublishedModel,
    target: Path,
    orders: Sequence[Order],
    sizes: Sequence[int | None],
    *,
    progress: ProgressChoice,
) -> None:
    """Says how much comes from where, under which licence, and how far it can be trusted."""
    total = in_bytes(sum(size for size in sizes if size is not None))
    if None in sizes:
        total = f"at least {total}" if any(sizes) else "of a size that is not known yet"
    hosts = ", ".join(sorted({urlsplit(shown(order.url)).netloc for order in orders}))
    say(
        f"{model.name}: {len(orders)} of {in_words(len(model.files), 'file')}, {total}, from {hosts} into {target}",
        progress,
    )
    terms = f", terms at {model.licence.url}" if model.licence.url else ""
    say(f"{model.name}: its weights are under the {model.licence.name}{terms}", progress)
    if any(order.sha256 is None for order in orders):
        say(f"{model.name}: no hashes are published; those of what comes now are recorded and enforced", progress)
