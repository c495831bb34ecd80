"""The peers themselves: open(engine, args) gives something with embed(texts) -> float32 [n][dimensions].

All of them cut a text at args.max_tokens and compute args.threads wide; pooling is the mean, length 1. What is not a
complete engine of its own (torch, ONNX Runtime, OpenVINO) gets its texts in batches of 32, sorted by length within
the load, as sentence-transformers does it, from Hugging Face `tokenizers`.
"""
import json
import os

import numpy as np

BATCH = 32


def open_engine(args):
    library, dtype = args.engine.split("-")
    if library == "fastembed":
        return FastEmbed(args)
    if library == "llamacpp":
        return LlamaCpp(args, dtype)
    return Encoder(args, {"torch": torch_model, "onnxruntime": onnxruntime_model,
                          "openvino": openvino_model}[library](args, dtype))


def read_json(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return json.load(f)


class Encoder:
    def __init__(self, args, forward):
        from tokenizers import Tokenizer
        self.forward = forward
        self.tokenizer = Tokenizer.from_file(os.path.join(args.folder, "tokenizer.json"))
        self.tokenizer.enable_truncation(args.max_tokens)
        self.tokenizer.enable_padding(pad_id=read_json(args.folder, "config.json")["pad_token_id"])

    def embed(self, texts):
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        out = [None] * len(texts)
        for start in range(0, len(order), BATCH):
            part = order[start:start + BATCH]
            encoded = self.tokenizer.encode_batch([texts[i] for i in part])
            ids = np.array([e.ids for e in encoded], dtype=np.int64)
            mask = np.array([e.attention_mask for e in encoded], dtype=np.int64)
            for i, vector in zip(part, pool(self.forward(ids, mask), mask)):
                out[i] = vector
        return np.stack(out)


def pool(hidden, mask):
    mask = mask[..., None].astype(np.float32)
    vectors = (hidden * mask).sum(1) / mask.sum(1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def torch_model(args, dtype):
    import torch
    from transformers import AutoModel
    torch.set_num_threads(args.threads)
    model = AutoModel.from_pretrained(args.folder).eval().to({"f32": torch.float32, "bf16": torch.bfloat16}[dtype])

    def forward(ids, mask):
        with torch.inference_mode():
            return model(input_ids=torch.from_numpy(ids),
                         attention_mask=torch.from_numpy(mask)).last_hidden_state.float().numpy()
    return forward


def onnxruntime_model(args, dtype):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    path = args.files + {"f32": ".onnx", "int8": ".int8.onnx"}[dtype]
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    wanted = {i.name for i in session.get_inputs()}
    return lambda ids, mask: session.run(None, inputs(wanted, ids, mask))[0]


def openvino_model(args, dtype):
    import openvino
    model = openvino.Core().compile_model(args.files + ".onnx", "CPU", {
        "INFERENCE_PRECISION_HINT": dtype, "INFERENCE_NUM_THREADS": args.threads, "PERFORMANCE_HINT": "LATENCY"})
    wanted = {i.any_name for i in model.inputs}
    return lambda ids, mask: model(inputs(wanted, ids, mask))[0]


def inputs(wanted, ids, mask):
    every = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    return {name: every[name] for name in wanted}


class FastEmbed:
    """fastembed on the exported model, in a folder as it expects one; its tokenizer cuts where that folder says."""

    def __init__(self, args):
        from fastembed import TextEmbedding
        from fastembed.common.model_description import ModelSource, PoolingType
        folder = f"{args.files}.fastembed-{args.max_tokens}"
        os.makedirs(folder, exist_ok=True)
        for name in ("config.json", "tokenizer.json", "special_tokens_map.json"):
            link(os.path.join(args.folder, name), os.path.join(folder, name))
        link(args.files + ".onnx", os.path.join(folder, "model.onnx"))
        with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as f:
            json.dump({**read_json(args.folder, "tokenizer_config.json"), "model_max_length": args.max_tokens,
                       "max_length": args.max_tokens}, f)
        TextEmbedding.add_custom_model(
            model="local", pooling=PoolingType.MEAN, normalization=True, sources=ModelSource(hf="local"),
            dim=read_json(args.folder, "config.json")["hidden_size"], model_file="model.onnx")
        self.model = TextEmbedding("local", threads=args.threads, specific_model_path=folder,
                                   providers=["CPUExecutionProvider"])

    def embed(self, texts):
        return np.stack(list(self.model.embed(texts, batch_size=BATCH)))


def link(source, at):
    if not os.path.lexists(at):
        os.symlink(os.path.abspath(source), at)


class LlamaCpp:
    """llama.cpp on the file of write_gguf.py. Its Python package asks for one text a call unless told otherwise."""

    def __init__(self, args, dtype):
        import llama_cpp
        defaults = llama_cpp.llama_context_default_params

        def many_texts():
            params = defaults()
            params.n_seq_max = BATCH
            return params

        llama_cpp.llama_context_default_params = many_texts
        tokens = max(512, args.max_tokens)  # a batch's attention costs the square of this
        self.model = llama_cpp.Llama(
            f"{args.files}.{dtype}.gguf", embedding=True, n_ctx=tokens, n_batch=tokens, n_ubatch=tokens,
            n_threads=args.threads, n_threads_batch=args.threads, verbose=False)
        tokenize, last = self.model.tokenize, args.max_tokens - 1

        def tokenize_and_cut(*text, **options):
            ids = tokenize(*text, **options)
            return ids if len(ids) <= last + 1 else ids[:last] + ids[-1:]

        self.model.tokenize = tokenize_and_cut

    def embed(self, texts):
        return np.array(self.model.embed(texts, normalize=True), dtype=np.float32)
