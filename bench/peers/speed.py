"""Parts in process: how fast the engines are in turns (speed), and how near the reference (accuracy)."""
import json
import os
import subprocess
import sys

import numpy as np

import parts
from worker import NotInstalled, Worker

HERE = os.path.dirname(os.path.abspath(__file__))
SINGLES = 40  # texts that each engine embeds one by one in a round


def measure_speed(part, args):
    workers, missing = start(part, args, load_file(args.out, part["share"]), parts.MAX_TOKENS[part["model"]])
    rows = {w.name: {"start_seconds": w.start_seconds, "level": w.hello.get("level"), "milliseconds": [],
                     "loads": {load: [] for load in part["loads"]}} for w in workers}
    try:
        for worker in workers:
            worker.ask("one", "short", 8)
        for number in range(part["rounds"]):
            turn = take_turns(workers, number)
            for load in part["loads"]:
                answers = {w.name: w.ask("run", load) for w in turn}
                for name, answer in answers.items():
                    rows[name]["loads"][load].append(answer)
                say(part, number, f"{load:8} texts/s", {n: a["texts"] / a["seconds"] for n, a in answers.items()})
            for worker in turn:
                rows[worker.name]["milliseconds"].append(worker.ask("one", "short", SINGLES)["milliseconds"])
        for worker in workers:
            rows[worker.name]["peak_bytes"] = worker.ask("memory")["peak_bytes"]
    finally:
        close(workers)
    return {"rows": rows, "missing": missing, "max_tokens": parts.MAX_TOKENS[part["model"]]}


def measure_accuracy(part, args):
    """Vectors of the texts of tests/data/golden/real beside those that the reference made of them, uncut."""
    folder = os.path.join("models", part["model"])
    with open(os.path.join("tests/data/golden/real", part["model"] + ".jsonl"), encoding="utf-8") as f:
        golden = [json.loads(line) for line in f]
    with open(os.path.join(folder, "sentence_bert_config.json"), encoding="utf-8") as f:
        tokens = json.load(f)["max_seq_length"]
    texts = os.path.join(args.out, "golden.json")
    with open(texts, "w", encoding="utf-8") as f:
        json.dump({"golden": [row["text"] for row in golden]}, f)
    wanted = unit(np.array([row["vector"] for row in golden]))
    rows, missing = {}, {}
    for engine in part["engines"]:
        workers, gone = start({**part, "engines": [engine]}, args, texts, tokens)
        missing |= gone
        try:
            for worker in workers:
                rows[worker.name] = compare(wanted, read_vectors(args.out, worker))
                print("{} {}: cosine min {min:.5f} mean {mean:.5f}, rank correlation {rank:.5f}".format(
                    part["name"], engine, **rows[worker.name]), flush=True)
        finally:
            close(workers)
    return {"rows": rows, "missing": missing, "texts": len(golden), "max_tokens": tokens}


def compare(wanted, vectors):
    cosines = (wanted * vectors).sum(1)
    pairs = np.triu_indices(len(wanted), 1)
    return {"min": float(cosines.min()), "mean": float(cosines.mean()),
            "rank": float(np.corrcoef(*(ranks((v @ v.T)[pairs]) for v in (wanted, vectors)))[0, 1])}


def ranks(values):
    """1 for the smallest ...; equal ones share the middle of their places."""
    _, where, counts = np.unique(np.round(values, 9), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[where]


def read_vectors(out, worker):
    path = os.path.join(out, "vectors.f32")
    answer = worker.ask("vectors", "golden", path)
    vectors = np.fromfile(path, dtype="<f4").reshape(answer["texts"], answer["dimensions"])
    os.remove(path)
    return unit(vectors.astype(np.float64))


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def start(part, args, texts, max_tokens):
    """The engines of a part that are installed, each in its process, and why the others are not there."""
    workers, missing = [], {}
    for engine in part["engines"]:
        try:
            workers.append(Worker(engine, command(engine, part["model"], args, texts, max_tokens),
                                  os.path.join(args.out, engine + ".log"), parts.LEVELS[part["level"]]))
            print(f"{part['name']}: {engine} started in {workers[-1].start_seconds:.2f} s", flush=True)
        except NotInstalled as e:
            missing[engine] = str(e)
            print(f"{part['name']}: {engine}: {e}", flush=True)
        except BaseException:
            close(workers)
            raise
    return workers, missing


def command(engine, model, args, texts, max_tokens):
    folder, files = os.path.join("models", model), os.path.join(args.out, model)
    tail = ["--max-tokens", str(max_tokens), "--threads", str(args.threads)]
    library, dtype = engine.split("-")
    if library == "embedd":
        return ["build/bench_embed", folder, texts, "--dtype", dtype, *tail]
    if library in ("onnxruntime", "openvino", "fastembed"):
        convert(folder, files + ".onnx", engine)
    if engine == "onnxruntime-int8":
        convert(folder, files + ".int8.onnx", engine)
    if library == "llamacpp":
        convert(folder, f"{files}.{dtype}.gguf", engine)
    return [sys.executable, "-W", "ignore", os.path.join(HERE, "engine.py"), engine, folder, files, texts, *tail]


def convert(folder, out, engine):
    if os.path.exists(out):
        return
    print(f"{engine}: making {out}", flush=True)
    made = subprocess.run([sys.executable, "-W", "ignore", os.path.join(HERE, "convert.py"), folder, out],
                          capture_output=True, text=True)
    if made.returncode:
        raise NotInstalled(made.stderr.strip().splitlines()[-1])


def load_file(out, share):
    path = os.path.join(out, f"load-{share:g}.json")
    subprocess.run([sys.executable, os.path.join(HERE, "make_load.py"), path, "--share", str(share)], check=True)
    return path


def take_turns(workers, number):
    first = number % len(workers) if workers else 0
    return workers[first:] + workers[:first]


def say(part, number, what, figures):
    print(f"{part['name']}: round {number + 1}/{part['rounds']} {what}: "
          + ", ".join(f"{name} {figure:.1f}" for name, figure in figures.items()), flush=True)


def close(workers):
    for worker in workers:
        worker.close()
