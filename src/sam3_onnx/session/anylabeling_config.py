"""What an X-AnyLabeling-style configuration names: six model files, a threshold and an epsilon."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import ConfigError, MissingExtraError, ModelFileMissingError, ModelFileUnreadableError
from sam3_onnx.models.runtime.graphs.reading import read_graph

__all__ = ["ModelConfig", "read_config"]

_MODEL_KEYS = {
    "image_encoder": ("encoder_model_path", "encoder_model_data_path"),
    "text_encoder": ("language_encoder_path", "language_encoder_data_path"),
    "decoder": ("decoder_model_path", "decoder_model_data_path"),
}


_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
"""The beginning of an address: RFC 3986, section 3.1. One letter is the drive of a path: `C://models`."""
_EXPONENT = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?[eE][+-]?[0-9]+")
"""Numbers that YAML 1.1 takes for text, as they lack a point or a sign: 1e-3."""


@dataclass(frozen=True)
class ModelConfig:
    """A configuration whose files are there."""

    paths: Mapping[str, Path]
    """The graph for each role: image_encoder, text_encoder, decoder."""
    conf_threshold: float | None
    epsilon: float | None


@known_keywords()
def read_config(config: Mapping[str, object] | str | Path) -> ModelConfig:
    """Reads a mapping, or a YAML file, with X-AnyLabeling's keys; other keys are left alone.

    Args:
        config: `encoder_model_path`, `encoder_model_data_path`, `language_encoder_path`,
            `language_encoder_data_path`, `decoder_model_path`, `decoder_model_data_path`
            (the data paths may be left out where a graph has no external data), and
            optionally `conf_threshold` and `epsilon`. Relative paths are taken from the
            working directory, in a YAML file from its folder.

    Raises:
        ConfigError: A key is missing, or holds something that is no path or number.
        OptionError: No file can have the name that a key holds.
        MissingExtraError: A YAML file without PyYAML.
        ModelFileMissingError: A file that is named is not there.
        ModelFileDamagedError: A file is cut off.
    """
    if isinstance(config, Mapping):
        return _read_mapping(config, Path())
    path = require_path("config", config)
    return _read_mapping(_read_yaml(path), path.parent)


def _read_yaml(path: Path) -> Mapping[str, object]:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as error:
        raise MissingExtraError(feature="Reading a YAML configuration", package="PyYAML", extra="yaml") from error
    if not path.is_file():
        raise ModelFileMissingError(path, role="configuration file")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelFileUnreadableError(path, role="configuration file", reason=reason) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # odd dates and numbers, brackets without end
        raise ConfigError(
            what=f"The configuration {path}", expected="YAML", got=str(error), remedy="Correct the file."
        ) from error
    if not isinstance(content, Mapping):
        got = type(content).__name__
        remedy = f"Give it keys such as {_MODEL_KEYS['image_encoder'][0]}."
        raise ConfigError(what=f"The configuration {path}", expected="a mapping", got=got, remedy=remedy)
    return content


def _read_mapping(config: Mapping[str, object], base: Path) -> ModelConfig:
    paths = {}
    for role, (model_key, data_key) in _MODEL_KEYS.items():
        path = _path(config, model_key, base)
        if path is None:
            remedy = f"All of {', '.join(key for key, _ in _MODEL_KEYS.values())} are needed."
            raise ConfigError(
                what=f"The configuration key {model_key}", expected="a path", got="nothing", remedy=remedy
            )
        _check_data(path, role.replace("_", " "), data_key, _path(config, data_key, base))
        paths[role] = path
    return ModelConfig(paths, _number(config, "conf_threshold"), _number(config, "epsilon"))


def _path(config: Mapping[str, object], key: str, base: Path) -> Path | None:
    value = config.get(key)
    if value is None or (isinstance(value, str) and not value):
        return None
    if not isinstance(value, str | Path):
        remedy = "Write the path of the file."
        raise ConfigError(what=f"The configuration key {key}", expected="a path", got=repr(value), remedy=remedy)
    if not str(value).strip() or "\0" in str(value):
        what, remedy = f"The configuration key {key}", "Write the path of the file, or leave the key out."
        raise ConfigError(what=what, expected="a path", got=repr(value), remedy=remedy)
    if _ADDRESS.match(str(value)):
        remedy = (
            "Download the file and name it here: a configuration never downloads. "
            "Registered models are opened by name, with Sam3Session.from_pretrained."
        )
        raise ConfigError(what=f"The configuration key {key}", expected="a local path", got=repr(value), remedy=remedy)
    return base / require_path(f"The configuration key {key}", value)


def _check_data(model: Path, role: str, key: str, named: Path | None) -> None:
    """Holds the data file that was named against the one that the graph itself asks for."""
    if named is not None and not named.is_file():
        raise ModelFileMissingError(named, role=f"external data of the {role} ({key})")
    needed = read_graph(model, role=role).external_files
    if named is not None and needed and not any(path.is_file() and path.samefile(named) for path in needed):
        expected = f"the file that {model.name} refers to, {', '.join(str(path) for path in needed)}"
        remedy = "A graph finds its data by name beside itself: move the file there, under that name."
        raise ConfigError(what=f"The configuration key {key}", expected=expected, got=str(named), remedy=remedy)


def _number(config: Mapping[str, object], key: str) -> float | None:
    value = config.get(key)
    if value is None:
        return None
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        what = f"The configuration key {key}"
        raise ConfigError(what=what, expected="a number", got=repr(value), remedy="Write it without quotes.")
    return float(value)
