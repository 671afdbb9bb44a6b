"""Writes a miniature bundle whose parts round as in bfloat16: `python tools/miniature/rounded.py OUT image_encoder`.

For machines on which no provider computes in bfloat16. Weights, and what each operator of the named parts answers, are
rounded to bfloat16; what an operator adds up inside stays in float32, as matrix units do it. `evaluate.py OUT
--against FOLDER` then measures what that costs. Needs the package `onnx`.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import onnx
from onnx import TensorProto, helper, shape_inference

SHIPPED = Path(__file__).parent.parent.parent / "src" / "sam3_onnx" / "data" / "miniature"


def round_everything(model: onnx.ModelProto) -> None:
    """Puts a cast to bfloat16 and back behind every weight and every operator that answers with floats, in place."""
    graph = model.graph
    known = shape_inference.infer_shapes(model).graph
    floats = {
        value.name
        for value in (*known.value_info, *known.output)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    weights = [tensor.name for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT]
    nodes = [cast for name in weights for cast in _round_trip(name, f"{name}/rounded")]
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in weights:
                node.input[place] = f"{name}/rounded"
        nodes.append(node)
        for place, name in enumerate(node.output):
            if name in floats:
                node.output[place] = f"{name}/exact"
                nodes += _round_trip(f"{name}/exact", name)
    del graph.node[:]
    graph.node.extend(nodes)


def _round_trip(source: str, target: str) -> list[onnx.NodeProto]:
    coarse = f"{source}/bfloat16"
    down = helper.make_node("Cast", [source], [coarse], to=TensorProto.BFLOAT16)
    return [down, helper.make_node("Cast", [coarse], [target], to=TensorProto.FLOAT)]


def main() -> None:
    """Copies the bundle and rounds the named parts of the copy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="a folder that is not there yet")
    parser.add_argument("parts", nargs="+", help="image_encoder, fusion, ...")
    parser.add_argument("--bundle", type=Path, default=SHIPPED, help="what to copy (default: the miniature that ships)")
    options = parser.parse_args()
    shutil.copytree(options.bundle, options.out)
    for part in options.parts:
        path = options.out / f"{part}.onnx"
        model = onnx.load(path)
        round_everything(model)
        onnx.save(model, path)


if __name__ == "__main__":
    main()
