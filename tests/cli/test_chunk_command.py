"""embedd chunk: files in, chunks out."""
import json
import unittest

from run_program import MODEL, ProgramTest

TEXT = "A sentence of the text, Gr\u00fc\u00dfe \U0001f600. " * 60


class ChunkTest(ProgramTest):
    def chunks(self, *arguments):
        output = self.run_program("chunk", *arguments).stdout
        return [json.loads(line) for line in output.splitlines()]

    def test_chunks_of_a_file(self):
        self.write("a.txt", TEXT)
        chunks = self.chunks("a.txt")
        self.assertGreater(len(chunks), 2)
        for chunk in chunks:
            self.assertEqual(chunk["text"], TEXT[chunk["begin"]:chunk["end"]])
            self.assertLessEqual(len(chunk["text"]), 800)
        apart = self.chunks("a.txt", "--chunk-size", "90", "--chunk-overlap", "0")
        self.assertEqual("".join(chunk["text"] for chunk in apart), TEXT)

    def test_the_type_is_the_ending(self):
        for name, first in (("a.md", "Words.\n\n"), ("a.txt", "Words.\n\n# Head\n\n")):
            self.write(name, "Words.\n\n# Head\n\nMore words of it.")
            size = "14" if name == "a.md" else "17"
            self.assertEqual(self.chunks(name, "--chunk-size", size, "--chunk-overlap", "0")[0]["text"], first)

    def test_what_is_left_out_or_replaced_is_told(self):
        self.write("a.txt", b"one \xff two three four")
        result = self.run_program("chunk", "a.txt", "--chunk-size", "6", "--max-chunks", "2")
        self.assertEqual(len(result.stdout.splitlines()), 2)
        self.assertIn("--max-chunks 2", result.stderr)
        self.assertIn("1 bytes are not UTF-8", result.stderr)

    def test_embed_reads_what_it_prints(self):
        self.write("a.txt", TEXT)
        printed = self.run_program("chunk", "a.txt").stdout
        embedded = self.run_program("embed", "-m", MODEL, "--jsonl", "-", "--format", "jsonl", stdin=printed)
        records = [json.loads(line) for line in embedded.stdout.splitlines()]
        self.assertEqual([record["begin"] for record in records],
                         [json.loads(line)["begin"] for line in printed.splitlines()])
        self.assertTrue(all(len(record["vector"]) == 64 for record in records))

    def test_what_cannot_be_read(self):
        self.write("a.pdf", b"%PDF-1.7")
        self.write("nul.txt", b"a\0b")
        for name, why in (("a.pdf", "plain text and Markdown"), ("nul.txt", "byte 1 is NUL"),
                          ("missing.txt", "missing.txt"), (".", "")):
            result = self.run_program("chunk", name, code=1)
            self.assertEqual(result.stdout, "")
            self.assertIn(why, result.stderr)
        self.run_program("chunk", code=2)
        self.run_program("chunk", "a.txt", "--chunk-size", "10", "--chunk-overlap", "6", code=2)

    def test_an_empty_file(self):
        self.write("a.txt", "")
        self.assertEqual(self.chunks("a.txt"), [])


if __name__ == "__main__":
    unittest.main()
