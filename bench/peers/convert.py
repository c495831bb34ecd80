#!/usr/bin/env python3
"""A model folder in the formats of other engines: convert.py FOLDER OUT, with OUT ending in

.onnx         float32, last hidden state, any number of texts and tokens
.int8.onnx    the same with ONNX Runtime's dynamic quantization (per channel, the full range); needs OUT's .onnx
.f16.gguf     a BERT as llama.cpp's converter writes it; .q8_0.gguf: its matrices in blocks of 32 bytes
"""
import json
import os
import sys

import numpy as np


def main():
    folder, out = sys.argv[1:3]
    part = out + ".part"
    for end, write in ((".int8.onnx", write_int8), (".onnx", write_onnx), (".f16.gguf", write_gguf),
                       (".q8_0.gguf", write_gguf)):
        if out.endswith(end):
            write(folder, part, end)
            os.replace(part, out)
            return
    sys.exit(__doc__)


def write_onnx(folder, out, _):
    import torch
    from transformers import AutoModel, AutoTokenizer
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    example = tokenizer(["hello world", "a longer example text"], padding=True, return_tensors="pt")
    names = [n for n in ("input_ids", "attention_mask", "token_type_ids") if n in example]
    if model.config.model_type == "mpnet" and "token_type_ids" in names:
        names.remove("token_type_ids")

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *inputs):
            return self.model(**dict(zip(names, inputs))).last_hidden_state

    axes = {0: "texts", 1: "tokens"}
    torch.onnx.export(Encoder(), tuple(example[n] for n in names), out, input_names=names, output_names=["hidden"],
                      dynamic_axes={n: axes for n in [*names, "hidden"]}, opset_version=17, dynamo=False)


def write_int8(_, out, end):
    from onnxruntime.quantization import QuantType, quantize_dynamic
    quantize_dynamic(out.removesuffix(end + ".part") + ".onnx", out, per_channel=True, reduce_range=False,
                     weight_type=QuantType.QInt8)


def write_gguf(folder, out, end):
    import gguf
    from safetensors.numpy import load_file
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
        config = json.load(f)
    if config["model_type"] != "bert":
        sys.exit(f"llama.cpp has no {config['model_type']}")
    writer = gguf.GGUFWriter(out, "bert")
    write_bert_fields(gguf, writer, folder, config)
    small = gguf.GGMLQuantizationType.F16 if end == ".f16.gguf" else gguf.GGMLQuantizationType.Q8_0
    for name, weights in load_file(os.path.join(folder, "model.safetensors")).items():
        name = bert_name(name)
        if name is None:
            continue
        kind = small if weights.ndim == 2 and name.endswith(".weight") and not name.startswith(
            ("position_embd", "token_types")) else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(weights.astype(np.float32), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_bert_fields(gguf, writer, folder, config):
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as f:
        vocabulary = json.load(f)["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    is_special = [t.startswith("[") and t.endswith("]") and len(t) > 2 for t in tokens]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")  # lower case without accents, as bert-base-uncased
    # llama.cpp's spelling: a mark in front of what begins a word, nothing in front of what goes on
    writer.add_token_list([t if special else t[2:] if t.startswith("##") else "\u2581" + t
                           for t, special in zip(tokens, is_special)])
    writer.add_token_types([gguf.TokenType.CONTROL if s else gguf.TokenType.NORMAL for s in is_special])
    writer.add_token_type_count(config["type_vocab_size"])
    for name, add in (("[CLS]", writer.add_bos_token_id), ("[SEP]", writer.add_eos_token_id),
                      ("[UNK]", writer.add_unk_token_id), ("[SEP]", writer.add_sep_token_id),
                      ("[PAD]", writer.add_pad_token_id), ("[MASK]", writer.add_mask_token_id)):
        add(vocabulary[name])


def bert_name(name):
    name = name.removeprefix("bert.")
    if name.startswith("pooler.") or name == "embeddings.position_ids":
        return None
    for theirs, ours in (("embeddings.word_embeddings", "token_embd"),
                         ("embeddings.token_type_embeddings", "token_types"),
                         ("embeddings.position_embeddings", "position_embd"),
                         ("embeddings.LayerNorm", "token_embd_norm"), ("encoder.layer.", "blk."),
                         ("attention.self.query", "attn_q"), ("attention.self.key", "attn_k"),
                         ("attention.self.value", "attn_v"), ("attention.output.dense", "attn_output"),
                         ("attention.output.LayerNorm", "attn_output_norm"), ("intermediate.dense", "ffn_up"),
                         ("output.dense", "ffn_down"), ("output.LayerNorm", "layer_output_norm")):
        name = name.replace(theirs, ours)
    return name


if __name__ == "__main__":
    main()
