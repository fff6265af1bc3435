#!/usr/bin/env python3
"""Runs the commands of docs/exchange.md and writes their output into the page.

    cargo build --release -p lr-train && python3 docs/exchange.py [--check]

Each line `client$ COMMAND` or `server$ COMMAND` of the page's text blocks is run by a shell in a folder of that name; both
folders are made new beside each other, so the page holds what a reader sees who types the same. A command that fails ends
the run and leaves the page as it was. With --check the page stays as it is in any case.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "exchange.md"
BLOCK = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(client|server)\$ (.*)$", re.MULTILINE)


def play(prompt, folder):
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
        sys.exit(f"{party}$ {command}\n{done.stdout}exit status {done.returncode}; {PAGE} is as it was")
    return f"{party}$ {command}\n{done.stdout}"


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for party in ("client", "server"):
            (folder / party).mkdir()
        page = BLOCK.sub(
            lambda block: "\n".join(play(prompt, folder) for prompt in COMMAND.findall(block[0])), PAGE.read_text()
        )
    if sys.argv[1:]:
        print(f"{len(COMMAND.findall(page))} commands of {PAGE.relative_to(ROOT)} run")
    else:
        PAGE.write_text(page)


main()
