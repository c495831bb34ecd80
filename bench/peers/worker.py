"""An engine in a process of its own that answers one command at a time, so that engines can take turns."""
import json
import os
import subprocess
import sys
import time


class NotInstalled(Exception):
    pass


class Worker:
    def __init__(self, name, command, log_path, environment):
        self.name, self.log_path = name, log_path
        start = time.perf_counter()
        with open(log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                            text=True, env={**os.environ, **environment})
        self.hello = self.read()
        if "missing" in self.hello:
            self.close()
            raise NotInstalled(self.hello["missing"])
        self.start_seconds = time.perf_counter() - start

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.read()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):  # libraries may print lines of their own
                return json.loads(line)
        sys.exit(f"{self.name} ended early, exit code {self.process.wait()}; see {self.log_path}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()
