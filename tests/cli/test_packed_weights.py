"""Packed weights in the cache of the user: written once, mapped later, never in the way."""
import json
import os
import subprocess
import threading
import unittest

from run_program import GOLDEN, MODEL, PROGRAM, ProgramTest

TEXT = "the same bits"


class PackedWeightsTest(ProgramTest):
    def environment(self, variables=None):
        environment = super().environment({"EMBEDD_CACHE": "", **(variables or {})})
        return environment if environment["EMBEDD_CACHE"] else {k: v for k, v in environment.items() if k != "EMBEDD_CACHE"}

    def vectors(self, *options, **more):
        return self.run_program("embed", "-m", MODEL, *options, TEXT, **more).stdout

    def files(self, folder=".cache/embedd/packed"):
        folder = os.path.join(self.folder, folder)
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return {name: os.stat(os.path.join(folder, name)).st_ino for name in names}

    def test_first_start_writes_and_second_maps(self):
        plain = self.vectors("--cache", "off")
        self.assertEqual(self.files(), {})
        self.assertEqual(self.vectors(), plain)
        files = self.files()
        self.assertEqual(len(files), 1)
        name = next(iter(files))
        self.assertTrue(name.startswith("bert-mean-norm-") and name.endswith(".packed"), name)
        self.assertEqual(self.vectors(), plain)
        self.assertEqual(self.files(), files, "written again")
        path = os.path.join(self.folder, ".cache/embedd/packed", name)
        self.assertEqual(os.stat(os.path.dirname(path)).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(json.loads(self.run_program("info", "-m", MODEL, "--json").stdout)["packed_file"], path)
        self.assertIn("packed in     %s, checked" % path, self.run_program("info", "-m", MODEL).stdout)

    def test_where_it_is(self):
        cache = os.path.join(self.folder, "xdg")
        self.vectors(variables={"XDG_CACHE_HOME": cache})
        self.assertEqual(len(self.files("xdg/embedd/packed")), 1)
        self.vectors(variables={"XDG_CACHE_HOME": cache, "EMBEDD_CACHE": os.path.join(self.folder, "own")})
        self.assertEqual(len(self.files("own")), 1)
        self.vectors("--cache", "off", variables={"EMBEDD_CACHE": os.path.join(self.folder, "never")})
        self.vectors(variables={"EMBEDD_CACHE": "off"})
        self.assertEqual(self.files("never"), {})
        self.assertEqual(self.files(), {})
        self.vectors(variables={"HOME": "/proc/nowhere"})
        self.vectors(variables={"HOME": ""})

    def test_info_repairs_what_is_damaged_inside(self):
        plain = self.vectors("--cache", "off")
        self.vectors()
        name, inode = next(iter(self.files().items()))
        path = os.path.join(self.folder, ".cache/embedd/packed", name)
        with open(path, "r+b") as file:
            file.seek(4096 + 4096 + 512)
            file.write(b"damaged")
        self.run_program("info", "-m", MODEL)
        self.assertNotEqual(self.files()[name], inode)
        self.assertEqual(self.vectors(), plain)

    def test_many_first_starts_at_once(self):
        plain = self.vectors("--cache", "off")
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.vectors())) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [plain] * 6)
        self.assertEqual(len(self.files()), 1)

    @unittest.skipIf(os.environ.get("EMBEDD_SAN"), "the limit would also stop the sanitizer's own report")
    def test_a_full_disk_is_no_trouble(self):
        plain = self.vectors("--cache", "off")
        limited = subprocess.run(
            ["sh", "-c", 'ulimit -f 40; exec "$@"', "sh", PROGRAM, "embed", "-m", MODEL, TEXT],
            capture_output=True, env=self.environment(), cwd=self.folder, timeout=60)
        self.assertEqual((limited.returncode, limited.stdout.decode()), (0, plain))
        self.assertEqual(limited.stderr, b"")
        self.assertEqual(self.files(), {}, "something was left")

    def test_each_type_and_model_has_its_file(self):
        self.vectors()
        self.vectors("--dtype", "bf16")
        self.vectors("--dtype", "int8")
        self.run_program("embed", "-m", os.path.join(GOLDEN, "mpnet"), TEXT)
        self.assertEqual(len(self.files()), 4)


    def test_the_type_that_a_model_stands(self):
        asked = json.loads(self.run_program("info", "-m", MODEL, "--json").stdout)
        self.assertEqual((asked["dtype"], asked["dtype_reason"]), ("f32", None))
        auto = json.loads(self.run_program("info", "-m", MODEL, "--json", "--dtype", "auto").stdout)
        self.assertTrue(auto["dtype_reason"].startswith("auto: " + auto["dtype"]), auto["dtype_reason"])
        self.assertIn("type          auto: ", self.run_program("info", "-m", MODEL, "--dtype", "auto").stdout)
        self.assertEqual(self.vectors("--dtype", "auto"), self.vectors("--dtype", auto["dtype"], "--cache", "off"))


if __name__ == "__main__":
    unittest.main()
