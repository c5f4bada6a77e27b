"""A real browser, spoken to over pipes by the protocol of its developer tools."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from contextlib import suppress

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)

_SHELL = shutil.which("bash") or "/bin/sh"
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
_QUIET += ("--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage")
# What a browser asks its maker for on its own account stays unasked.
_QUIET += ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--hide-scrollbars")
_NOT_ASKED = ("file:", "data:", "about:")


class Browser:
    """One browser with one page; what the page says on the console and asks for is kept."""

    def __init__(self, folder):
        self._folder = folder
        theirs, self._write = os.pipe()
        self._read, ours = os.pipe()
        # the browser reads from its file 3 and writes to its file 4, which Python cannot pass by number
        command = 'exec "$0" "$@" 3<&"$BROWSER_IN" 4>&"$BROWSER_OUT"'
        options = ["--headless", *_QUIET, f"--user-data-dir={folder / 'profile'}", "--remote-debugging-pipe"]
        self._process = subprocess.Popen(
            [_SHELL, "-c", command, BROWSER, *options, "about:blank"],
            pass_fds=(theirs, ours),
            env=os.environ | {"BROWSER_IN": str(theirs), "BROWSER_OUT": str(ours)},
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(ours)
        self._unread, self._id, self._session = b"", 0, None
        self.said, self.asked, self._loaded = [], [], False
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.tell(f"{domain}.enable")

    def close(self):
        with suppress(ConnectionError):
            self.tell("Browser.close")
        self._process.wait(timeout=30)
        os.close(self._read)
        os.close(self._write)

    def tell(self, method, **params):
        """Send a command and return its result; what happens meanwhile is kept."""
        self._id += 1
        message = {"id": self._id, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == self._id:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _next(self):
        while b"\0" not in self._unread:
            part = os.read(self._read, 1 << 20)
            if not part:
                raise ConnectionError("the browser ended")
            self._unread += part
        first, _, self._unread = self._unread.partition(b"\0")
        message = json.loads(first)
        self._keep(message.get("method", ""), message.get("params", {}))
        return message

    def _keep(self, event, params):
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Log.entryAdded":
            self.said.append(params["entry"]["text"])
        elif event == "Runtime.consoleAPICalled":
            self.said.append(str(params["args"]))
        elif event == "Runtime.exceptionThrown":
            self.said.append(params["exceptionDetails"]["text"])
        elif event == "Network.requestWillBeSent" and not params["request"]["url"].startswith(_NOT_ASKED):
            self.asked.append(params["request"]["url"])

    def open(self, page, width=1280, height=800):
        """Show a page, given as its text, in a window of a size."""
        file = self._folder / "page.html"
        file.write_text(page, encoding="utf-8")
        self.resize(width, height)
        self.go(file.as_uri())

    def go(self, address):
        """Show what stands at an address."""
        self.said, self.asked, self._loaded = [], [], False
        self.tell("Page.navigate", url=address)
        while not self._loaded:
            self._next()

    def resize(self, width, height):
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def emulate(self, **features):
        """Be as a reader has set it: ``prefers_color_scheme="dark"``, ``forced_colors="active"``."""
        told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.tell("Emulation.setEmulatedMedia", media="", features=told)

    def ask(self, expression):
        """Evaluate an expression in the page, as its owner could, and return what it gives."""
        done = self.tell("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def pdf(self):
        """Print the page as it asks to be printed."""
        return base64.b64decode(self.tell("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])

    def picture(self):
        """Take a picture of the whole page, as PNG."""
        return base64.b64decode(self.tell("Page.captureScreenshot", captureBeyondViewport=True)["data"])
