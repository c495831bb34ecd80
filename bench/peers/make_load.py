#!/usr/bin/env python3
"""Make the timing loads: seeded English prose of our own in several lengths.

    make_load.py OUT.json [--share F]       F: the part of the texts to keep (1)

short    a query or a sentence, 6 to 24 words
full128  140 words: fills a window of 128 tokens
chunk    270 words: about 1,650 characters, what a document splitter sends
mixed    log-normal, 4 to 400 words
short32, passage32, big
         batches whatever the share: 32 short texts, 32 of 100 words (about 120 tokens), 2,048 short ones
"""
import argparse
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from make_prose import prose  # noqa: E402

COUNTS = {"short": 512, "full128": 128, "chunk": 64, "mixed": 256}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--share", type=float, default=1)
    args = parser.parse_args()
    rng = random.Random(7)
    words = prose(rng, "en", 200000).split()
    lengths = {"short": lambda: rng.randint(6, 24), "full128": lambda: 140, "chunk": lambda: 270,
               "mixed": lambda: min(400, max(4, int(rng.lognormvariate(3.9, 0.9))))}
    loads = {}
    for name, count in COUNTS.items():
        texts = [cut(rng, words, lengths[name]()) for _ in range(count)]
        loads[name] = texts[:max(8, round(count * args.share))]
    for name, count, words_of in (("short32", 32, lengths["short"]), ("passage32", 32, lambda: 100),
                                  ("big", 2048, lengths["short"])):
        loads[name] = [cut(rng, words, words_of()) for _ in range(count)]
    with open(args.out, "w", encoding="utf-8") as f:
        json.dump(loads, f)


def cut(rng, words, count):
    start = rng.randrange(len(words) - count)
    return " ".join(words[start:start + count])


if __name__ == "__main__":
    main()
