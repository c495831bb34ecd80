"""POST /tokenize and /decode, as text-embeddings-inference's clients ask them."""

import unittest

from running_server import ServerTest, golden_rows

SPECIAL = {"[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"}


class TokenizeTest(ServerTest):
    def ask(self, path, **body):
        reply = self.server.post(body, path)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json

    def test_ids_are_the_golden_ones(self):
        rows = [row for row in golden_rows() if len(row["ids"]) < 128]
        self.assertGreater(len(rows), 50)
        for row, tokens in zip(rows, self.ask("/tokenize", inputs=[row["text"] for row in rows]), strict=True):
            self.assertEqual([token["id"] for token in tokens], row["ids"])
            self.assertEqual(set(tokens[0]), {"id", "text", "special", "start", "stop"})
            self.assertTrue(tokens[0]["special"] and tokens[-1]["special"])
            for token in tokens:
                self.assertEqual(token["text"] in SPECIAL, token["special"])
            bare = self.ask("/tokenize", inputs=row["text"], add_special_tokens=False)
            self.assertEqual(bare, [tokens[1:-1]])

    def test_a_long_text_is_whole(self):
        tokens = self.ask("/tokenize", inputs="a " * 5000)[0]
        self.assertEqual(len(tokens), 5002)
        self.assertEqual([tokens[0]["text"], tokens[-1]["text"]], ["[CLS]", "[SEP]"])
        self.assertEqual({token["id"] for token in tokens[1:-1]}, {tokens[1]["id"]})

    def test_decode(self):
        tokens = self.ask("/tokenize", inputs="The quick brown fox.")[0]
        ids = [token["id"] for token in tokens]
        self.assertEqual(self.ask("/decode", ids=ids), ["the quick brown fox."])
        self.assertEqual(self.ask("/decode", ids=[ids, ids[1:-1], []]), ["the quick brown fox."] * 2 + [""])
        whole = self.ask("/decode", ids=ids, skip_special_tokens=False)[0]
        self.assertTrue(whole.startswith("[CLS]") and whole.endswith("[SEP]"))
        self.assertEqual(self.ask("/decode", ids=[]), [])
        self.assertEqual(self.ask("/decode", ids=[2000000000, ids[1]]), ["the"])

    def test_bad_requests(self):
        for path, body in (("/tokenize", {}), ("/tokenize", {"inputs": [1]}), ("/tokenize", {"inputs": 7}),
                           ("/tokenize", {"inputs": "a", "add_special_tokens": "no"}),
                           ("/decode", {}), ("/decode", {"ids": "1"}), ("/decode", {"ids": [1, "a"]}),
                           ("/decode", {"ids": [[1], 2]}), ("/decode", {"ids": [1, [2]]}), ("/decode", {"ids": [1.5]}),
                           ("/decode", {"ids": [[-1]]}), ("/decode", {"ids": [2 ** 31]}), ("/decode", {"ids": [[[1]]]}),
                           ("/decode", {"ids": [None]})):
            reply = self.server.post(body, path)
            self.assertEqual(reply.status, 400, (path, body, reply.body))
            self.assertIn("error_type", reply.json)
        self.assertEqual(self.server.post({"inputs": "a", "prompt_name": "none"}, "/tokenize").status, 422)
        self.assertEqual(self.server.post({"inputs": "a " * 1100000}, "/tokenize").status, 413)


if __name__ == "__main__":
    unittest.main()
