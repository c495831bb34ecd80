"""embedd embed: where texts come from, how vectors go out."""
import json
import math
import os
import pty
import re
import signal
import struct
import subprocess
import time
import unittest

from run_program import GOLDEN, MODEL, PROGRAM, ProgramTest


def read_npy(data):
    """The rows of a NumPy array of format version 1.0, read by hand."""
    assert data[:8] == b"\x93NUMPY\x01\x00", data[:8]
    size = struct.unpack("<H", data[8:10])[0]
    header = data[10:10 + size].decode("ascii")
    assert (10 + size) % 64 == 0 and header.endswith("\n"), header
    shape = re.fullmatch(r"\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n",
                         header)
    n_rows, n_columns = int(shape[1]), int(shape[2])
    body = data[10 + size:]
    assert len(body) == 4 * n_rows * n_columns, (len(body), n_rows, n_columns)
    return [list(struct.unpack_from("<%df" % n_columns, body, 4 * n_columns * i))
            for i in range(n_rows)]


def golden_rows(model):
    with open(os.path.join(GOLDEN, model, "expected.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class EmbedTest(ProgramTest):
    def embed(self, *arguments, **more):
        return self.run_program("embed", "-m", MODEL, *arguments, **more)

    def vectors(self, *arguments, **more):
        return json.loads(self.embed(*arguments, **more).stdout)["vectors"]

    # ---- the vectors are the reference's

    def test_vectors_are_those_of_the_reference(self):
        rows = [row for row in golden_rows("bert-mean-norm") if row["normalize"]]
        records = "".join(json.dumps({"text": row["text"]}) + "\n" for row in rows)
        vectors = [json.loads(line)["vector"]
                   for line in self.embed("--jsonl", "-", stdin=records).stdout.splitlines()]
        self.assertEqual(len(vectors), len(rows))
        for row, vector in zip(rows, vectors):
            self.assertLessEqual(max(abs(x - y) for x, y in zip(vector, row["vector"])), 1e-5,
                                 row["name"])

    def test_normalize_pooling_and_prompt(self):
        model = os.path.join(GOLDEN, "bert")  # its folder does not end in Normalize
        length = lambda vector: math.sqrt(sum(x * x for x in vector))

        def one(*arguments):
            output = self.run_program("embed", "-m", model, *arguments).stdout
            return json.loads(output)["vectors"][0]

        self.assertAlmostEqual(length(one("a cat")), 1, places=5)
        raw = one("--no-normalize", "a cat")
        self.assertGreater(abs(length(raw) - 1), 0.01)
        self.assertNotEqual(one("--pooling", "cls", "a cat"), one("a cat"))
        self.assertEqual(one("--pooling", "mean", "a cat"), one("a cat"))
        self.assertEqual(one("--prompt", "query: ", "a cat"), one("query: a cat"))
        model = os.path.join(GOLDEN, "bert-prompts")  # its default prompt is "query"
        self.assertEqual(one("a cat"), one("--prompt-name", "query", "a cat"))
        self.assertEqual(one("--prompt-name", "passage", "a cat"), one("--prompt", "passage: ", "a cat"))
        self.assertEqual(one("--prompt", "", "a cat"), one("--prompt-name", "document", "a cat"))

    def test_dimensions(self):
        whole = self.vectors("--no-normalize", "a cat")[0]
        cut = self.vectors("--dimensions", "16", "a cat", "a dog")
        self.assertEqual([len(vector) for vector in cut], [16, 16])
        length = math.sqrt(sum(x * x for x in whole[:16]))
        for x, y in zip(whole[:16], cut[0]):
            self.assertAlmostEqual(x / length, y, places=6)
        self.assertEqual(self.vectors("--dimensions", "64", "a cat"), self.vectors("a cat"))
        self.assertIn("have 64 numbers", self.embed("--dimensions", "65", "a cat", code=2).stderr)

    # ---- where texts come from

    def test_every_source_gives_the_same_vectors(self):
        expected = self.vectors("a cat", "", "日本語")
        lines = self.write("lines.txt", "a cat\n\n日本語\n")
        records = self.write("records.jsonl", '{"text":"a cat"}\n{"text":""}\n\n{"text":"\\u65e5本語"}')
        for arguments, stdin in ((["--file", lines], ""), (["-f", lines], ""), ([], "a cat\n\n日本語"),
                                 (["-"], "a cat\n\n日本語\n"), (["--file", "-"], "a cat\n\n日本語"),
                                 ([], "a cat\r\n\r\n日本語\r\n"),
                                 (["--jsonl", records, "--format", "json"], "")):
            self.assertEqual(self.vectors(*arguments, stdin=stdin), expected, arguments)
        self.assertEqual(self.vectors(stdin=b"\xef\xbb\xbfa cat\n\n\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"),
                         expected, "a byte order mark is no text")

    def test_two_sources_are_one_too_many(self):
        for arguments in (["a", "--file", "x"], ["--file", "x", "--jsonl", "y"], ["a", "--jsonl", "y"]):
            self.assertIn("only one of these", self.embed(*arguments, code=2).stderr)

    def test_no_text_at_all(self):
        self.assertEqual(self.vectors(), [])
        self.assertEqual(read_npy(self.embed("--format", "npy", text=False).stdout), [])

    def test_many_chunks_keep_their_order(self):
        texts = ["%s %d" % ("word " * (i % 40), i) for i in range(1500)]
        path = self.write("texts.txt", "\n".join(texts))
        vectors = self.vectors("--file", path)
        self.assertEqual(len(vectors), len(texts))
        for i in (0, 255, 256, 257, 700, 1499):
            self.assertEqual(vectors[i], self.vectors(texts[i])[0])

    def test_nul_and_special_characters(self):
        lines = b"a\x00b\nquote \" and \\ and \t tab\n\xf0\x9f\x91\x8d\n"
        output = self.embed("--format", "jsonl", stdin=lines).stdout
        texts = [json.loads(line)["text"] for line in output.splitlines()]
        self.assertEqual(texts, lines.decode().split("\n")[:-1])

    # ---- how vectors go out

    def test_json(self):
        answer = json.loads(self.embed("a cat", "a dog").stdout)
        self.assertEqual(set(answer), {"vectors", "model", "dim", "usage", "truncated"})
        self.assertEqual((answer["model"], answer["dim"], answer["truncated"]), (MODEL, 64, []))
        self.assertGreaterEqual(answer["usage"]["tokens"], 8)

    def test_npy_holds_the_same_bits(self):
        vectors = self.vectors("a cat", "a dog", "a bus")
        piped = self.embed("--format", "npy", "a cat", "a dog", "a bus", text=False).stdout
        self.embed("--out", "x.npy", "a cat", "a dog", "a bus")
        self.assertEqual(self.read("x.npy"), piped)
        rows = read_npy(piped)
        for row, vector in zip(rows, vectors):
            self.assertEqual(row, [struct.unpack("f", struct.pack("f", x))[0] for x in vector])

    def test_jsonl_keeps_the_records(self):
        record = '{ "id":12345678901234567890123, "text":"lone \\ud83d", "x":[1.50,{"y":null}] }'
        output = self.embed("--jsonl", "-", stdin=record).stdout
        self.assertTrue(output.startswith(record[:-2]), output)
        answer = json.loads(output)
        self.assertEqual(len(answer["vector"]), 64)
        self.assertEqual((answer["tokens_used"], answer["tokens_total"], answer["truncated"]),
                         (answer["tokens_total"], answer["tokens_used"], False))

    def test_jsonl_replaces_the_fields_it_writes(self):
        output = self.embed("--jsonl", "-", stdin='{"vector":[1],"text":"a","tokens_used":"?","k":"v"}').stdout
        pairs = json.loads(output, object_pairs_hook=list)
        names = [name for name, _ in pairs]
        self.assertEqual(sorted(names), ["k", "text", "tokens_total", "tokens_used", "truncated", "vector"])
        self.assertEqual(len(json.loads(output)["vector"]), 64)

    def test_field(self):
        output = self.embed("--jsonl", "-", "--field", "body", stdin='{"body":"a cat","text":7}').stdout
        self.assertEqual(json.loads(output)["vector"], self.vectors("a cat")[0])

    def test_format_follows_the_name(self):
        for name, start in (("a.npy", b"\x93NUMPY"), ("a.jsonl", b'{"text"'), ("a.json", b'{"vectors"'),
                            ("a.txt", b'{"vectors"')):
            self.embed("--out", name, "a cat")
            self.assertTrue(self.read(name).startswith(start), name)
        self.assertTrue(self.embed("--out", "-", "a cat").stdout.startswith('{"vectors"'))

    def test_out_is_whole_or_not_there(self):
        self.write("old.jsonl", "old")
        lines = b"good\n" * 1000 + b"\xff\n"
        self.embed("--out", "old.jsonl", stdin=lines, code=1)
        self.embed("--out", "new.npy", stdin=lines, code=1)
        self.assertEqual(self.read("old.jsonl"), b"old")
        self.assertEqual(os.listdir(self.folder), ["old.jsonl"])
        self.embed("--out", "old.jsonl", "good")
        self.assertEqual(os.listdir(self.folder), ["old.jsonl"])
        self.assertNotEqual(self.read("old.jsonl"), b"old")

    def test_an_interrupt_leaves_nothing_behind(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([PROGRAM, "embed", "-m", MODEL, "--out", "x.npy"], cwd=self.folder,
                                       stdin=subprocess.PIPE, env=self.environment())
            process.stdin.write(b"a line\n" * 20000)
            process.stdin.flush()
            deadline = time.monotonic() + 30
            while not os.path.exists(os.path.join(self.folder, "x.npy.partial")):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.005)
            process.send_signal(number)
            self.assertEqual(process.wait(30), -number)
            process.stdin.close()
            self.assertEqual(os.listdir(self.folder), [])

    def test_a_device_is_written_not_replaced(self):
        self.embed("--out", "/dev/null", "--format", "npy", "a cat")
        self.assertFalse(os.path.isfile("/dev/null"))
        self.assertIn("No space left", self.embed("--out", "/dev/full", "a cat", code=1).stderr)

    def test_a_folder_that_is_not_there(self):
        self.assertIn("nowhere/x.npy: No such file",
                      self.embed("--out", "nowhere/x.npy", "a", code=1).stderr)

    def test_nothing_half_is_printed_when_the_first_text_fails(self):
        self.assertEqual(self.embed(stdin=b"\xff", code=1).stdout, "")

    # ---- errors name the line

    def test_lines_at_fault(self):
        for stdin, arguments, sentence in (
                (b"ok\n\xff\n", [], "standard input:2: the text is not valid UTF-8"),
                (b"ok\n" * 300 + b"\xc0\xaf", [], "standard input:301: "),
                (b'{"text":"a"}\n{"text":', ["--jsonl", "-"], "standard input:2: byte 8"),
                (b'{"text":"a"}\n\n[1]', ["--jsonl", "-"], "standard input:3: is not a JSON object"),
                (b'{"body":"a"}', ["--jsonl", "-"], "standard input:1: there is no field text;"),
                (b'{"text":null}', ["--jsonl", "-"], "standard input:1: the field text is not a string"),
                (b'{"text":"\xff"}', ["--jsonl", "-"], "standard input:1: byte 9")):
            self.assertIn(sentence, self.embed(*arguments, stdin=stdin, code=1).stderr)
        path = self.write("long.txt", "short\n" + "word " * 400)
        self.assertIn(path + ":2: the text has ",
                      self.embed("--file", path, "--no-truncate", code=1).stderr)
        self.assertIn("text 2: the text has ",
                      self.embed("a", "word " * 400, "--no-truncate", code=1).stderr)

    def test_a_line_without_end(self):
        result = self.embed(stdin=b"x" * (17 << 20), code=1)
        self.assertIn("standard input:1: the line is longer than", result.stderr)

    def test_files_that_are_none(self):
        self.assertIn("nosuch.txt: No such file", self.embed("--file", "nosuch.txt", code=1).stderr)
        self.assertIn("is a folder", self.embed("--file", ".", code=1).stderr)

    # ---- reports

    def test_truncation_is_reported(self):
        texts = "short\n" + "word " * 400 + "\n"
        result = self.embed(stdin=texts)
        self.assertIn("1 of 2 texts is longer than the 128 tokens", result.stderr)
        self.assertEqual(json.loads(result.stdout)["truncated"],
                         [{"index": 1, "tokens_used": 128, "tokens_total": 802}])
        lines = self.embed("--format", "jsonl", stdin=texts).stdout.splitlines()
        self.assertEqual([json.loads(line)["truncated"] for line in lines], [False, True])

    def test_no_progress_without_a_terminal_unless_asked(self):
        self.assertEqual(self.embed("a cat").stderr, "")
        self.assertRegex(self.embed("--progress", "a cat").stderr, r"\Aembedding 1 text, \d+ tokens\n\Z")

    def test_progress_on_a_terminal(self):
        master, terminal = pty.openpty()
        process = subprocess.Popen([PROGRAM, "embed", "-m", MODEL, "--out", "x.npy"], cwd=self.folder,
                                   stdin=subprocess.PIPE, stderr=terminal, env=self.environment())
        os.close(terminal)
        process.stdin.write(b"a few words of text\n" * 20000)
        process.stdin.close()
        shown = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        self.assertEqual(process.wait(), 0)
        os.close(master)
        self.assertRegex(shown, rb"\rembedding 20,000 texts(, \d+ texts/s, in \d:\d\d)?, [\d,]+ tokens")
        self.assertEqual(len(read_npy(self.read("x.npy"))), 20000)

    def test_npy_is_not_written_to_a_terminal(self):
        master, terminal = pty.openpty()
        process = subprocess.run([PROGRAM, "embed", "-m", MODEL, "--format", "npy", "a"],
                                 stdout=terminal, stderr=subprocess.PIPE, env=self.environment())
        os.close(terminal)
        os.close(master)
        self.assertEqual(process.returncode, 2)
        self.assertIn(b"--out", process.stderr)

    def test_memory_stays_flat(self):
        """60,000 lines need no more memory than 2,000."""
        if os.environ.get("EMBEDD_SAN"):
            self.skipTest("a sanitizer keeps freed memory")
        peaks = []
        for n_lines in (2_000, 60_000):
            path = self.write("lines.txt", "x\n" * n_lines)
            script = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
                      "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
            result = subprocess.run(["python3", "-c", script, PROGRAM, "embed", "-m", MODEL, "--file",
                                     path, "--out", "x.jsonl"], cwd=self.folder, capture_output=True,
                                    text=True, env=self.environment(), check=True)
            peaks.append(int(result.stdout))
        self.assertLess(peaks[1] - peaks[0], 4096, peaks)


if __name__ == "__main__":
    unittest.main()
