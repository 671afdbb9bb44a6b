# /// script
# requires-python = ">=3.10"
# dependencies = []
# ///
"""Cut the published CLIP merge table down to the part that CLIP uses.

    python tools/tokenizer/make_merges.py bpe_simple_vocab_16e6.txt.gz

The source is the file of that name in github.com/openai/CLIP (MIT). It holds
262 145 merges, of which CLIP's vocabulary of 49 408 uses the first 48 894:
49 152 ids, less 256 bytes, less 2 special tokens. The same input gives the same
output on every machine that has the same zlib.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

MERGES = 49152 - 256 - 2
TARGET = Path(__file__).parents[2] / "src" / "sam3_onnx" / "data" / "clip_merges.txt.gz"


def trimmed(published: bytes) -> bytes:
    """Give the used merges, one a line, from the uncompressed published file."""
    lines = published.decode("utf-8").split("\n")[1 : MERGES + 1]
    return ("\n".join(lines) + "\n").encode("utf-8")


def main() -> None:
    """Read the published file, write the package's."""
    parser = argparse.ArgumentParser(description="Cut the published CLIP merge table down to the part in use.")
    parser.add_argument("published", type=Path, help="bpe_simple_vocab_16e6.txt.gz")
    arguments = parser.parse_args()
    merges = trimmed(gzip.decompress(arguments.published.read_bytes()))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(gzip.compress(merges, compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
