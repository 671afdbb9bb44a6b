"""The base class of every error of the library."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["Sam3Error"]


class Sam3Error(Exception):
    """Base of every error of this library. It can be pickled: worker processes hand it to the one that waits."""

    def __reduce__(self) -> tuple[object, ...]:
        # Not by calling the class again, as Exception does: most take keywords that are no longer there.
        return _restored, (type(self), self.args, self.__dict__)


_Error = TypeVar("_Error", bound=Sam3Error)


def _restored(kind: type[_Error], args: tuple[object, ...], state: dict[str, object]) -> _Error:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error
