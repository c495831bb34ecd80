"""What the numbers look like: Markdown tables and a plot."""
from parts import FULL

README, MARKS = "README.md", ("<!-- written by bench/run --readme -->\n", "<!-- until here -->\n")

LABELS = {"embedd": "embedd", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "torch": "torch",
          "fastembed": "fastembed", "llamacpp": "llama.cpp", "sidecar": "FastAPI + sentence-transformers"}
COLOURS = {"embedd-f32": "#0b6e4f", "embedd-bf16": "#0b6e4f", "embedd-int8": "#54a883", "onnxruntime": "#6b7a8f",
           "openvino": "#a9b4c2", "torch": "#d7c49e"}
KINDS = {"f32": "openvino-f32", "narrow": "openvino-bf16", "avx2": "openvino-f32", "more": "embedd-f32"}


def table(results):
    parts = results["parts"]
    lines = [about(part) for part in parts.values()]
    lines = list(dict.fromkeys(lines)) + [""]
    for model in FULL:
        of_model = {name: part for name, part in parts.items() if part["model"] == model}
        of_kind = {kind: [part for part in of_model.values() if part["kind"] == kind]
                   for kind in ("speed", "service", "accuracy")}
        accuracy = {engine: row for part in of_kind["accuracy"] for engine, row in part["rows"].items()}
        if of_kind["speed"]:
            lines += speed_table(model, of_kind["speed"], accuracy)
        for part in of_kind["service"]:
            lines += service_table(model, part)
    return "\n".join(lines)


def write_readme(results):
    """The tables between the two marks, and the plot; says which files."""
    with open(README, encoding="utf-8") as f:
        head, _, rest = f.read().partition(MARKS[0])
    tail = rest.partition(MARKS[1])[2]
    if not tail:
        raise SystemExit(f"{README}: the marks for the tables are missing")
    with open(README, "w", encoding="utf-8") as f:
        f.write(head + MARKS[0] + table(results) + MARKS[1] + tail)
    return [README] + (["docs/bench.svg"] if plot(results, "docs/bench.svg") else [])


def about(part):
    m = part["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
    return (f"{m['cpu']}, {m['cores']} cores, {m['memory_bytes'] / 2**30:.0f} GiB; {m['threads']} threads each; "
            f"embedd {m['commit']}; {versions}; {m['date']}. Best of {part['rounds']} rounds in turns.")


def speed_table(model, parts, accuracy):
    loads = parts[0]["loads"]
    lines = [f"**{model} in process, texts cut at {parts[0]['max_tokens']} tokens**", "",
             "Texts per second, and how many times the ones of the engine with 1.00x, which took turns with those of its "
             "block; CPU milliseconds per text in brackets. Cosine and rank correlation are those of `tests/data/golden/real`.",
             "", f"| engine | {' | '.join(loads)} | one short text p50 / p99 | cosine min / mean | rank correlation | start "
             "| peak memory |", "| --- |" + " ---: |" * (len(loads) + 5)]
    for part in parts:
        rows = part["rows"]
        base = rows.get(KINDS.get(part["name"].partition("-")[2].partition("@")[0]))
        for engine, row in rows.items():
            cells = []
            for load in loads:
                fast = fastest(row, load)
                ratio = f" {speed(row, load) / speed(base, load):.2f}x" if base else ""
                cells.append(f"{speed(row, load):.1f}{ratio} ({1e3 * fast['cpu_seconds'] / fast['texts']:.1f})")
            near = accuracy.get(engine) if part["level"] is None else None
            cells += [latency(row["milliseconds"]),
                      f"{near['min']:.5f} / {near['mean']:.5f}" if near else "-", f"{near['rank']:.5f}" if near else "-",
                      f"{row['start_seconds']:.2f} s", mebibytes(row["peak_bytes"])]
            level = f", {part['level']} at most" if part["level"] else ""
            lines.append(f"| {label(engine)}{level} | {' | '.join(cells)} |")
        lines += [f"| {label(engine)}: {why} |" + " |" * (len(loads) + 5) for engine, why in part["missing"].items()]
    return lines + [""]


def service_table(model, part):
    lines = [f"**{model} over HTTP**", "",
             "| server | short texts, one a request | p50 / p99 | the same, 16 clients | 32 short texts a request "
             "| 32 texts of 100 words | beside a request of 2,048 texts: p50 / p99 | failed | first vector after | peak memory |",
             "| --- |" + " ---: |" * 9]
    for server, row in part["rows"].items():
        best = {shape: max(r["texts_per_second"] for r in row[shape]) for shape in ("short", "clients16", "short32", "passage32")}
        failed = sum(r["failed"] for runs in row.values() if isinstance(runs, list) for r in runs if "failed" in r)
        beside = latency([r["milliseconds"] for r in row["beside"]]) if "beside" in row else "-"
        lines.append(
            f"| {label(server)} | {best['short']:.1f} texts/s | {latency([r['milliseconds'] for r in row['short']])} | "
            f"{best['clients16']:.1f} | {best['short32']:.1f} | {best['passage32']:.1f} | {beside} | {failed} | "
            f"{min(s['first_vector'] for s in row['starts']):.2f} s | {mebibytes(row['peak_bytes'])} |")
    return lines + [""]


def label(engine):
    library, _, dtype = engine.partition("-")
    text = f"{LABELS[library]} {dtype}".strip()
    return f"**{text}**" if library == "embedd" else text


def fastest(row, load):
    return min(row["loads"][load], key=lambda r: r["seconds"])


def speed(row, load):
    best = fastest(row, load)
    return best["texts"] / best["seconds"]


def milliseconds(rounds, q):
    """A quantile of the round in which it was lowest."""
    return min(quantile(times, q) for times in rounds if times)


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def latency(rounds):
    if not any(rounds):
        return "-"
    return f"{milliseconds(rounds, 0.5):.1f} / {milliseconds(rounds, 0.99):.1f} ms"


def mebibytes(n):
    return f"{n / 2**20:.0f} MiB" if n else "-"


def plot(results, path):
    """A row of panels for f32 and one for the narrower types, a column for each model."""
    parts = [p for p in results["parts"].values() if p["kind"] == "speed" and p["name"].endswith(("-f32", "-narrow"))]
    kinds = list(dict.fromkeys(p["name"].partition("-")[2] for p in parts))
    models = list(dict.fromkeys(p["model"] for p in parts))
    if not parts:
        return False
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    plt.rcParams.update({"svg.hashsalt": "embedd", "font.size": 9, "axes.spines.top": False,
                         "axes.spines.right": False})
    figure, panels = plt.subplots(len(kinds), len(models), figsize=(5.2 * len(models), 3.2 * len(kinds)), squeeze=False)
    for part in parts:
        row = kinds.index(part["name"].partition("-")[2])
        draw(panels[row][models.index(part["model"])], part, KINDS[kinds[row]])
    for row, kind in zip(panels, kinds):
        row[0].set_ylabel(f"{label(KINDS[kind])} = 1 (labels: texts/s)")
        row[-1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def draw(panel, part, base):
    rows, loads = part["rows"], part["loads"]
    base = rows.get(base) or next(iter(rows.values()))
    width = 0.8 / len(rows)
    for index, (engine, row) in enumerate(rows.items()):
        at = [i + (index - (len(rows) - 1) / 2) * width for i in range(len(loads))]
        bars = panel.bar(at, [speed(row, load) / speed(base, load) for load in loads], width * 0.92,
                         label=label(engine).strip("*"), color=COLOURS.get(engine) or COLOURS[engine.partition("-")[0]])
        panel.bar_label(bars, [f"{speed(row, load):.0f}" for load in loads], fontsize=7, padding=1)
    panel.set_xticks(range(len(loads)), loads)
    panel.set_title(f"{part['model']}, {part['max_tokens']} tokens", fontsize=10)
    panel.axhline(1, color="#999999", linewidth=0.6, zorder=0)
