"""A model that is opened, by a name, from a folder, from files or from a configuration, and closed again."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.keywords import known_methods
from sam3_onnx.errors import OptionError, SessionClosedError, SessionPickleError
from sam3_onnx.hub.progress import meter
from sam3_onnx.hub.pull import model_folder
from sam3_onnx.hub.stopping import Stop
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.families.recognition import exports_of_files
from sam3_onnx.models.runtime.graphs.fingerprint import Fingerprint
from sam3_onnx.session.anylabeling_config import read_config
from sam3_onnx.session.encoding.disk import disk_tier
from sam3_onnx.session.encoding.embedder import Embedder
from sam3_onnx.session.encoding.memory import EmbeddingCache
from sam3_onnx.session.encoding.prefetching import Prefetcher
from sam3_onnx.session.heads.heads import Heads
from sam3_onnx.session.options import SessionSettings

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from os import PathLike
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from sam3_onnx.hub.progress import ProgressChoice
    from sam3_onnx.models.families.protocol import Capabilities, Encoder, Family, Tracker
    from sam3_onnx.models.families.recognition import Exports
    from sam3_onnx.models.runtime.model import OnnxModel
    from sam3_onnx.results.embedding import Embedding, TextEmbedding
    from sam3_onnx.session.options import SessionOptions

__all__ = ["OpenSession"]

_TEXT_CACHE_BYTES = 64 << 20
_LOADED_FIRST = {"geometry_encoder", "fusion", "decoder", "mask_decoder"}
"""Parts that each question needs, if the model has them."""


@known_methods
class OpenSession:
    """A model that is open: its graphs and caches, how it was opened, and how it is closed."""

    def __init__(
        self,
        family: Family | None,
        *,
        model: object = None,
        tracker: Tracker | None = None,
        heads: Mapping[str, Encoder] | None = None,
        source: str = "Sam3Session(...)",
        **options: Unpack[SessionOptions],
    ) -> None:
        """Makes a session from a family; the `from_...` methods are the usual way.

        Args:
            family: The graphs that find concepts, behind one protocol; None for clicks only.
            model: A name that tells this model from others, or an object whose `str` is the name; it has to be given.
            tracker: The graphs that take clicks; where it is `family` itself, pictures are encoded once for both.
            heads: What answers each head by its name, "concepts" and "clicks", in place of `family` and `tracker`.
            source: How to make the session again, for messages.
            **options: As for `from_folder`; `provider`, `precision` and `threads` concern graphs that it opens.

        Raises:
            OptionError: There is no such option, it is outside its range, or the family cannot offer the threshold; no
                model is named, or a name or folder is given in place of a family.
            EmbeddingFolderError: Nothing can be written to the cache folder.
        """
        for name, graphs_given in {"family": family, "tracker": tracker}.items():
            _require_graphs(name, graphs_given)
        if model is None:
            raise OptionError("model", expected="a name that tells this model from others", got=model)
        settings = SessionSettings.of(options, also=("tracker", "source"))
        given = {"concepts": family, "clicks": tracker, **(heads or {})}
        answering = {name: encoder for name, encoder in given.items() if encoder is not None}
        self._source, self._closed = source, False
        self._keep_pictures = settings.keep_pictures
        graphs = [graph.setting for encoder in answering.values() for graph in encoder.models.values()]
        self._cache = EmbeddingCache(settings.cache_bytes, _TEXT_CACHE_BYTES, disk_tier(settings, graphs, model=model))
        self._ahead = Prefetcher(self._cache.images, owner=weakref.ref(self))
        embedder = partial(
            Embedder,
            precision=settings.feature_precision,
            cache=self._cache.images,
            right_of_way=self._ahead.right_of_way,
        )
        self._heads = Heads(answering, model=model, embedder=embedder, texts=self._cache.texts, settings=settings)

    @classmethod
    def from_pretrained(
        cls,
        name: str,
        *,
        folder: str | PathLike[str] | None = None,
        mirror: str | None = None,
        offline: bool | None = None,
        progress: ProgressChoice = True,
        cancel: threading.Event | None = None,
        **options: Unpack[SessionOptions],
    ) -> Self:
        """Opens a model by its registered name; one that does not ship in the package is downloaded once, verified.

        Args:
            name: As in `sam3_onnx.hub.list_models`. "miniature", a small model of coloured shapes and
                coins, ships with the package and works offline; "sam3" is the full model.
            folder: Where the model's files lie or belong; None for `models/NAME` in the cache folder.
            mirror: Put in place of scheme and host of every address; None for what SAM3_ONNX_MIRROR
                names, if anything.
            offline: True never to use the network; None for what SAM3_ONNX_OFFLINE or HF_HUB_OFFLINE say.
            progress: True for progress on standard error, False for silence, or a function; see
                `sam3_onnx.hub.pull`. A function also hears of each graph that is opened.
            cancel: Setting this event from another thread ends it: a download or verification within a second, the
                opening after the graph that is being opened.
            **options: See `from_folder`.

        Raises:
            UnknownModelError: No model has this name.
            CancelledError: `cancel` was set.
            OfflineError: Files are missing, and the network is not to be used.
            DownloadError: A file did not come whole.
            ModelFileChangedError: A file is not the published one, or not the one seen first.
            CacheFolderError: The folder cannot be written, or the disk is full.
            ModelError: As `from_folder`.
        """
        SessionSettings.of(options, also=("folder", "mirror", "offline", "progress", "cancel"))
        target = model_folder(name, folder=folder, mirror=mirror, offline=offline, progress=progress, cancel=cancel)
        written = _written("from_pretrained", name, folder=folder, **options)
        exports = exports_in_folder(target)
        return cls._of_exports(exports, source=written, options=options, progress=progress, stop=Stop(cancel))

    @classmethod
    def from_folder(
        cls,
        folder: str | PathLike[str],
        *,
        family: str | None = None,
        variant: str | None = None,
        **options: Unpack[SessionOptions],
    ) -> Self:
        """Opens the SAM 3 export in a folder; the family is recognised from the graphs.

        An export of concepts and one that takes clicks may lie in it together.

        Args:
            folder: Holds an export's `.onnx` files and their external data, or subfolders that do.
            family: Takes this family where there are several, one of `sam3_onnx.session.FAMILY_NAMES`.
            variant: Takes this variant where there are several: a precision that file names end with
                ("fp16", "int8"), the name of a subfolder, or "plain".
            **options: `provider`, `precision` and `threads` for ONNX Runtime; `conf_threshold`, `epsilon`,
                `cache_bytes`, `cache_folder`, `cache_folder_bytes` and `feature_precision` as in the
                constructor. With a cache folder, the image encoder is loaded when a picture first needs it.

        Raises:
            ModelFileMissingError: No such folder, or external data is missing.
            ModelFileDamagedError: A file is cut off or no ONNX model.
            UnknownFamilyError: No known family; the message lists what is there.
            AmbiguousFolderError: Several exports, or several files for one part.
            ProviderError: A provider asked for by name did not become active.
            EmbeddingFolderError: Nothing can be written to the cache folder.
            OptionError: There is no such option, or it has a value outside its range.
        """
        SessionSettings.of(options, also=("family", "variant"))
        path = require_path("folder", folder)
        exports = exports_in_folder(path, family=family, variant=variant)
        written = _written("from_folder", str(path), family=family, variant=variant, **options)
        return cls._of_exports(exports, source=written, options=options)

    @classmethod
    def from_files(
        cls,
        *,
        image_encoder: str | PathLike[str],
        decoder: str | PathLike[str],
        text_encoder: str | PathLike[str] | None = None,
        geometry_encoder: str | PathLike[str] | None = None,
        fusion: str | PathLike[str] | None = None,
        mask_decoder: str | PathLike[str] | None = None,
        click_decoder: str | PathLike[str] | None = None,
        **options: Unpack[SessionOptions],
    ) -> Self:
        """Opens an export from its graphs, wherever they are; external data lies beside each.

        Args:
            image_encoder: The image encoder's `.onnx`.
            decoder: The decoder's `.onnx`.
            text_encoder: The text (language) encoder's `.onnx`; a tracker has none.
            geometry_encoder: The graph that encodes boxes, where an export has one.
            fusion: The graph that fuses picture and prompt, where an export has one.
            mask_decoder: The graph that makes masks, where the decoder does not.
            click_decoder: The graph that answers clicks, where an export of concepts has one.
            **options: See `from_folder`.

        Raises:
            ModelFileMissingError: A file or its external data is missing.
            ModelFileDamagedError: A file is cut off or no ONNX model.
            UnknownFamilyError: The files do not fit together.
        """
        roles = {
            "image_encoder": image_encoder,
            "text_encoder": text_encoder,
            "geometry_encoder": geometry_encoder,
            "fusion": fusion,
            "decoder": decoder,
            "mask_decoder": mask_decoder,
            "click_decoder": click_decoder,
        }
        SessionSettings.of(options, also=roles)
        paths = {
            role: require_path(role, path)
            for role, path in roles.items()
            if path is not None or role in {"image_encoder", "decoder"}
        }
        written = _written("from_files", **{role: str(path) for role, path in paths.items()}, **options)
        return cls._of_exports(exports_of_files(paths), source=written, options=options)

    @classmethod
    def from_config(cls, config: Mapping[str, object] | str | PathLike[str], **options: Unpack[SessionOptions]) -> Self:
        """Opens the six files that an X-AnyLabeling model configuration names.

        Args:
            config: A mapping, or the path of a YAML file (needs the extra `yaml`), with the keys
                that `sam3_onnx.session.anylabeling_config.read_config` describes.
            **options: See `from_folder`; they go before the configuration's own.

        Raises:
            ConfigError: A key is missing or wrong.
            ModelFileMissingError: A file that is named is not there.
            ModelFileDamagedError: A file is cut off or no ONNX model.
        """
        SessionSettings.of(options)
        read = read_config(config if isinstance(config, Mapping) else require_path("config", config))
        written = _written("from_config", config, **options)
        if read.conf_threshold is not None:
            options.setdefault("conf_threshold", read.conf_threshold)
        if read.epsilon is not None:
            options.setdefault("epsilon", read.epsilon)
        return cls._of_exports(exports_of_files(read.paths), source=written, options=options)

    @classmethod
    def _of_exports(
        cls,
        exports: Exports,
        *,
        source: str,
        options: SessionOptions,
        progress: ProgressChoice = False,
        stop: Callable[[], None] | None = None,
    ) -> Self:
        heads = exports.open(SessionSettings.of(options).runtime)
        session = cls(None, model=Fingerprint(exports.graphs), heads=heads, source=source, **options)
        at_once = _LOADED_FIRST | (set() if options.get("cache_folder") else {"image_encoder"})
        try:
            for role, model in session.graphs.items():
                if role in at_once:
                    _load(model, progress, stop)
        except BaseException:
            session.close()
            raise
        return session

    @property
    def capabilities(self) -> Capabilities:
        """What this model can be asked; `points` also where a tracker lies beside the export of concepts."""
        return self._heads.capabilities

    @property
    def providers(self) -> dict[str, tuple[str, ...]]:
        """The active execution providers of each graph; the wanted ones of a graph that nothing needed yet."""
        return {role: model.providers for role, model in self.graphs.items()}

    @property
    def precisions(self) -> dict[str, str]:
        """What each graph is computed in: "float32", "bfloat16" or "float16", or "auto" for its provider's own choice.

        Of a graph that nothing needed yet, it is what is tried first.
        """
        return {role: model.precision for role, model in self.graphs.items()}

    @property
    def graphs(self) -> dict[str, OnnxModel]:
        """The graphs by role, as `providers` names them: whether each is in memory, and how often it was run."""
        return self._heads.graphs()

    @property
    def cache(self) -> EmbeddingCache[Embedding, TextEmbedding]:
        """The embeddings of pictures and of words; see `EmbeddingCache.info`."""
        return self._cache

    def load(self, *roles: str) -> None:
        """Loads graphs now rather than when they are first needed, for example the text encoder.

        Args:
            *roles: Keys of `providers`, such as "text_encoder"; none for all.

        Raises:
            OptionError: There is no such graph.
            ModelFileDamagedError: ONNX Runtime cannot load the file.
            SessionClosedError: The session is closed.
        """
        for model in self._heads.chosen(roles):
            model.load()

    def unload(self, *roles: str) -> None:
        """Gives the memory of graphs back, 1.4 GB of the full text encoder; each is loaded when it is next needed.

        Args:
            *roles: Keys of `providers`, such as "text_encoder"; none for all.

        Raises:
            OptionError: There is no such graph.
        """
        for model in self._heads.chosen(roles):
            model.release()

    def close(self) -> None:
        """Unloads the weights and empties the cache; further calls raise SessionClosedError.

        Calls in flight in other threads: a run of a graph that has begun is finished. The call then returns if that
        was the last graph that it needed, and else raises SessionClosedError. What it computed is not kept in memory.
        It waits for a list of `prefetch` to stop and for what is being written to a cache folder, not for calls.
        """
        self._closed = True
        self._ahead.close()
        for model in self.graphs.values():
            model.close()
        self._cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        height, width = self.capabilities.input_size
        return f"<{type(self).__name__} {self.capabilities.family}, input {width} x {height}>"

    def __reduce__(self) -> NoReturn:
        raise SessionPickleError(rebuild=self._source)

    def _require_open(self) -> None:
        if self._closed:
            raise SessionClosedError
        for graph in self.graphs.values():
            graph.require_usable()


def _load(model: OnnxModel, progress: ProgressChoice, stop: Callable[[], None] | None) -> None:
    """Loads a graph, unless it is to stop; a function hears when it begins and when it is done."""
    if stop is not None:
        stop()
    graph = model.graph
    size = sum(path.stat().st_size for path in (graph.path, *graph.external_files))
    with meter(f"opening {graph.path.name}", total=size, progress=not isinstance(progress, bool) and progress) as moved:
        moved(0, size)
        model.load()
        moved(size, size)


def _require_graphs(name: str, given: object) -> None:
    if given is not None and not hasattr(given, "models"):
        got = os.fspath(given) if isinstance(given, os.PathLike) else given
        remedy = "A model is opened with Sam3Session.from_pretrained(name) or Sam3Session.from_folder(folder)."
        raise OptionError(name, expected="a model's graphs, or None", got=got, remedy=remedy)


def _written(method: str, *given: object, **named: object) -> str:
    """A call as source code; what is None was not given."""
    words = [repr(_plain(value)) for value in given]
    words += [f"{name}={_plain(value)!r}" for name, value in named.items() if value is not None]
    return f"Sam3Session.{method}({', '.join(words)})"


def _plain(value: object) -> object:
    """A path as the string that it is written as."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value
