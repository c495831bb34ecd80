#!/usr/bin/env python3
"""A peer in a process of its own, one load at a time as it is told to: the commands and answers of bench_embed.c.

    engine.py ENGINE MODEL_FOLDER MODEL.onnx LOAD.json [--max-tokens N] [--threads N]

ENGINE: torch-f32 torch-bf16 onnxruntime-f32 openvino-f32 openvino-bf16. Texts go in batches of 32, sorted by length
within the load, as sentence-transformers does it; pooling is the mean, length 1.
"""
import argparse
import json
import os
import resource
import sys
import time

import numpy as np
from tokenizers import Tokenizer

BATCH = 32


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("engine", "folder", "onnx", "load"):
        parser.add_argument(name)
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    start = time.perf_counter()
    with open(args.load, encoding="utf-8") as f:
        loads = json.load(f)
    engine = Engine(args)
    say(engine=args.engine, threads=args.threads, start_seconds=time.perf_counter() - start)
    for line in sys.stdin:
        verb, *rest = line.split()
        if verb == "memory":
            say(peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        elif verb == "run":
            wall, cpu = time.perf_counter(), time.process_time()
            engine.embed(loads[rest[0]])
            say(load=rest[0], texts=len(loads[rest[0]]), seconds=time.perf_counter() - wall,
                cpu_seconds=time.process_time() - cpu)
        elif verb == "one":
            say(load=rest[0], milliseconds=[one(engine, loads[rest[0]], i) for i in range(int(rest[1]))])
        elif verb == "vectors":
            vectors = engine.embed(loads[rest[0]]).astype("<f4")
            vectors.tofile(rest[1])
            say(texts=len(vectors), dimensions=vectors.shape[1])
        else:
            sys.exit("no such command: " + line)


def say(**answer):
    print(json.dumps(answer), flush=True)


def one(engine, texts, index):
    start = time.perf_counter()
    engine.embed([texts[index % len(texts)]])
    return 1e3 * (time.perf_counter() - start)


class Engine:
    def __init__(self, args):
        with open(os.path.join(args.folder, "config.json"), encoding="utf-8") as f:
            config = json.load(f)
        self.tokenizer = Tokenizer.from_file(os.path.join(args.folder, "tokenizer.json"))
        self.tokenizer.enable_truncation(args.max_tokens)
        self.tokenizer.enable_padding(pad_id=config["pad_token_id"])
        library, dtype = args.engine.split("-")
        self.forward = {"torch": torch_model, "onnxruntime": onnxruntime_model,
                        "openvino": openvino_model}[library](args, dtype)

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


def onnxruntime_model(args, _):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(args.onnx, options, providers=["CPUExecutionProvider"])
    wanted = {i.name for i in session.get_inputs()}
    return lambda ids, mask: session.run(None, inputs(wanted, ids, mask))[0]


def openvino_model(args, dtype):
    import openvino
    model = openvino.Core().compile_model(args.onnx, "CPU", {
        "INFERENCE_PRECISION_HINT": dtype, "INFERENCE_NUM_THREADS": args.threads, "PERFORMANCE_HINT": "LATENCY"})
    wanted = {i.any_name for i in model.inputs}
    return lambda ids, mask: model(inputs(wanted, ids, mask))[0]


def inputs(wanted, ids, mask):
    every = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    return {name: every[name] for name in wanted}


if __name__ == "__main__":
    main()
