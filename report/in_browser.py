"""Runs a chapter as a reader does: in JupyterLab, in a browser.

    pip install playwright
    python -m report.in_browser 01_synthetic --screenshot synthetic.png

starts `jupyter lab` in a copy of this folder, opens the notebook in a Chromium without
a window, runs all cells by the menu, compares the claims on the page with the recorded
ones, saves, and compares the pair. Nothing is trained. Chromium comes from elsewhere
(`apt-get install chromium`). The exit code is 1 where something is not as it should be,
2 where package or browser is missing.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from report.execute import FOLDER

import jupytext

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__")  # The environment, git, caches.
OUTPUT = ".jp-Notebook .jp-OutputArea-output"
HEIGHT = 16_000  # Pixels, of a screenshot; Chromium draws 16,384.
# JupyterLab shows exceptions as it shows stderr, where our notebooks write nothing.
ERROR = f"{OUTPUT}[data-mime-type$=stderr], .jp-Dialog-content"


def say(text):
    print(text, file=sys.stderr, flush=True)


def find_claims(texts):
    """Finds the lines that `Chapter.finish` prints."""
    return re.findall("^(?:holds|FALSE): .*$", "\n".join(texts), re.MULTILINE)


def read_cells(path):
    """Reads a file of a pair; returns what both hold, and the notebook's claims."""
    cells = jupytext.read(path).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    claims = find_claims(output.get("text", "") for output in outputs)
    both = [(cell.cell_type, cell.source, cell.metadata.get("tags")) for cell in cells]
    return both, claims


@contextlib.contextmanager
def serve(folder):
    """Runs JupyterLab in a folder; gives its address and the token, `?token=...`."""
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / ".config"),  # Nobody's own settings.
        "PYTHONPATH": str(folder),  # The copy's `helpers`.
        "RETRAIN": "never",
    }
    log = folder / ".log"
    with log.open("w") as stream:
        lab = subprocess.Popen(command, cwd=folder, env=environment, stderr=stream)
    try:
        while not (found := re.search(r"(http://127\S+)(\?token\S+)", log.read_text())):
            if lab.poll() is not None:
                raise RuntimeError(f"JupyterLab has ended: {log.read_text()[-2000:]}")
            time.sleep(0.5)
        yield found.groups()
    finally:
        lab.terminate()
        lab.wait()


def run_cells(page, number, seconds):
    """Runs and saves the notebook of so many cells that is on a page."""

    def choose(menu, command):
        page.locator(".lm-MenuBar-item", has_text=menu).click()
        page.locator(f".lm-Menu-item[data-command='{command}']").click()

    # The cells come one by one, the last ones after half a minute.
    page.locator(".jp-Notebook .jp-Cell").nth(number - 1).wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    choose("Edit", "editmenu:clear-all")
    choose("Run", "runmenu:run-all")
    end, waiting = time.monotonic() + seconds, number
    while waiting and not page.locator(ERROR).count():
        prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt").all_text_contents()
        before, waiting = waiting, sum(not re.search(r"\d", one) for one in prompts)
        if waiting != before:
            say(f"{waiting} of {len(prompts)} cells to go")
        if time.monotonic() > end:
            raise TimeoutError(
                f"{waiting} cells were not run in {seconds} s: {prompts}"
            )
        time.sleep(2)
    choose("File", "docmanager:save")
    page.locator(".jp-mod-dirty").first.wait_for(state="detached")


def find_problems(path, browser, screenshot, seconds):
    """Runs a notebook in a copy of the project; yields what is not as it should be."""
    script = path.with_suffix(".py")
    before, (cells, recorded) = script.read_bytes(), read_cells(path)
    with serve(path.parent.parent) as (address, token), sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=browser).new_page()
        page.set_default_timeout(300_000)
        page.goto(f"{address}/tree/notebooks/{path.name}{token}")
        run_cells(page, len(cells), seconds)
        claims = find_claims(page.locator(OUTPUT).all_text_contents())
        kernel = page.locator(".jp-Toolbar-kernelName").inner_text()
        say(f"{kernel}, {page.locator(f'{OUTPUT} img').count()} figures")
        say("\n".join(claims))
        if screenshot:
            page.set_viewport_size({"width": 1280, "height": HEIGHT})
            page.locator(".jp-Notebook .jp-Cell").first.scroll_into_view_if_needed()
            page.wait_for_timeout(3000)
            page.screenshot(path=screenshot)
        yield from page.locator(ERROR).all_text_contents()
    yield from (claim for claim in claims if claim.startswith("FALSE"))
    if not claims or claims != recorded:
        yield f"The recorded claims were others: {recorded}."
    if read_cells(path) != (cells, claims) or read_cells(script)[0] != cells:
        yield f"{path.name} and {script.name} do not hold what the page showed."
    if script.read_bytes() != before:
        yield f"{script.name} has changed."


def main(arguments=None):
    """Runs the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m report.in_browser")
    parser.add_argument("name", nargs="?", default="01_synthetic", help="of a notebook")
    parser.add_argument("--screenshot", metavar="FILE.png")
    parser.add_argument("--timeout", type=float, default=1800, metavar="SECONDS")
    options = parser.parse_args(arguments)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    needed = {
        "the package playwright (pip install playwright)": sync_playwright,
        f"a Chromium, under one of the names {', '.join(BROWSERS)}": browser,
    }
    if missing := [what for what, found in needed.items() if found is None]:
        say(f"This needs {' and '.join(missing)}. Received: none.")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(FOLDER.parent, f"{folder}/copy", ignore=LEFT_OUT)
        path = pathlib.Path(copy) / "notebooks" / f"{options.name}.ipynb"
        found = find_problems(path, browser, options.screenshot, options.timeout)
        problems = list(found)
    say("\n".join(problems) or "All is as it should be.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
