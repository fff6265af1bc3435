#!/usr/bin/env python3
"""Runs the commands of a page, docs/exchange.md or docs/runs.md, and writes their output into it.

    cargo build --release -p lr-train && python3 docs/exchange.py [PAGE] [--check]

For docs/runs.md the files of $ARRAS_DATA/packages lie in the client's folder. Each line `client$ COMMAND` or `server$ COMMAND` of the page's text blocks is run by a shell in a folder of that name; both
folders are made new beside each other, so the page holds what a reader sees who types the same. A command that fails ends
the run and leaves the page as it was. With --check the page stays as it is in any case.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("exchange.md", "runs.md")
BLOCK = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(client|server)\$ (.*)$", re.MULTILINE)


def play(prompt, folder, page):
    """The prompt with what the command prints, as a terminal shows it."""
    party, command = prompt
    environment = dict(os.environ, PATH=f"{ROOT / 'target' / 'release'}:{os.environ['PATH']}", NO_COLOR="1")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder / party,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # A writer whose reader has seen enough (`| head`) ends with SIGPIPE.
    if done.returncode not in (0, 141):
        sys.exit(f"{party}$ {command}\n{done.stdout}exit status {done.returncode}; {page} is as it was")
    return f"{party}$ {command}\n{done.stdout}"


def main():
    check = "--check" in sys.argv
    names = [argument for argument in sys.argv[1:] if argument != "--check"] or PAGES[:1]
    if len(names) != 1 or Path(names[0]).name not in PAGES:
        sys.exit(__doc__)
    path = ROOT / "docs" / Path(names[0]).name
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for party in ("client", "server"):
            (folder / party).mkdir()
        if path.name == "runs.md" and "ARRAS_DATA" in os.environ:
            for file in Path(os.environ["ARRAS_DATA"]).glob("packages/*.csv"):
                shutil.copy(file, folder / "client")
        page = BLOCK.sub(
            lambda block: "\n".join(play(prompt, folder, path) for prompt in COMMAND.findall(block[0])),
            path.read_text(),
        )
    if check:
        print(f"{len(COMMAND.findall(page))} commands of {path.relative_to(ROOT)} run")
    else:
        path.write_text(page)


main()
