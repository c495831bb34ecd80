#!/usr/bin/env python3
"""Measure embedd against other engines on this machine and write a table, the numbers and a plot.

Engines take turns: round 1 of every engine, round 2 of every engine ..., each load in each round, the order of the
engines moved on by one every round; the best round counts. In process (embedd against ONNX Runtime, OpenVINO and
torch) and over HTTP (embedd against a FastAPI + sentence-transformers sidecar).

Writes table.md, results.json and plot.svg into build/bench.
"""
import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys

import numpy as np

import http_load
import report
from worker import Worker

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = {"all-mpnet-base-v2": 128, "all-MiniLM-L6-v2": 256}  # tokens that a text is cut at, in process
ENGINES = ["embedd-f32", "onnxruntime-f32", "openvino-f32", "torch-f32"]
MORE_ENGINES = ["embedd-bf16", "embedd-int8", "openvino-bf16", "torch-bf16"]
REFERENCE = "torch-f32"
LOADS = ["short", "full128", "chunk", "mixed"]


def main():
    args = parse()
    os.makedirs(args.out, exist_ok=True)
    results = {"machine": machine(args.threads), "rounds": args.rounds, "models": {}}
    load_file = os.path.join(args.out, "load.json")
    subprocess.run([sys.executable, os.path.join(HERE, "make_load.py"), load_file, "--share", str(args.share)],
                   check=True)
    for name in args.models:
        folder = os.path.join("models", name)
        results["models"][name] = {"max_tokens": MODELS[name],
                                   "in_process": in_process(args, name, folder, load_file)}
        if not args.no_http:
            results["models"][name]["http"] = over_http(args, folder, load_file)
        save(args.out, results)
    print(f"\n{report.table(results)}\nwritten: {args.out}/table.md, results.json, plot.svg")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two rounds on an eighth of the texts: does it work?")
    parser.add_argument("--rounds", type=int, help="rounds of each engine (5)")
    parser.add_argument("--share", type=float, help="the part of the texts to use (1)")
    parser.add_argument("--seconds", type=float, help="length of one HTTP measurement (8)")
    parser.add_argument("--models", type=names(MODELS), default=list(MODELS), help=",".join(MODELS))
    parser.add_argument("--engines", type=names(ENGINES + MORE_ENGINES), default=ENGINES,
                        help=",".join(ENGINES) + f" (also {', '.join(MORE_ENGINES)})")
    parser.add_argument("--loads", type=names(LOADS), default=LOADS, help=",".join(LOADS))
    parser.add_argument("--threads", type=int, default=physical_cores(), help="of every engine (physical cores)")
    parser.add_argument("--no-http", action="store_true", help="in process only")
    parser.add_argument("--out", default="build/bench")
    args = parser.parse_args()
    args.rounds = args.rounds or (2 if args.quick else 5)
    args.share = args.share or (0.125 if args.quick else 1)
    args.seconds = args.seconds or (2 if args.quick else 8)
    return args


def names(known):
    def parse_names(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(known)}")
        return chosen
    return parse_names


def in_process(args, name, folder, load_file):
    tokens = str(MODELS[name])
    onnx = os.path.join(args.out, name + ".onnx")
    if any(e.startswith(("onnxruntime", "openvino")) for e in args.engines) and not os.path.exists(onnx):
        print(f"{name}: exporting to ONNX", flush=True)
        subprocess.run([sys.executable, "-W", "ignore", os.path.join(HERE, "export_onnx.py"), folder, onnx], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tail = ["--max-tokens", tokens, "--threads", str(args.threads)]
    workers = []
    try:
        for engine in args.engines:
            command = (["build/bench_embed", folder, load_file, "--dtype", engine.split("-")[1]]
                       if engine.startswith("embedd-") else
                       [sys.executable, os.path.join(HERE, "engine.py"), engine, folder, onnx, load_file])
            workers.append(Worker(engine, command + tail, os.path.join(args.out, engine + ".log")))
            print(f"{name}: {engine} started in {workers[-1].start_seconds:.2f} s", flush=True)
        return measure(args, name, workers)
    finally:
        for worker in workers:
            worker.close()


def measure(args, name, workers):
    rows = {w.name: {"start_seconds": w.start_seconds, "level": w.hello.get("level"), "milliseconds": [],
                     "loads": {load: [] for load in args.loads}, "min_cosine": {}} for w in workers}
    for worker in workers:
        worker.ask("one", args.loads[0], 8)
    for number in range(args.rounds):
        turn = workers[number % len(workers):] + workers[:number % len(workers)]
        for load in args.loads:
            speeds = []
            for worker in turn:
                answer = worker.ask("run", load)
                rows[worker.name]["loads"][load].append(answer)
                speeds.append(f"{worker.name} {answer['texts'] / answer['seconds']:.1f}")
            print(f"{name}: round {number + 1}/{args.rounds} {load:8} texts/s: {', '.join(speeds)}", flush=True)
        for worker in turn:
            rows[worker.name]["milliseconds"] += worker.ask("one", "short", 40)["milliseconds"]
    if REFERENCE in rows:
        for load in args.loads:
            vectors = {w.name: read_vectors(args, w, load) for w in workers}
            for worker in workers:
                cosines = (vectors[worker.name] * vectors[REFERENCE]).sum(1)
                rows[worker.name]["min_cosine"][load] = float(cosines.min())
    for worker in workers:
        rows[worker.name]["peak_bytes"] = worker.ask("memory")["peak_bytes"]
    return rows


def read_vectors(args, worker, load):
    path = os.path.join(args.out, "vectors.f32")
    answer = worker.ask("vectors", load, path)
    vectors = np.fromfile(path, dtype="<f4").reshape(answer["texts"], answer["dimensions"]).astype(np.float64)
    os.remove(path)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def over_http(args, folder, load_file):
    with open(load_file, encoding="utf-8") as f:
        loads = json.load(f)
    servers = []
    try:
        for name, command in (
                ("embedd", ["build/embedd", "serve", "-m", folder, "--threads", str(args.threads), "--port"]),
                ("sidecar", [sys.executable, os.path.join(HERE, "sidecar.py"), folder])):
            port = http_load.free_port()
            tail = [str(port)] if name == "embedd" else [str(port), str(args.threads)]
            servers.append(http_load.Server(name, command + tail, port))
            print(f"HTTP: {name} started in {servers[-1].start_seconds:.2f} s", flush=True)
        return http_load.measure(servers, loads, args.rounds, args.seconds)
    finally:
        for server in servers:
            server.close()


def save(out, results):
    with open(os.path.join(out, "results.json"), "w", encoding="utf-8") as f:
        json.dump(results, f, indent=1)
        f.write("\n")
    with open(os.path.join(out, "table.md"), "w", encoding="utf-8") as f:
        f.write(report.table(results))
    report.plot(results, os.path.join(out, "plot.svg"))


def machine(threads):
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    peers = ("onnxruntime", "openvino", "torch", "sentence-transformers")
    return {"cpu": cpu_name(), "cores": physical_cores(), "threads": threads,
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "system": platform.platform(),
            "commit": commit, "date": datetime.date.today().isoformat(),
            "versions": {peer: importlib.metadata.version(peer) for peer in peers}}


def lscpu(*options):
    try:
        return subprocess.run(["lscpu", *options], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def physical_cores():
    cores = {line for line in lscpu("-p=CORE,SOCKET").splitlines() if not line.startswith("#")}
    return len(cores) or os.cpu_count()


def cpu_name():
    fields = dict(line.split(":", 1) for line in lscpu().splitlines() if ":" in line)
    if "Model name" not in fields:
        return platform.processor() or platform.machine()
    return " ".join(f"{fields['Model name']} (family {fields.get('CPU family', '?').strip()}, "
                    f"model {fields.get('Model', '?').strip()})".split())


if __name__ == "__main__":
    main()
