"""The page in a real browser: no message on the console, no request, no sideways scroll on a phone."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

from custseg.reporting import render_html
from tests.reporting.stand_in import EVIL, stand_in

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
QUIET += ("--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage")
# What a browser asks its maker for on its own account stays unasked.
QUIET += ("--host-resolver-rules=MAP * ~NOTFOUND",)

# The page itself may run no script, so another page holds it in a frame of the width asked for and measures it.
FRAME = """<!DOCTYPE html><iframe id="page" style="border:0;width:{width}px;height:900px" srcdoc="{page}"></iframe>
<pre id="measured"></pre><script>
onload = () => {{
  const root = page.contentDocument.documentElement;
  const wide = [...root.querySelectorAll("main *")].filter(e => {{
    const box = e.getBoundingClientRect();
    return box.right > {width} + 1 && !e.closest(".scroll, .unseen, thead");
  }});
  measured.textContent = JSON.stringify({{
    scroll: root.scrollWidth, client: root.clientWidth, wide: wide.map(e => e.outerHTML.slice(0, 80)),
    scripts: root.querySelectorAll("script, img").length, cards: root.querySelectorAll("article").length,
  }});
}};
</script>"""


def browse(folder, page):
    """Load a page; return its final document and what the console said."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [BROWSER, "--headless", *QUIET, f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr"]
    command += ["--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console


@pytest.fixture(scope="module")
def page():
    return render_html(stand_in(names=("Recent high spenders", EVIL, "unbroken" * 12), cut=True))


def test_the_page_is_silent_and_asks_for_nothing(tmp_path, page):
    # The policy of the page forbids every request, and the browser reports each that is tried.
    document, console = browse(tmp_path, page)
    assert "Are these segments real?" in document
    assert console == []


def test_a_page_that_breaks_the_policy_would_be_noticed(tmp_path, page):
    broken = page.replace("<h1>", '<script>alert(1)</script><img src="http://localhost:9/x.png"><h1>', 1)
    _, console = browse(tmp_path, broken)
    assert len(console) >= 2
    assert all("Content Security Policy" in line for line in console)


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_leaves_the_page_sideways(tmp_path, page, width):
    document, _ = browse(tmp_path, FRAME.format(width=width, page=html.escape(page)))
    measured = json.loads(html.unescape(re.search(r'<pre id="measured">(.*?)</pre>', document).group(1)))
    assert measured["scroll"] == measured["client"] <= width
    assert measured["wide"] == []
    assert (measured["scripts"], measured["cards"]) == (0, 4)
