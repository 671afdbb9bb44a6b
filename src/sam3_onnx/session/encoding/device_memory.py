"""How much of a device's memory the features of a session's pictures take."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from sam3_onnx._support.forking import renew_in_children

if TYPE_CHECKING:
    from sam3_onnx.results.features import Features

__all__ = ["DeviceMemory"]


class DeviceMemory:
    """Lets the features used last stay on a device, and moves the others to the host. Safe under threads.

    Those that somebody holds outside the cache count as well, for as long as they are held.
    """

    def __init__(self, budget: int) -> None:
        """Holds nothing yet.

        Args:
            budget: Bytes that features may occupy together on the device.
        """
        self._budget = budget
        self.begin_anew()
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Forgets the features of the parent in the child of a fork."""
        self._lock = threading.Lock()
        self._held: list[weakref.ref[Features]] = []

    def use(self, features: Features) -> None:
        """Notes that features are used now; those used longest ago go to the host if all are too many.

        Raises:
            ProviderError: The device does not give them back.
        """
        if not features.device_bytes:
            return
        with self._lock:
            held = [each for ref in self._held if (each := ref()) is not None and each is not features]
            held = [*(each for each in held if each.device_bytes), features]
            excess = sum(each.device_bytes for each in held) - self._budget
            moved = []
            while excess > 0:
                moved.append(held.pop(0))
                excess -= moved[-1].device_bytes
            self._held = [weakref.ref(each) for each in held]
        for each in moved:  # outside the lock: a copy takes milliseconds
            each.move_to_host()
