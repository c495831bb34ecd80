"""A command, such as embedd serve, with a hub on loopback that has one small model under any name. For
tools/test-clients: the models of this machine are neither seen nor touched. Ends with the command."""
import os
import signal
import subprocess
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TESTS, "hub"))
from small_hub import SmallHub, read_folder  # noqa: E402


class AnyName(SmallHub):
    def answer(self, request):
        parts = request.path.split("?")[0].split("/")
        if "models" in parts:
            self.name = "/".join(parts[parts.index("models") + 1:][:2])
        else:
            self.name = "/".join(parts[1:3])
        super().answer(request)


def main():
    files = read_folder(os.path.join(TESTS, "data", "golden", "bert-mean-norm"))
    with tempfile.TemporaryDirectory() as folder, AnyName(files) as hub:
        command = subprocess.Popen(sys.argv[1:], env={**os.environ, "HF_ENDPOINT": hub.url, "EMBEDD_MODELS": folder,
                                                      "HF_HUB_CACHE": folder, "HF_TOKEN": "", "HF_HUB_OFFLINE": ""})
        signal.signal(signal.SIGTERM, lambda *_: command.terminate())
        return command.wait()


if __name__ == "__main__":
    sys.exit(main())
