"""The part over HTTP: embedd in f32 and int8, the Python sidecar, and the peers in process that answer one text.

All take turns, round after round. What is measured of a server, and stored in its row under the same name:

starts      seconds to GET /health and to the first vector, of several starts
SHAPES      texts/s and the time of each request, for some seconds a round; twice as long for one text a request, as
            one of a hundred is looked for
bench       texts/s of embedd bench, whose clients cost less than these: (clients, tokens, texts a request), 0 clients
            is in process
beside      one text a request while a request of 2,048 short texts is under way (embedd, once)
memory      what /info says the weights take; the peak of the process after the shapes
idle        CPU seconds of two seconds without requests
"""
import json
import os
import subprocess
import sys
import time

import http_load
import speed

HERE = os.path.dirname(os.path.abspath(__file__))
# name: which texts, how many in a request, how many clients at once
SHAPES = {"short": ("short", 1, 1), "clients16": ("short", 1, 16), "short32": ("short32", 32, 1),
          "passage32": ("passage32", 32, 1)}
PEERS = ["onnxruntime-f32", "openvino-f32", "onnxruntime-int8", "openvino-bf16"]
OURS = ["embedd-f32", "embedd-int8"]
STARTS, IDLE_SECONDS, SHORT_TOKENS = 3, 2, 20


def measure_service(part, args):
    texts = speed.load_file(args.out, part["share"])
    with open(texts, encoding="utf-8") as f:
        loads = json.load(f)
    servers, workers = [], []
    try:
        rows = start_servers(part, args, servers)
        workers, missing = speed.start({**part, "engines": OURS + PEERS}, args, texts, 128)
        in_process = {w.name: {"one": []} for w in workers}
        for worker in workers:
            worker.ask("one", "short", 8)
        for number in range(part["rounds"]):
            one_text_in_process(part, number, workers, in_process)
            every_shape(part, args, number, servers, loads, rows)
        for server in servers:
            finish(server, loads, rows[server.name])
            print(f"{part['name']}: {server.name}: beside a large request, memory, idle: done", flush=True)
        for name in OURS:
            rows[name]["bench"] = bench(part, args, name)
    finally:
        speed.close(workers)
        for server in servers:
            server.close()
    return {"rows": rows, "in_process": in_process, "missing": missing}


def start_servers(part, args, servers):
    folder = os.path.join("models", part["model"])
    commands = {"embedd-" + dtype: ["build/embedd", "serve", "-m", folder, "--dtype", dtype, "--threads",
                                    str(args.threads), "--port", "PORT"] for dtype in ("f32", "int8")}
    commands["sidecar"] = [sys.executable, os.path.join(HERE, "sidecar.py"), folder, "PORT", str(args.threads)]
    rows = {}
    for name, command in commands.items():
        starts = STARTS if name in OURS else 1
        if name in OURS:
            http_load.Server(name, command).close()  # packs the weights, if they are not
        rows[name] = {"starts": [], **{shape: [] for shape in SHAPES}}
        for index in range(starts):
            server = http_load.Server(name, command)
            rows[name]["starts"].append({"ready": server.start_seconds, "first_vector": server.first_vector_seconds})
            if index < starts - 1:
                server.close()
        servers.append(server)
        print(f"{part['name']}: {name} serves, first vector after "
              f"{min(s['first_vector'] for s in rows[name]['starts']):.2f} s", flush=True)
    return rows


def one_text_in_process(part, number, workers, in_process):
    for worker in speed.take_turns(workers, number):
        in_process[worker.name]["one"].append(worker.ask("one", "short", speed.SINGLES)["milliseconds"])
    speed.say(part, number, "one short text in process, best ms", {n: min(r["one"][-1]) for n, r in in_process.items()})


def every_shape(part, args, number, servers, loads, rows):
    for shape, (load, batch, clients) in SHAPES.items():
        for server in speed.take_turns(servers, number):
            seconds = args.seconds * (2 if shape == "short" else 1)
            rows[server.name][shape].append(http_load.run_for(server, loads[load], batch, clients, seconds))
        speed.say(part, number, f"{shape:9} over HTTP, texts/s",
                  {n: r[shape][-1]["texts_per_second"] for n, r in rows.items()})


def bench(part, args, name):
    """embedd bench takes every combination: few clients for long texts, many for short ones only."""
    rows = []
    for tokens, batches, clients in ((SHORT_TOKENS, "1,32", "1,16"), (128, "32", "1")):
        command = ["build/embedd", "bench", "-m", os.path.join("models", part["model"]), "--dtype", name.split("-")[1],
                   "--threads", str(args.threads), "--length", str(tokens), "--batch", batches, "--concurrency", clients,
                   "--rounds", str(part["rounds"]), "--seconds", str(args.seconds / 2), "--json", "--no-progress"]
        answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        rows += answer["in_process"] + answer["over_http"]
    print(f"{part['name']}: {name}: embedd bench: done", flush=True)
    return [{"clients": r.get("clients", 0), **{key: r[key] for key in ("tokens", "texts", "texts_per_second", "failed")}}
            for r in rows]


def finish(server, loads, row):
    row["peak_bytes"] = server.memory()[0]
    if server.name in OURS:
        row["weight_bytes"] = server.ask("GET", "/info")["weight_bytes"]
        row["beside"] = [http_load.run_beside(server, loads["short"], loads["big"])]
        before = server.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        row["idle_cpu_seconds"] = None if before is None else server.cpu_seconds() - before
