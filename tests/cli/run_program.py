"""Runs the program for the tests of the command line."""
import os
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["EMBEDD_PROGRAM"]
GOLDEN = os.path.join(os.environ["EMBEDD_TEST_DATA"], "golden")
MODEL = os.path.join(GOLDEN, "bert-mean-norm")  # 64 numbers, 128 tokens


class ProgramTest(unittest.TestCase):
    """Each test has an empty folder, which is also its home: no model of the user is seen."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def environment(self, variables=None):
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8", "EMBEDD_CACHE": "off",
                       # Else Ollama's store of the whole machine is looked at, too.
                       "OLLAMA_MODELS": os.path.join(self.folder, ".ollama/models")}
        for kept in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if kept in os.environ:
                environment[kept] = os.environ[kept]
        environment.update(variables or {})
        return environment

    def run_program(self, *arguments, code=0, stdin=b"", variables=None, text=True, **more):
        """The finished process; `code` is what it must exit with; None = any."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        result = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True,
                                env=self.environment(variables), cwd=self.folder, timeout=60, **more)
        if code is not None:
            self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        if text:
            result.stdout = result.stdout.decode()
            result.stderr = result.stderr.decode()
        return result

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()
