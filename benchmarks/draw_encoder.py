"""Write knowledge/data/minilm.onnx anew: `python -m benchmarks.draw_encoder`, with the test tools installed.

The graph of the embedding model without its weights: of each tensor only its name, its shape and where its
numbers begin in `model.safetensors`. Attention, normalisation over a sum and the activation with its bias
are ONNX Runtime's own operators (the domain com.microsoft), which take several standard ones together.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto, helper

from knowledge.embed import model_folder
from knowledge.minilm import EPSILON, HEADS, LAYERS, WEIGHTS, WIDTH

TARGET = Path(__file__).parents[1] / "knowledge" / "data" / "minilm.onnx"
STANDARD, OWN = ("", 17), ("com.microsoft", 1)
_IR_VERSION = 8


def main() -> None:
    """Draw it for the installed weights."""
    TARGET.write_bytes(drawn(model_folder() / WEIGHTS).SerializeToString(deterministic=True))


def drawn(weights: Path) -> ModelProto:
    """The graph for these weights: `ids` (1, n), int32 -> `states` (n, 384), float32."""
    drawing = Drawing(weights)
    drawing.embeddings("0")
    for layer in range(LAYERS):
        drawing.layer(layer, str(layer), "states" if layer == LAYERS - 1 else str(layer + 1))
    graph = helper.make_graph(
        drawing.nodes,
        "MiniLM",
        [helper.make_tensor_value_info("ids", TensorProto.INT32, [1, "n"])],
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", WIDTH])],
        drawing.tensors,
    )
    opsets = [helper.make_opsetid(*each) for each in (STANDARD, OWN)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)


class Drawing:
    """Nodes and tensors as they come. Values are named after the layer that they go into."""

    def __init__(self, weights: Path) -> None:
        self._header, self._begin = _header_of(weights)
        first = helper.make_tensor("first", TensorProto.INT64, [1], [0])
        self.tensors: list[TensorProto] = [first]
        self.nodes: list[NodeProto] = []

    def embeddings(self, out: str) -> None:
        """Words, places and the one kind of segment there is, added and normalised."""
        at = "embeddings"
        names = (f"{at}.{kind}_embeddings.weight" for kind in ("word", "position", "token_type"))
        tables = [self._tensor(name) for name in names]
        zero = helper.make_tensor("zero", TensorProto.INT32, [1], [0])
        self._node("Shape", ["ids"], "shape")
        self._node("ConstantOfShape", ["shape"], "kinds", value=zero)
        inputs = ["ids", "kinds", *tables, *self._pair(f"{at}.LayerNorm")]
        self._node("EmbedLayerNormalization", inputs, "embedded", "mask", own=True, epsilon=EPSILON)
        self._node("Squeeze", ["embedded", "first"], out)

    def layer(self, number: int, into: str, out: str) -> None:
        """One encoder layer: attention, then the wide layer, each added to what came in and normalised."""
        at = f"encoder.layer.{number}"
        heads = [self._head(f"{at}.attention.self.{part}", into) for part in ("query", "key", "value")]
        self._node("MultiHeadAttention", heads, f"{into}.heads", own=True, num_heads=HEADS)
        self._node("Squeeze", [f"{into}.heads", "first"], f"{into}.mixed")
        self._linear(f"{at}.attention.output.dense", f"{into}.mixed", f"{into}.attended")
        self._added(f"{at}.attention.output.LayerNorm", into, f"{into}.attended", f"{into}.between")
        weight, bias = self._pair(f"{at}.intermediate.dense")
        self._node("Gemm", [f"{into}.between", weight], f"{into}.wide", transB=1)
        self._node("BiasGelu", [f"{into}.wide", bias], f"{into}.active", own=True)
        self._linear(f"{at}.output.dense", f"{into}.active", f"{into}.narrow")
        self._added(f"{at}.output.LayerNorm", f"{into}.between", f"{into}.narrow", out)

    def _head(self, name: str, into: str) -> str:
        self._linear(name, into, f"{name}.flat")
        self._node("Unsqueeze", [f"{name}.flat", "first"], f"{name}.heads")
        return f"{name}.heads"

    def _linear(self, name: str, into: str, out: str) -> None:
        self._node("Gemm", [into, *self._pair(name)], out, transB=1)

    def _added(self, name: str, one: str, other: str, out: str) -> None:
        inputs = [one, other, *self._pair(name)]
        self._node("SkipLayerNormalization", inputs, out, own=True, epsilon=EPSILON)

    def _node(self, kind: str, inputs: list[str], *outputs: str, own: bool = False, **settings: Any) -> None:
        domain = OWN[0] if own else STANDARD[0]
        self.nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **settings))

    def _pair(self, name: str) -> list[str]:
        return [self._tensor(f"{name}.weight"), self._tensor(f"{name}.bias")]

    def _tensor(self, name: str) -> str:
        """A tensor of the file, by where it lies there."""
        entry = self._header[name]
        start, end = entry["data_offsets"]
        tensor = TensorProto(
            name=name,
            data_type=TensorProto.FLOAT,
            dims=entry["shape"],
            data_location=TensorProto.EXTERNAL,
        )
        for key, value in (("location", WEIGHTS), ("offset", self._begin + start), ("length", end - start)):
            tensor.external_data.add(key=key, value=str(value))
        self.tensors.append(tensor)
        return name


def _header_of(weights: Path) -> tuple[dict[str, Any], int]:
    """What a safetensors file says of its tensors, and where their numbers begin (its README, "Format")."""
    with weights.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(size)), 8 + size


if __name__ == "__main__":
    main()
