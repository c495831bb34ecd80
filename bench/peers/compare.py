#!/usr/bin/env python3
"""Measure embedd against other engines on this machine, and say which of its bars it reaches.

The work is cut into parts (parts.py) that each take less than five minutes. Within a part the engines take turns:
round 1 of every engine, round 2 of every engine ..., each load in each round, the order moved on by one every round;
the best round counts, and a bar compares figures of one part only. So the parts can be measured one by one, whenever
the machine is quiet:

    bench/run --list
    bench/run --part mpnet-f32,mpnet-narrow --append results.json
    bench/run --service --append results.json
    bench/run --report --readme --append results.json       nothing is measured

Writes results.json (or the file of --append), table.md, bars.txt and plot.svg into build/bench.
"""
import argparse
import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time

import bars
import other_parts
import report
from parts import ENGINES, LEVELS, LOADS, PARTS, listing
from service import measure_service
from speed import measure_accuracy, measure_speed

MEASURE = {"speed": measure_speed, "accuracy": measure_accuracy, "service": measure_service,
           "peak": other_parts.measure_peak, "tokenizers": other_parts.measure_tokenizers}


def main():
    args = parse()
    if args.list:
        print(listing())
        return
    os.makedirs(args.out, exist_ok=True)
    path = args.append or os.path.join(args.out, "results.json")
    results = {"parts": {}}
    if args.append and os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            results = json.load(f)
    with contextlib.redirect_stdout(sys.stderr if args.json else sys.stdout):
        measure(args, results, path)
    show(args, results, path)


def measure(args, results, path):
    for name in [] if args.report else args.part:
        part = chosen(args, name)
        start = time.perf_counter()
        measured = MEASURE[part["kind"]](part, args)
        part |= measured | {"machine": machine(args.threads), "seconds": time.perf_counter() - start}
        print(f"{part['name']}: took {part['seconds']:.0f} s", flush=True)
        results["parts"][part["name"]] = part
        write(path, json.dumps(results) + "\n")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", type=names(PARTS), default=list(PARTS), help="some of " + ",".join(PARTS) + " (all)")
    parser.add_argument("--list", action="store_true", help="the parts and how long they take on two cores")
    parser.add_argument("--service", action="store_true", help="the parts over HTTP")
    parser.add_argument("--append", metavar="FILE", help="keep the parts that are in FILE already, and add to it")
    parser.add_argument("--report", action="store_true", help="measure nothing: tables, bars, plot of what is there")
    parser.add_argument("--readme", action="store_true", help="put the tables and the plot into README.md and docs")
    parser.add_argument("--json", action="store_true", help="print the bars as JSON in the end")
    parser.add_argument("--level", choices=[level for level in LEVELS if level], help="the CPU level of embedd, "
                        "OpenVINO and torch; the part is kept as NAME@LEVEL")
    parser.add_argument("--quick", action="store_true", help="one round on a sixteenth of the texts: does it work?")
    parser.add_argument("--rounds", type=int, help="rounds of each engine (what the part says)")
    parser.add_argument("--share", type=float, help="the part of the part's texts to use (1)")
    parser.add_argument("--seconds", type=float, help="length of one measurement over HTTP (2)")
    parser.add_argument("--engines", type=names(ENGINES), help="in place of the part's: " + ",".join(ENGINES))
    parser.add_argument("--loads", type=names(LOADS["all-MiniLM-L6-v2"]), help="in place of the part's")
    parser.add_argument("--threads", type=int, default=physical_cores(), help="of every engine (physical cores)")
    parser.add_argument("--out", default="build/bench")
    args = parser.parse_args()
    if args.service:
        args.part = [name for name in args.part if PARTS[name]["kind"] == "service"]
    args.seconds = args.seconds or (0.5 if args.quick else 2)
    args.share = args.share or (0.0625 if args.quick else 1)
    args.rounds = args.rounds or (1 if args.quick else None)
    return args


def names(known):
    def parse_names(text):
        chosen_names = text.split(",")
        for name in chosen_names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(known)}")
        return chosen_names
    return parse_names


def chosen(args, name):
    part = dict(PARTS[name], name=name)
    part["share"] *= args.share
    part["rounds"] = args.rounds or part["rounds"]
    if args.engines and "engines" in part:
        part["engines"] = args.engines
    if args.loads and "loads" in part:
        part["loads"] = args.loads
    if args.level and part["kind"] in ("speed", "accuracy") and part["level"] != args.level:
        part |= {"level": args.level, "name": f"{name}@{args.level}"}
    return part


def show(args, results, path):
    found = bars.evaluate(results)
    listing = "\n".join(bars.lines(found, results["parts"]))
    write(os.path.join(args.out, "table.md"), report.table(results))
    write(os.path.join(args.out, "bars.txt"), listing + "\n")
    written = [path, *(os.path.join(args.out, name) for name in ("table.md", "bars.txt"))]
    plot = os.path.join(args.out, "plot.svg")
    if report.plot(results, plot):
        written.append(plot)
    if args.readme:
        written += report.write_readme(results)
    if args.json:
        print(json.dumps({"bars": found}, indent=1))
    else:
        print(f"\n{report.table(results)}\n{listing}\nwritten: {', '.join(written)}")


def write(path, text):
    """The old file stays whole until the new one is."""
    with open(path + ".part", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".part", path)


def machine(threads):
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {"cpu": cpu_name(), "cores": physical_cores(), "threads": threads,
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "system": platform.platform(),
            "commit": commit, "date": datetime.date.today().isoformat(), "versions": versions()}


def versions():
    found = {}
    for name in ("onnxruntime", "openvino", "torch", "sentence-transformers", "fastembed", "llama-cpp-python",
                 "tokenizers"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


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
