"""What the numbers look like: a Markdown table and a plot."""
BASE = "onnxruntime-f32"
COLOURS = ["#0b6e4f", "#6b7a8f", "#a9b4c2", "#d7c49e", "#e3d8c1", "#c2b8a3"]
LABELS = {"embedd-f32": "**embedd f32**", "embedd-bf16": "**embedd bf16**", "embedd-int8": "**embedd int8**",
          "onnxruntime-f32": "ONNX Runtime f32", "openvino-f32": "OpenVINO f32",
          "torch-f32": "torch f32", "torch-bf16": "torch bf16", "openvino-bf16": "OpenVINO bf16",
          "embedd": "**embedd**", "sidecar": "FastAPI + sentence-transformers"}


def table(results):
    m = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
    lines = [f"{m['cpu']}, {m['cores']} cores, {m['memory_bytes'] / 2**30:.0f} GiB; {m['threads']} threads each; "
             f"embedd {m['commit']}, CPU level {level(results)}; {versions}; {m['date']}. "
             f"Best of {results['rounds']} rounds in turns.", ""]
    for name, model in results["models"].items():
        lines += in_process(name, model)
        if "http" in model:
            lines += over_http(name, model["http"])
    return "\n".join(lines)


def level(results):
    found = [row["level"] for model in results["models"].values() for row in model["in_process"].values()
             if row["level"]]
    return found[0] if found else "?"


def in_process(name, model):
    rows = model["in_process"]
    loads = list(next(iter(rows.values()))["loads"])
    lines = [f"### {name} in process, texts cut at {model['max_tokens']} tokens", "",
             "Texts per second, and how many times ONNX Runtime's; CPU milliseconds per text in brackets.", "",
             f"| engine | {' | '.join(loads)} | one short text p50 / p99 | min cosine to torch f32 | start "
             "| peak memory |",
             "| --- |" + " ---: |" * (len(loads) + 4)]
    for engine, row in rows.items():
        cells = []
        for load in loads:
            best = fastest(row, load)
            ratio = f" {speed(row, load) / speed(rows[BASE], load):.2f}x" if BASE in rows else ""
            cells.append(f"{speed(row, load):.1f}{ratio} ({1e3 * best['cpu_seconds'] / best['texts']:.1f})")
        cosines = row["min_cosine"].values()
        cells += [f"{quantile(row['milliseconds'], 0.5):.1f} / {quantile(row['milliseconds'], 0.99):.1f} ms",
                  f"{min(cosines):.7f}" if cosines else "-", f"{row['start_seconds']:.2f} s",
                  mebibytes(row["peak_bytes"])]
        lines.append(f"| {LABELS[engine]} | {' | '.join(cells)} |")
    return lines + [""]


def over_http(name, rows):
    lines = [f"### {name} over HTTP", "",
             "| server | short texts, one a request | p50 / p99 | chunks, ten a request | the same, 8 clients | failed "
             "| start | peak memory |", "| --- |" + " ---: |" * 7]
    for server, row in rows.items():
        shapes = row["shapes"]
        short = max(shapes["short"], key=lambda r: r["texts_per_second"])["milliseconds"]
        best = {s: max(r["texts_per_second"] for r in runs) for s, runs in shapes.items()}
        failed = sum(r["failed"] for runs in shapes.values() for r in runs)
        lines.append(f"| {LABELS[server]} | {best['short']:.1f} texts/s | "
                     f"{quantile(short, 0.5):.1f} / {quantile(short, 0.99):.1f} ms | {best['chunks']:.1f} texts/s | "
                     f"{best['chunks-8-clients']:.1f} texts/s | {failed} | {row['start_seconds']:.2f} s | "
                     f"{mebibytes(row['peak_bytes'])} |")
    return lines + [""]


def fastest(row, load):
    return min(row["loads"][load], key=lambda r: r["seconds"])


def speed(row, load):
    best = fastest(row, load)
    return best["texts"] / best["seconds"]


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else float("nan")


def mebibytes(n):
    return f"{n / 2**20:.0f} MiB" if n else "-"


def plot(results, path):
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    plt.rcParams.update({"svg.hashsalt": "embedd", "font.size": 9, "axes.spines.top": False,
                         "axes.spines.right": False})
    models = results["models"]
    figure, panels = plt.subplots(1, len(models), figsize=(5.2 * len(models), 3.4), squeeze=False)
    for panel, (name, model) in zip(panels[0], models.items()):
        rows = model["in_process"]
        loads = list(next(iter(rows.values()))["loads"])
        base = rows.get(BASE) or next(iter(rows.values()))
        width = 0.8 / len(rows)
        for index, (engine, row) in enumerate(rows.items()):
            at = [i + (index - (len(rows) - 1) / 2) * width for i in range(len(loads))]
            bars = panel.bar(at, [speed(row, load) / speed(base, load) for load in loads], width * 0.92,
                             label=LABELS[engine].strip("*"), color=COLOURS[index % len(COLOURS)])
            panel.bar_label(bars, [f"{speed(row, load):.0f}" for load in loads], fontsize=7, padding=1)
        panel.set_xticks(range(len(loads)), loads)
        panel.set_title(f"{name}, {model['max_tokens']} tokens", fontsize=10)
        panel.axhline(1, color="#999999", linewidth=0.6, zorder=0)
    panels[0][0].set_ylabel("speed, ONNX Runtime f32 = 1 (label: texts/s)")
    panels[0][-1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
