"""SAM 3 on your own machine through ONNX Runtime: say a word or show a box, get every instance.

```python
from sam3_onnx import Box, Sam3Session

session = Sam3Session.from_pretrained("miniature")
result = session.predict("coins.png", "coin")
```

Names are imported when they are first used, so that `sam3_onnx.geometry` and the other
parts that need no model never load ONNX Runtime.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sam3_onnx._support.lazy_names import lazy_names

if TYPE_CHECKING:
    from sam3_onnx._support.version import __version__
    from sam3_onnx.errors import Sam3Error
    from sam3_onnx.images.loading import load_image
    from sam3_onnx.models.families.protocol import Capabilities
    from sam3_onnx.prompts.boxes import Box
    from sam3_onnx.results.embedding import Embedding
    from sam3_onnx.results.instance import Instance
    from sam3_onnx.results.object import ObjectSegmentation
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.results.shape import Shape
    from sam3_onnx.session.encoding.memory import CacheInfo
    from sam3_onnx.session.encoding.prefetching import Prefetch
    from sam3_onnx.session.session import Sam3Session

# ONNX Runtime's official builds report their use to Microsoft, from 1.32 also on Linux and macOS, unless this is set
# before they are loaded. What is said here is "on your own machine"; whoever sets it themselves is not overruled.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "Box",
    "CacheInfo",
    "Capabilities",
    "Embedding",
    "Instance",
    "ObjectSegmentation",
    "Prefetch",
    "Sam3Error",
    "Sam3Session",
    "Segmentation",
    "Shape",
    "__version__",
    "load_image",
]

_HOMES = {
    "Box": "prompts",
    "CacheInfo": "session",
    "Capabilities": "models.families.protocol",
    "Embedding": "results",
    "Instance": "results",
    "ObjectSegmentation": "results",
    "Prefetch": "session",
    "Sam3Error": "errors",
    "Sam3Session": "session",
    "Segmentation": "results",
    "Shape": "results",
    "__version__": "_support.version",
    "load_image": "images",
}


if not TYPE_CHECKING:  # a checker that saw __getattr__ would accept any misspelt name
    __getattr__ = lazy_names(__name__, _HOMES)

    def __dir__() -> list[str]:
        return sorted(__all__)
