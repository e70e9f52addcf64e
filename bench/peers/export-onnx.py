"""Exports MiniLM-L6 for transformers.js: float32, and int8 as onnxruntime's dynamic quantisation makes it.

    pip install torch "transformers<5" onnx onnxruntime
    python bench/peers/export-onnx.py .cache/models/minilm-l6 OUT

The first folder is fetched by scripts/fetch-model.ts (`minilm`). OUT becomes a folder as transformers.js loads it; it takes
onnx/model.onnx for the type `fp32` and onnx/model_quantized.onnx for `q8`.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModel

source, out = Path(sys.argv[1]), Path(sys.argv[2])
onnx = out / "onnx"
onnx.mkdir(parents=True, exist_ok=True)
for name in ("config.json", "tokenizer.json"):
    shutil.copy(source / name, out / name)
special = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
(out / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", **special}))

# The eager form of attention exports as the operations that onnxruntime knows how to join.
model = AutoModel.from_pretrained(source, attn_implementation="eager", add_pooling_layer=False).eval()
inputs = {name: torch.ones(2, 8, dtype=torch.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
axes = {0: "batch", 1: "tokens"}
with torch.no_grad():
    torch.onnx.export(
        model,
        tuple(inputs.values()),
        onnx / "model.onnx",
        input_names=list(inputs),
        output_names=["last_hidden_state"],
        dynamic_axes={name: axes for name in [*inputs, "last_hidden_state"]},
        opset_version=17,
        dynamo=False,
    )
# transformers.js quantises BERT so (its scripts/convert.py): per channel, in 7 bits. With one scale per tensor and 8 bits the
# least cosine with the recorded embeddings falls from 0.985 to 0.89.
quantize_dynamic(
    onnx / "model.onnx",
    onnx / "model_quantized.onnx",
    weight_type=QuantType.QInt8,
    per_channel=True,
    reduce_range=True,
)
