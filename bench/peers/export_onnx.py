#!/usr/bin/env python3
"""Export an encoder folder to ONNX: float32, last hidden state.  export_onnx.py MODEL_FOLDER OUT.onnx"""
import sys

import torch
from transformers import AutoModel, AutoTokenizer


def main():
    folder, out = sys.argv[1:3]
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    example = tokenizer(["hello world", "a longer example text"], padding=True, return_tensors="pt")
    names = [n for n in ("input_ids", "attention_mask", "token_type_ids") if n in example]
    if model.config.model_type == "mpnet":
        names.remove("token_type_ids") if "token_type_ids" in names else None

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *inputs):
            return self.model(**dict(zip(names, inputs))).last_hidden_state

    axes = {0: "texts", 1: "tokens"}
    torch.onnx.export(Encoder(), tuple(example[n] for n in names), out, input_names=names, output_names=["hidden"],
                      dynamic_axes={n: axes for n in [*names, "hidden"]}, opset_version=17, dynamo=False)


if __name__ == "__main__":
    main()
