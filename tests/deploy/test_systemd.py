"""deploy/systemd: systemd's own checks of the two units, the socket handed over as they say, and the system calls that
the service may make. Needs systemd and strace; run by tools/test-deploy."""

import configparser
import http.client
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "http"))
from running_server import PROGRAM, RunningServer, SLOWER, model_folder, wait_until  # noqa: E402
from test_haproxy import free_ports  # noqa: E402

INSTALLED = "/usr/local/bin/embedd"
UNITS = ("embedd.service", "embedd.socket")


def read_unit(name):
    """[section][key] -> all its values."""
    class Values(dict):
        def __setitem__(self, key, value):  # a key may come again
            super().__setitem__(key, self.get(key, []) + value if isinstance(value, list) else value)

    parser = configparser.RawConfigParser(dict_type=Values, strict=False, interpolation=None)
    parser.optionxform = str
    with open(os.path.join(ROOT, "deploy", "systemd", name)) as file:
        parser._read(file, name)
    return {section: {key: value.split("\n") for key, value in parser[section].items()} for section in parser.sections()}


def system_calls(names):
    """What a SystemCallFilter of these sets and names stands for."""
    calls = set()
    for name in names:
        if not name.startswith("@"):
            calls.add(name)
            continue
        listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
        inner = [line.strip() for line in listed.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
        calls |= system_calls(inner)
    return calls


class SystemdTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.files = []
        for name in UNITS:
            with open(os.path.join(ROOT, "deploy", "systemd", name)) as file:
                text = file.read().replace(INSTALLED, os.path.abspath(PROGRAM))
            self.files.append(os.path.join(self.folder.name, name))
            with open(self.files[-1], "w") as file:
                file.write(text)
        self.service, self.socket = map(read_unit, UNITS)

    def test_verify(self):
        checked = subprocess.run(["systemd-analyze", "verify", *self.files], capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_exposure_is_safe(self):
        checked = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=10", self.files[0]],
                                 capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout[-300:])
        self.assertIn("Overall exposure level", checked.stdout)

    def test_what_the_unit_promises(self):
        service = self.service["Service"]
        for key, value in (("DynamicUser", "yes"), ("MemoryMax", "1G"), ("PrivateNetwork", "yes"), ("CapabilityBoundingSet", "")):
            self.assertEqual(service[key], [value])
        self.assertEqual(self.service["Unit"]["Requires"], ["embedd.socket"])

    def test_socket_activation(self):
        command = shlex.split(self.service["Service"]["ExecStart"][0])
        self.assertEqual(command[0], INSTALLED)
        address, _, port = self.socket["Socket"]["ListenStream"][0].rpartition(":")
        self.assertEqual((address, port), ("127.0.0.1", "8421"))
        port = free_ports(1)[0]
        starter = subprocess.Popen(
            ["systemd-socket-activate", "-l", "%s:%d" % (address, port), "-E", "EMBEDD_MODEL=" + model_folder(),
             *(["-E", "ASAN_OPTIONS"] if "ASAN_OPTIONS" in os.environ else []), os.path.abspath(PROGRAM), *command[1:]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(starter.stdout.close)
        self.addCleanup(starter.kill)

        def ask():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60 * SLOWER)
            try:
                connection.request("POST", "/embed", '{"text":"a"}')
                return connection.getresponse().status
            except ConnectionRefusedError:  # the starter does not listen yet
                return None
            finally:
                connection.close()

        statuses = []
        self.assertTrue(wait_until(lambda: statuses.append(ask()) or statuses[-1] == 200, 20 * SLOWER))
        self.assertEqual(set(statuses) - {None, 503, 200}, set())  # 503 while the model is loaded
        reload = self.service["Service"]["ExecReload"][0]
        subprocess.run(reload.replace("$MAINPID", str(starter.pid)), shell=True, check=True)  # it has become the server
        self.assertEqual(ask(), 200)
        starter.terminate()
        self.assertEqual(starter.wait(20 * SLOWER), 0)

    @unittest.skipIf(SLOWER > 1, "a sanitizer makes calls of its own")
    def test_system_calls_are_within_the_filter(self):
        allowed = set()
        for line in self.service["Service"]["SystemCallFilter"]:
            if line.startswith("~"):
                allowed -= system_calls(line[1:].split())
            else:
                allowed |= system_calls(line.split())
        self.assertIn("futex", allowed)
        self.assertNotIn("mount", allowed)
        trace = os.path.join(self.folder.name, "trace")
        with RunningServer(before=["strace", "-f", "-qq", "-o", trace]) as server:
            for _ in range(3):
                server.embed(["a cat " * n for n in range(1, 40)])
            self.assertEqual(server.get("/metrics").status, 200)
            self.assertEqual(server.post(b"", "/shutdown").status, 200)
            self.assertEqual(server.process.wait(60), 0)
        with open(trace) as lines:
            made = {match[1] for match in (re.match(r"\d+ +(\w+)\(", line) for line in lines) if match}
        self.assertIn("accept4", made)
        self.assertEqual(made - allowed - {"execve"}, set())


if __name__ == "__main__":
    unittest.main()
