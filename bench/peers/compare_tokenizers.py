#!/usr/bin/env python3
"""Compares the speed of our tokenizer with that of Hugging Face `tokenizers`, each on one thread.

    bench/peers/compare_tokenizers.py [--rounds N] [--corpus FILE ...] [--json] FOLDER ...

In: folders with a tokenizer.json; corpora whose lines are texts (.txt) or objects with a "text"
(.jsonl). Out: a Markdown table of MB/s, or with --json an object a line. The engines take turns, `rounds` times, and the best pass of
each counts. Every text is a call of its own: ours is ed_tokenizer_encode, theirs
Tokenizer.encode(text).ids, and beside it encode_batch_fast of all texts at once, which leaves out
the places of tokens. TOKENIZERS_PARALLELISM is false, so neither uses a second thread. Truncation
and padding of the file are off.
Needs the Python package `tokenizers` and build/bench_tokenizer.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers  # noqa: E402: reads the variables

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROSE = os.path.join(ROOT, "tests", "data", "prose", "sentences.txt")


def read_texts(paths):
    texts = []
    for path in paths:
        with open(path, encoding="utf-8", newline="\n") as lines:
            for line in lines:
                texts.append(json.loads(line)["text"] if path.endswith(".jsonl") else line.rstrip("\n"))
    return [text for text in texts if text and "\n" not in text]


class Ours:
    """A process that makes one pass over a file for each line that it gets."""

    def __init__(self, program, folder, texts_path):
        self.process = subprocess.Popen([program, folder, texts_path, "-"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        nanoseconds, n_tokens = self.process.stdout.readline().split()
        return int(nanoseconds) / 1e9, int(n_tokens)

    def close(self):
        self.process.communicate()


def timed(run):
    begin = time.perf_counter()
    n_tokens = run()
    return time.perf_counter() - begin, n_tokens


def compare(folder, texts, texts_path, program, rounds):
    theirs = tokenizers.Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    theirs.no_truncation()
    theirs.no_padding()
    kind = json.loads(theirs.to_str())["model"]["type"]
    ours = Ours(program, folder, texts_path)
    best = [float("inf")] * 3
    for _ in range(rounds):
        passes = (ours.run(), timed(lambda: sum(len(theirs.encode(text).ids) for text in texts)),
                  timed(lambda: sum(len(row) for row in theirs.encode_batch_fast(texts))))
        assert len({n_tokens for _, n_tokens in passes}) == 1, passes
        best = [min(old, new) for old, (new, _) in zip(best, passes)]
    ours.close()
    return kind, best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--corpus", nargs="+", default=[PROSE], metavar="FILE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), metavar="FOLDER")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    program = os.path.join(options.build, "bench_tokenizer")
    if not options.json:
        print("| tokenizer | model | corpus | embedd MB/s | encode MB/s | ratio | encode_batch_fast MB/s | ratio |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for folder in options.folders:
        for corpus in options.corpus:
            texts = read_texts([corpus])
            n_bytes = sum(len(text.encode()) for text in texts)
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n", suffix=".txt") as file:
                file.write("".join(text + "\n" for text in texts))
                file.flush()
                kind, (ours, one, batch) = compare(folder, texts, file.name, program, options.rounds)
            show(options.json, os.path.basename(os.path.normpath(folder)), kind, os.path.basename(corpus),
                 [n_bytes / seconds / 1e6 for seconds in (ours, one, batch)])
    return 0


def show(as_json, folder, kind, corpus, speeds):
    ours, one, batch = speeds
    if as_json:
        print(json.dumps({"folder": folder, "kind": kind, "corpus": corpus, "embedd": ours, "encode": one,
                          "encode_batch_fast": batch}), flush=True)
    else:
        print(f"| {folder} | {kind} | {corpus} | {ours:.1f} | {one:.2f} | {ours / one:.1f} | {batch:.2f} "
              f"| {ours / batch:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
