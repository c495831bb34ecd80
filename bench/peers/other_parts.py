"""Parts that other programs measure: the share of the CPU's peak (embedd bench), and tokenizers."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DTYPES = ["f32", "bf16", "int8"]
TOKENIZERS = ["models/all-MiniLM-L6-v2", "tests/data/golden/xlm-roberta", "tests/data/golden/roberta"]
CORPORA = ["tests/data/prose/" + name for name in ("sentences.txt", "multilingual.txt", "mixed.jsonl")]


def measure_peak(part, args):
    """Texts of 128 tokens, 32 a call: of the multiplications and additions that the CPU can do in each type."""
    rows = {}
    for dtype in DTYPES:
        command = ["build/embedd", "bench", "-m", os.path.join("models", part["model"]), "--dtype", dtype, "--threads",
                   str(args.threads), "--length", "128", "--batch", "32", "--concurrency", "1", "--rounds",
                   str(part["rounds"]), "--seconds", str(args.seconds), "--json", "--no-progress"]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows[dtype] = answer["in_process"][0]["share_of_peak"]
        print(f"peak: {dtype} {rows[dtype]:.3f}", flush=True)
    return {"rows": rows}


def measure_tokenizers(part, _):
    """Each against the faster of the two ways to use the other one."""
    command = [sys.executable, os.path.join(HERE, "compare_tokenizers.py"), "--json", "--rounds", str(part["rounds"]),
               "--corpus", *CORPORA, "--", *TOKENIZERS]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = [json.loads(line) for line in answer.splitlines()]
    for row in rows:
        row["ratio"] = row["embedd"] / max(row["encode"], row["encode_batch_fast"])
        print("tokenizers: {kind} {corpus}: {embedd:.1f} MB/s, {ratio:.1f}x".format(**row), flush=True)
    return {"rows": rows}
