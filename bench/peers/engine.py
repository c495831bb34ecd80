#!/usr/bin/env python3
"""A peer in a process of its own, one load at a time as it is told to: the commands and answers of bench_embed.c.

    engine.py ENGINE MODEL_FOLDER FILES LOAD.json [--max-tokens N] [--threads N]

ENGINE: torch-f32 torch-bf16 onnxruntime-f32 onnxruntime-int8 openvino-f32 openvino-bf16 fastembed-f32 llamacpp-f16
llamacpp-q8_0 (backends.py). FILES.onnx, FILES.int8.onnx, FILES.f16.gguf are the model in other formats (convert.py).
A library that is not there is said in place of the first answer: {"missing": WHY}.
"""
import argparse
import json
import os
import resource
import sys
import time

import backends


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("engine", "folder", "files", "load"):
        parser.add_argument(name)
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    start = time.perf_counter()
    with open(args.load, encoding="utf-8") as f:
        loads = json.load(f)
    try:
        engine = backends.open_engine(args)
    except ImportError as e:
        say(missing=f"not installed: {e.name}")
        return
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


if __name__ == "__main__":
    main()
