"""A headless Chromium, driven over a pipe with the DevTools protocol. Python's standard library only."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome",
         "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find():
    for name in (os.environ.get("CHROMIUM"), *NAMES):
        if name and shutil.which(name):
            return shutil.which(name)
    raise FileNotFoundError("no Chromium here; set CHROMIUM to its path")


class Chromium:
    """One tab. `requests` and `complaints` collect what it asks for and what goes wrong in it."""

    def __init__(self, width=1100, height=1150):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        read_end, self.to_browser = os.pipe()
        self.from_browser, write_end = os.pipe()
        self.last_id = 0
        self.buffer = b""
        self.requests, self.complaints = [], []

        def become_3_and_4():
            high_in, high_out = os.dup(read_end), os.dup(write_end)  # neither is 3 or 4 by chance
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self.process = subprocess.Popen(
            [find(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-background-networking", "--no-first-run", "--remote-debugging-pipe",
             "--user-data-dir=" + self.folder.name, "--window-size=%d,%d" % (width, height)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=become_3_and_4, close_fds=False, start_new_session=True)
        os.close(read_end)
        os.close(write_end)
        self.session = None
        tab = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(20)
        except (EOFError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        self.folder.cleanup()

    def call(self, method, **parameters):
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.last_id:
                if "error" in answer:
                    raise AssertionError("%s: %s" % (method, answer["error"]["message"]))
                return answer["result"]

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.from_browser, 1 << 16)
            if not piece:
                raise EOFError("Chromium has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(message)
        details = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"])
        elif message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(details["exceptionDetails"])
        elif message.get("method") == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.complaints.append(details["entry"])
        return message

    def run(self, script):
        """The value of a JavaScript expression, a promise's when it is there."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True,
                           returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait_for("location.href == %s && document.readyState == 'complete'" % json.dumps(url))

    def text(self, selector):
        return self.run("document.querySelector(%s).textContent" % json.dumps(selector))

    def wait_for(self, script, limit_s=30):
        until = time.monotonic() + limit_s
        while not self.run(script):
            if time.monotonic() > until:
                raise AssertionError("never true: %s\n%s" % (script, self.text("body")))
            time.sleep(0.05)

    def prefer(self, scheme):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
