"""The forward pass of the embedding model, by ONNX Runtime: a BERT encoder, one text at a time.

`data/minilm.onnx` holds the operations and says where in the model's `model.safetensors` each tensor lies
(benchmarks/draw_encoder.py wrote it), so that the weights are mapped into memory from there; ONNX Runtime
lays the matrices out for the processor once and lets the rest go. Texts are not put together: two
passages in one pass would take as long as one after the other.
Architecture: Devlin et al. 2019, "BERT", with the sizes of MiniLM-L6 (6 layers, 12 heads, 384 wide).
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]

HEADS = 12
WIDTH = 384
LAYERS = 6
EPSILON = 1e-12  # layer_norm_eps of the model's config.json
WEIGHTS = "model.safetensors"

_ERRORS_ONLY = 3
_WEIGHTS_ARE_IN = "session.model_external_initializers_file_folder_path"


class Encoder:
    """The encoder with its weights, about 90 MB. Any number of threads may use one at once."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds `model.safetensors`, the very file that the graph was drawn for: check it before."""
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a question is to take one core, and others may ask meanwhile
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # would keep the memory of the longest text for ever
        options.log_severity_level = _ERRORS_ONLY
        place = (folder / WEIGHTS).resolve().parent  # links that lead out of the folder are not followed
        options.add_session_config_entry(_WEIGHTS_ARE_IN, str(place))
        graph = (files("knowledge") / "data" / "minilm.onnx").read_bytes()
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def forward(self, ids: Integers) -> Floats:
        """Token ids of a text (at most 512) -> their last hidden states, (len, 384)."""
        states: Floats = self._session.run(["states"], {"ids": ids[None]})[0]
        return states
