#!/usr/bin/env python3
"""Make the prose of the tests: seeded, from the word lists of prose_words.py, the same bytes every time.

    tools/make_prose.py [FOLDER]                  FOLDER: tests/data

FOLDER/batches/batch-01.json ... batch-15.json    {"texts": [...]}: chunks of running prose that overlap by about 100
                                                  characters, as a document splitter sends them; 133 in all
FOLDER/prose/sentences.txt                        one sentence a line, four languages
FOLDER/prose/mixed.jsonl                          {"lang", "words", "text"}, 5 to 500 words, most of them short
FOLDER/prose/multilingual.txt                     one sentence a line, every language
"""
import json
import math
import os
import random
import re
import sys

from prose_words import LANGUAGES

SEED = 20
# chunks and characters of each batch, and its language (mul: one a chunk): the sizes at which another service died
BATCHES = ([(9, 16657)] + [(9, 17177)] * 4 + [(10, 15715)] * 4 + [(11, 16426)] * 3
           + [(3, 4584), (10, 15826), (2, 2421)])
BATCH_LANGUAGES = "en en de en de en de en mul en de mul en mul de".split()
SENTENCES = {"en": 700, "de": 150, "fr": 75, "es": 75}
N_MIXED = 300
MIXED_SHARES = {"en": 60, "de": 15, "fr": 8, "es": 7, "ru": 4, "it": 3, "pl": 3}
N_EACH = 20  # lines of each language in multilingual.txt
OVERLAP = (85, 115)
NO_BLANKS = ("zh", "ja")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "tests/data"
    os.makedirs(os.path.join(folder, "batches"), exist_ok=True)
    os.makedirs(os.path.join(folder, "prose"), exist_ok=True)
    rng = random.Random(SEED)
    for number, ((count, size), language) in enumerate(zip(BATCHES, BATCH_LANGUAGES), 1):
        texts = make_batch(rng, language, count, size)
        with open(os.path.join(folder, "batches", f"batch-{number:02}.json"), "w", encoding="utf-8") as f:
            json.dump({"texts": texts}, f, ensure_ascii=False, indent=0)
            f.write("\n")
    write_lines(folder, "sentences.txt", distinct(rng, SENTENCES))
    write_lines(folder, "mixed.jsonl", [json.dumps(m, ensure_ascii=False) for m in make_mixed(rng)])
    write_lines(folder, "multilingual.txt", distinct(rng, {language: N_EACH for language in LANGUAGES}))


def write_lines(folder, name, lines):
    with open(os.path.join(folder, "prose", name), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def sentence(rng, language):
    """One of the language's patterns, a phrase of its list in place of each letter."""
    words = LANGUAGES[language]
    text = re.sub(r"\$([A-Z])", lambda m: phrase(rng, words, m.group(1)), rng.choice(words["patterns"].split("|")))
    first = next(i for i, c in enumerate(text) if c.isalnum())
    return text[:first] + text[first].upper() + text[first + 1:]


def phrase(rng, words, letter):
    return str(rng.randint(2, 365)) if letter == "N" else rng.choice(words[letter].split("|"))


def prose(rng, language, size):
    """Paragraphs of four to nine sentences, `size` characters or a little more."""
    parts, length = [], 0
    while length < size:
        blank = "" if language in NO_BLANKS else " "
        parts.append(blank.join(sentence(rng, language) for _ in range(rng.randint(4, 9))))
        length += len(parts[-1]) + 1
    return "\n".join(parts)


def make_batch(rng, language, count, size):
    """`count` chunks of `size` characters in all."""
    while True:
        if language == "mul":
            languages = rng.sample(sorted(LANGUAGES), count)
            chunks = [chunk for one in languages for chunk in cut(rng, prose(rng, one, 2500), 1, size // count)]
            chunks[-1] = cut_exactly(prose(rng, languages[-1], 2500), size - sum(map(len, chunks[:-1])))
        else:
            text = prose(rng, language, size)
            chunks = cut(rng, text, count - 1, size // count)
            last = text.rindex(chunks[-1]) + len(chunks[-1]) - rng.randint(*OVERLAP)
            chunks.append(cut_exactly(text[next_start(text, last):], size - sum(map(len, chunks))))
        if chunks[-1] and 0.8 < len(chunks[-1]) * count / size < 1.2:
            return chunks


def cut(rng, text, count, mean):
    """`count` chunks about `mean` characters long, each beginning some words before the last one's end."""
    chunks, start = [], 0
    for _ in range(count):
        end = start + round(min(1.15, max(0.75, rng.gauss(1, 0.05))) * mean)
        while not ends_word(text, end):
            end += 1
        chunks.append(text[start:end])
        start = next_start(text, end - rng.randint(*OVERLAP))
    return chunks


def cut_exactly(text, size):
    """The first `size` characters, or None if that would cut a word."""
    return text[:size] if 0 < size < len(text) and ends_word(text, size) else None


def ends_word(text, end):
    return not text[end - 1].isspace() and (text[end].isspace() or is_ideograph(text[end]))


def next_start(text, start):
    while text[start].isspace() or not (text[start - 1].isspace() or is_ideograph(text[start])):
        start += 1
    return start


def is_ideograph(c):
    return "\u2e80" <= c <= "\u9fff"


def distinct(rng, counts):
    lines = []
    for language, count in counts.items():
        seen = set()
        while len(seen) < count:
            seen.add(sentence(rng, language))
        lines += sorted(seen)
    rng.shuffle(lines)
    return lines


def make_mixed(rng):
    for _ in range(N_MIXED):
        language = rng.choices(list(MIXED_SHARES), list(MIXED_SHARES.values()))[0]
        count = int(min(500, max(5, math.exp(rng.gauss(math.log(60), 1.0)))))
        words = prose(rng, language, 12 * count).split(" ")
        yield {"lang": language, "words": count, "text": " ".join(words[:count])}


if __name__ == "__main__":
    main()
