"""A property that is computed once for each object, without a lock."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cached_property"]

_Value = TypeVar("_Value")

if sys.version_info >= (3, 12):
    from functools import cached_property
else:

    class cached_property(Generic[_Value]):  # noqa: N801 - stands for the one of Python 3.12
        """`functools.cached_property` as it is from Python 3.12 on.

        Before, it holds one lock for all objects of a class, which in the child of a fork nobody releases if another
        thread held it.
        """

        def __init__(self, compute: Callable[[Any], _Value]) -> None:
            self._compute = compute
            self.__doc__ = compute.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        @overload
        def __get__(self, instance: None, owner: type) -> cached_property[_Value]: ...

        @overload
        def __get__(self, instance: object, owner: type) -> _Value: ...

        def __get__(self, instance: object | None, owner: type) -> cached_property[_Value] | _Value:
            if instance is None:
                return self
            value = self._compute(instance)
            instance.__dict__[self._name] = value
            return value
