"""Labels a folder of pictures with Ray: on this machine, or on a cluster, without a change.

python annotate.py PICTURES --text "person, truck" --model /models/sam3 -o rows --coco pictures.coco.json
"""

from __future__ import annotations

import argparse
from collections import Counter
from functools import partial
from pathlib import Path

import pyarrow.parquet
import ray

from sam3_onnx import Sam3Session
from sam3_onnx.integrations.ray import annotate
from sam3_onnx.integrations.rows import failures_of, results_of
from sam3_onnx.labels import CocoDataset

ENDINGS = ["png", "jpg", "jpeg", "bmp", "webp", "tif", "tiff"]


def main() -> int:
    """Writes rows to a folder of Parquet files, and a COCO file if asked to.

    Returns:
        0, or 1 if a picture could not be answered.
    """
    asked = _parser().parse_args()
    ray.init()  # the cluster that RAY_ADDRESS names, as it does in a submitted job, or a Ray of this machine
    is_folder = Path(asked.model).is_dir()
    opener = partial(Sam3Session.from_folder if is_folder else Sam3Session.from_pretrained, asked.model)
    rows = annotate(
        ray.data.read_binary_files(asked.pictures, include_paths=True, file_extensions=ENDINGS),
        asked.text,
        open_session=opener,
        column="bytes",
        name_column="path",
        workers=asked.workers,
        cpus=asked.cpus,
    )
    rows.write_parquet(asked.out, mode="overwrite")

    table = pyarrow.parquet.read_table(asked.out).to_pylist()
    results, failures = results_of(table), failures_of(table)
    counts = Counter(label for result in results.values() for label in result.labels)
    print(f"{len(results)} pictures answered, {len(failures)} not")
    for label, count in counts.most_common():
        print(f"  {label}: {count}")
    for picture, error in failures.items():
        print(f"  {picture}: {error}")
    if asked.coco:
        dataset = CocoDataset()
        for picture, result in sorted(results.items()):
            dataset.add(picture, result)
        dataset.write(asked.coco)
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", help="a folder that all machines see, or the address of a bucket")
    parser.add_argument("--text", required=True, help='what to find, such as "person, car"')
    parser.add_argument("--model", default="miniature", help="a registered model, or a folder that all machines have")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    parser.add_argument("--cpus", type=float, default=1, help="of each worker (default: %(default)s)")
    parser.add_argument("-o", "--out", default="rows", help="folder of the rows; replaced (default: %(default)s)")
    parser.add_argument("--coco", help="a COCO file to write as well, on the machine where this runs")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
