"""The base class of every error of the library."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["Sam3Error"]


class Sam3Error(Exception):
    """Base class of every error of the library; can be pickled, and so sent from a worker process to its parent."""

    def __reduce__(self) -> tuple[object, ...]:
        # Exception would call the class again, but most classes take keyword arguments that are not kept.
        return _restored, (type(self), self.args, self.__dict__)


_Error = TypeVar("_Error", bound=Sam3Error)


def _restored(kind: type[_Error], args: tuple[object, ...], state: dict[str, object]) -> _Error:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error
