"""Shows one coin to the model and gets all that are like it, with outlines as COCO and as polygons.

Run it from the root of the repository: `python examples/boxes_as_examples.py`.
"""

from __future__ import annotations

from pathlib import Path

from sam3_onnx import Box, Sam3Session

PICTURE = Path(__file__).parent / "pictures" / "coins.png"


def main() -> None:
    """Asks by a box and by a word, on one encoded picture."""
    with Sam3Session.from_pretrained("miniature") as session:
        embedding = session.encode(PICTURE)
        by_box = session.predict(embedding, boxes=[Box(21, 34, 65, 72)], label="like this one")
        by_word = session.predict(embedding, "coin")
        print(by_box)
        print(by_word)
        for instance in by_box[:3]:
            polygon = instance.polygon(max_vertices=12)
            print(f"{instance.score:.2f}", instance.rectangle(), 0 if polygon is None else len(polygon), "vertices")
        print("pictures encoded:", session.cache.info().misses)


if __name__ == "__main__":
    main()
