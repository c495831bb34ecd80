"""What embedd is to reach, each bar with the figure that a run of the parts gave.

evaluate(results) -> [{"bar", "value", "sign", "needed", "unit", "met", "part"}]; value and met are None where the
part was not measured or an engine is not installed. A ratio compares figures of one part only.
"""
from parts import FULL, MINILM, MPNET
from report import milliseconds, speed
from service import IDLE_SECONDS, SHORT_TOKENS

PREFIX = {MPNET: "mpnet", MINILM: "minilm"}
START_SECONDS = {MPNET: 0.25, MINILM: 0.1}
TOKENIZERS = {"WordPiece": 8, "Unigram": 4, "BPE": 4}


def evaluate(results):
    bars = Bars(results["parts"])
    for model, prefix in PREFIX.items():
        speed_bars(bars, prefix, FULL[model])
        service_bars(bars, prefix + "-service", START_SECONDS[model])
        accuracy_bars(bars, prefix + "-accuracy")
    bars.add("peak", "int8, 128 tokens, 32 texts: share of the measured int8 peak", ">=", 0.6, "",
             lambda part: part["rows"]["int8"])
    for kind, needed in TOKENIZERS.items():
        bars.add("tokenizers", f"{kind}, one thread, against Hugging Face tokenizers", ">=", needed, "x",
                 lambda part, kind=kind: min(r["ratio"] for r in part["rows"] if r["kind"] == kind))
    return bars.found


class Bars:
    def __init__(self, parts):
        self.parts, self.found = parts, []

    def add(self, part, bar, sign, needed, unit, figure):
        try:
            value = figure(self.parts[part])
        except (KeyError, ValueError, TypeError):  # not measured, nothing measured, no figure
            value = None
        met = None if value is None else value >= needed if sign == ">=" else value <= needed
        self.found.append({"part": part, "bar": bar, "value": value, "sign": sign, "needed": needed, "unit": unit,
                           "met": met})


def speed_bars(bars, prefix, full):
    def ratio(part, ours, theirs, load, needed):
        bars.add(f"{prefix}-{part}", f"{ours} {load} against {theirs}", ">=", needed, "x",
                 lambda p: speed(p["rows"][ours], load) / speed(p["rows"][theirs], load))

    for load, needed in ((full, 1.0), ("short", 1.3), ("mixed", 1.3)):
        ratio("f32", "embedd-f32", "openvino-f32", load, needed)
    for load, needed in ((full, 1.05), ("short", 1.5), ("mixed", 1.5)):
        ratio("narrow", "embedd-bf16", "openvino-bf16", load, needed)
    ratio("narrow", "embedd-int8", "openvino-bf16", full, 1.7)
    ratio("narrow", "embedd-int8", "onnxruntime-int8", full, 1.5)
    for load in (full, "short", "mixed"):
        ratio("avx2", "embedd-f32", "openvino-f32", load, 1.0)


def accuracy_bars(bars, part):
    for dtype, figure, needed in (("bf16", "min", 0.9995), ("int8", "min", 0.998), ("int8", "mean", 0.9995)):
        bars.add(part, f"embedd-{dtype}: {figure} cosine to the reference", ">=", needed, "",
                 lambda p, dtype=dtype, figure=figure: p["rows"]["embedd-" + dtype][figure])
    for dtype in ("f32", "bf16", "int8"):
        bars.add(part, f"embedd-{dtype}: rank correlation of all pairs' similarities", ">=", 0.999, "",
                 lambda p, dtype=dtype: p["rows"]["embedd-" + dtype]["rank"])


def service_bars(bars, part, start_seconds):
    for name, peers in (("embedd-f32", "-f32"), ("embedd-int8", "")):
        def add(bar, sign, needed, unit, figure, name=name):
            bars.add(part, f"{name}: {bar}", sign, needed, unit, lambda p: figure(p, p["rows"][name]))

        kind = "f32 peer" if peers else "peer of any type"
        add(f"one short text over HTTP, p50 against the best {kind} in process", "<=", 0.5, "x",
            lambda p, row, peers=peers: milliseconds(times(row["short"]), 0.5) / best_peer(p, peers))
        add("one short text over HTTP, p99 against p50", "<=", 3, "x",
            lambda p, row: min(milliseconds([t], 0.99) / milliseconds([t], 0.5) for t in times(row["short"])))
        for what, clients in (("HTTP batches of 32", 1), ("batches of 32 in process", 0)):
            add(f"16 clients with one text each, of the throughput of {what}", ">=", 0.9, "",
                lambda p, row, clients=clients: bench(row, 16, SHORT_TOKENS, 1) / bench(row, clients, SHORT_TOKENS, 32))
        add("16 clients with one text each, failures", "<=", 0, "", lambda p, row: failures(row))
        for tokens in (SHORT_TOKENS, 128):
            add(f"HTTP and JSON, 32 texts of {tokens} tokens, of the throughput in process", "<=", 0.05, "",
                lambda p, row, tokens=tokens: 1 - bench(row, 1, tokens, 32) / bench(row, 0, tokens, 32))
        for q in (0.5, 0.99):
            add(f"one text beside 2,048, p{100 * q:.0f} against idle p{100 * q:.0f}", "<=", 4, "x",
                lambda p, row, q=q: milliseconds(times(row["beside"]), q) / milliseconds(times(row["short"]), q))
        add("start to the first vector with packed weights", "<=", start_seconds, "s",
            lambda p, row: min(s["first_vector"] for s in row["starts"]))
        add("peak memory above the weights with 16 clients", "<=", 128, "MiB",
            lambda p, row: (row["peak_bytes"] - row["weight_bytes"]) / 2**20)
        add("CPU time while idle", "<=", 0.005, "s/s", lambda p, row: row["idle_cpu_seconds"] / IDLE_SECONDS)
    for shape in ("short", "passage32"):
        bars.add(part, f"embedd-int8 {shape} over HTTP against the Python sidecar", ">=", 7, "x",
                 lambda p, shape=shape: best(p["rows"]["embedd-int8"][shape]) / best(p["rows"]["sidecar"][shape]))


def times(rounds):
    return [r["milliseconds"] for r in rounds]


def best(rounds):
    return max(r["texts_per_second"] for r in rounds)


def bench(row, clients, tokens, texts):
    """texts/s of embedd bench; 0 clients is in process."""
    return max(r["texts_per_second"] for r in row["bench"]
               if (r["clients"], r["tokens"], r["texts"]) == (clients, tokens, texts))


def best_peer(part, end):
    return min(milliseconds(row["one"], 0.5) for name, row in part["in_process"].items()
               if not name.startswith("embedd") and name.endswith(end))


def failures(row):
    return sum(r["failed"] for shape in row.values() if isinstance(shape, list) for r in shape if "failed" in r)


def lines(bars, measured):
    """Of the parts that were measured, and how many there are in all."""
    for bar in bars:
        if bar["part"] not in measured:
            continue
        value = "-" if bar["value"] is None else f"{bar['value']:.5g}"
        met = {None: "not measured", True: "met", False: "NOT MET"}[bar["met"]]
        yield f"{met:12} {value:>8} {bar['sign']} {bar['needed']:<6g} {bar['unit']:4} {bar['part']:16} {bar['bar']}"
    counts = [sum(bar["met"] is kind for bar in bars) for kind in (True, False, None)]
    yield "{} met, {} not met, {} not measured".format(*counts)
