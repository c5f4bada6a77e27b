"""Open every built page in a browser, light and dark, and ask axe what keeps somebody from reading it.

    npm install --prefix SCRATCH axe-core
    python docs/check_accessibility.py docs/_build/html --axe SCRATCH/node_modules/axe-core/axe.min.js

Ends with 1 where a page has a serious or critical violation, writes an error to the console, or asks another host for
anything. Needs a Chromium and the package websocket-client.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.client import HTTPConnection
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

from websocket import WebSocket, create_connection

SEVERE = {"serious", "critical"}
# in the dark only colours differ
THEMES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "dark": ["color-contrast", "link-in-text-block"],
}
# what a search shows, and a page with what was searched for marked
SEARCHED = ("search.html?q=segments", "index.html?highlight=customers")
# results come some time after the page
WAIT = "new Promise(done => setTimeout(done, location.search ? 2000 : 0))"
# what axe found, in a few words a finding
RUN = """
axe.run({resultTypes: ["violations"], runOnly: %s})
  .then(found => found.violations.map(v => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 160)]))
"""
# pages of source code are all alike and large: of so many one is opened
SOURCES = 10


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing: thousands of files are asked for."""


class Tab:
    """One tab of a browser, by the DevTools protocol."""

    def __init__(self, address: str) -> None:
        self.socket: WebSocket = create_connection(address, suppress_origin=True, timeout=120)
        self.numbers = count(1)
        self.events: list[dict] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: object) -> dict:
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def open(self, address: str) -> list[dict]:
        """Load a page and return what happened on the way."""
        self.events = []
        self.ask("Page.navigate", url=address)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(json.loads(self.socket.recv()))
        return self.events

    def evaluate(self, script: str) -> object:
        result = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")


def found_on(tab: Tab, address: str, host: str, axe: str, rules: list[str]) -> list[str]:
    """What is wrong with a page, in one line each."""
    tab.open(address)
    tab.evaluate(WAIT)
    tab.evaluate(axe)
    violations = tab.evaluate(RUN % json.dumps(rules))
    found = [f"{impact}: {name} ({n} times), first {html}" for impact, name, n, html in violations if impact in SEVERE]
    for event in tab.events:
        parameters = event.get("params", {})
        if event["method"] == "Network.requestWillBeSent":
            asked = parameters["request"]["url"]
            if not asked.startswith((host, "data:", "blob:")):
                found.append(f"asks for {asked}")
        elif event["method"] == "Runtime.exceptionThrown":
            found.append(f"error: {parameters['exceptionDetails']['text']}")
        elif event["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            found.append(f"console: {parameters['entry']['text']} {parameters['entry'].get('url', '')}")
    return found


def browser(chromium: str, folder: str) -> tuple[subprocess.Popen, str]:
    """Start a browser; return it and the address at which it listens."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run"]
    started = subprocess.Popen(  # noqa: S603 - the browser that was asked for
        [chromium, *options, f"--user-data-dir={folder}", "--window-size=1280,800", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in started.stderr:
        listening = re.search(r"DevTools listening on ws://([\w.:]+)/", line)
        if listening:
            # what it says further is read and thrown away, lest it wait for a reader
            threading.Thread(target=started.stderr.read, daemon=True).start()
            return started, listening[1]
    raise RuntimeError(f"{chromium} did not start")


def new_tab(listening: str) -> str:
    """Open a tab; return the address by which it is driven."""
    connection = HTTPConnection(listening)
    connection.request("PUT", "/json/new?about:blank")
    return json.loads(connection.getresponse().read())["webSocketDebuggerUrl"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("built", type=Path, help="the folder of the built pages")
    parser.add_argument("--axe", type=Path, required=True, help="axe.min.js of the npm package axe-core")
    parser.add_argument("--chromium", default="chromium", help="the browser")
    parser.add_argument("--only", default="**/*.html", help="which pages, as a pattern (default: all)")
    given = parser.parse_args()
    axe = given.axe.read_text(encoding="utf-8") + "\n;0"
    pages = sorted(page.relative_to(given.built).as_posix() for page in given.built.glob(given.only))
    sources = [page for page in pages if page.startswith("_modules/")]
    pages = [page for page in pages if page not in sources] + sources[::SOURCES]
    pages += [address for address in SEARCHED if address.partition("?")[0] in pages]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=given.built))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}/"
    n_found = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        started, listening = browser(given.chromium, folder)
        try:
            tab = Tab(new_tab(listening))
            for theme, rules in THEMES.items():
                tab.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
                for name in pages:
                    for line in found_on(tab, host + name, host, axe, rules):
                        print(f"{theme} {name}: {line}", flush=True)
                        n_found += 1
        finally:
            started.terminate()
            started.wait()
            server.shutdown()
    print(f"{len(pages)} pages in {len(THEMES)} themes: {n_found} finding(s)")
    return 1 if n_found or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
