"""Open every built page in a browser, light and dark, and ask axe what keeps somebody from reading it.

    npm install --prefix SCRATCH axe-core
    python -m docs.check_accessibility docs/_build/html --axe SCRATCH/node_modules/axe-core/axe.min.js

Ends with 1 where a page has a serious or critical violation, says something on the console, or asks another host for
anything. Needs a Chromium.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.reporting.browser import Browser

SEVERE = {"serious", "critical"}
# in the dark only colours differ
THEMES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "dark": ["color-contrast", "link-in-text-block"],
}
# what a search shows, and a page with what was searched for marked
SEARCHED = ("search.html?q=segments", "index.html?highlight=customers")
# results come some time after the page, and colours fade in
WAIT = "new Promise(done => setTimeout(done, location.search ? 2000 : 300))"
# what axe found, in a few words a finding
RUN = """
axe.run({resultTypes: ["violations"], runOnly: %s})
  .then(found => found.violations.map(v => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 160)]))
"""
# what the theme tells of itself
CHATTER = ("[PST]", "Got invalid theme mode")
# pages of source code are all alike and large: of so many one is opened
SOURCES = 10


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing: thousands of files are asked for."""


def found_on(browser: Browser, address: str, axe: str, rules: list[str]) -> list[str]:
    """What is wrong with a page, in one line each."""
    browser.go(address)
    browser.ask(WAIT)
    browser.ask(axe)
    violations = browser.ask(RUN % json.dumps(rules))
    host = address[: address.index("/", len("http://"))]
    asked = [f"asks for {each}" for each in browser.asked if not each.startswith((host, "blob:"))]
    told = [f"{impact}: {name} ({n} times), first {html}" for impact, name, n, html in violations if impact in SEVERE]
    said = [f"says {words}" for words in browser.said if not any(own in words for own in CHATTER)]
    return [*told, *asked, *said]


def pages_of(built: Path, pattern: str) -> list[str]:
    """The pages of a folder, by their addresses in it."""
    pages = sorted(page.relative_to(built).as_posix() for page in built.glob(pattern))
    pages = [page for page in pages if not page.startswith("_static/")]  # which the theme left there
    sources = [page for page in pages if page.startswith("_modules/")]
    pages = [page for page in pages if page not in sources] + sources[::SOURCES]
    return pages + [address for address in SEARCHED if address.partition("?")[0] in pages]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("built", type=Path, help="the folder of the built pages")
    parser.add_argument("--axe", type=Path, required=True, help="axe.min.js of the npm package axe-core")
    parser.add_argument("--only", default="**/*.html", help="which pages, as a pattern (default: all)")
    given = parser.parse_args()
    axe = given.axe.read_text(encoding="utf-8") + "\n;0"
    pages = pages_of(given.built, given.only)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=given.built))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    n_found = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, closing(Browser(Path(folder))) as browser:
        browser.resize(1280, 800)
        for theme, rules in THEMES.items():
            browser.emulate(prefers_color_scheme=theme)
            for page in pages:
                for line in found_on(browser, f"http://127.0.0.1:{server.server_port}/{page}", axe, rules):
                    print(f"{theme} {page}: {line}", flush=True)
                    n_found += 1
    print(f"{len(pages)} pages in {len(THEMES)} themes: {n_found} finding(s)")
    return 1 if n_found or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
