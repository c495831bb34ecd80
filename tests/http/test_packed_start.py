"""A server that starts on packed weights of an earlier one."""
import os
import tempfile
import unittest

from running_server import RunningServer, bits

TEXTS = ["a cat", "the small grey cat sat upon a mat", ""]


class PackedStartTest(unittest.TestCase):
    def test_the_second_start_maps_what_the_first_wrote(self):
        with tempfile.TemporaryDirectory() as folder, RunningServer() as plain:
            self.assertIsNone(plain.get("/info").json["packed_file"])
            expected = [bits(v) for v in plain.embed(TEXTS)]
            with RunningServer("--cache", folder) as first, RunningServer("--cache", folder) as second:
                files = [server.get("/info").json["packed_file"] for server in (first, second)]
                self.assertEqual(files, [os.path.join(folder, name) for name in os.listdir(folder)] * 2)
                for server in (first, second):
                    self.assertEqual([bits(v) for v in server.embed(TEXTS)], expected)
                os.remove(files[0])  # what is mapped stays
                self.assertEqual([bits(v) for v in second.embed(TEXTS)], expected)

    def test_auto_says_why(self):
        with tempfile.TemporaryDirectory() as folder:
            infos = []
            for _ in range(2):
                with RunningServer("--dtype", "auto", env={"EMBEDD_CACHE": folder}) as server:
                    infos.append(server.get("/info").json)
            self.assertTrue(infos[0]["dtype_reason"].startswith("auto: " + infos[0]["dtype"]))
            for field in ("dtype", "dtype_reason", "packed_file"):
                self.assertEqual(infos[0][field], infos[1][field])
        with RunningServer() as server:
            info = server.get("/info").json
            self.assertEqual((info["dtype"], info["dtype_reason"]), ("f32", None))


if __name__ == "__main__":
    unittest.main()
