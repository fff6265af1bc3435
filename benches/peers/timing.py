"""What the scripts of all peers share: clocks, arguments, the JSON they print.

Times are taken inside the process around one call of the library, after a call that does not count: medians, in seconds.
"""

import argparse
import json
import platform
import statistics
import sys
import time

FEWEST = 5
MOST = 1001

# Sets by log2(N): bits of Q. Those of our sets of 15 levels at 2^15 and 30 at 2^16; at 2^14 a little below our 7 levels.
SAME_MODULUS = {14: 260, 15: 620, 16: 1220}
SCALE_BITS = 40


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--log-n", default="14,15,16", help="base-2 logarithms of ring degrees (14 to 16)")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds to repeat each operation for")
    parser.add_argument("--longest", action="store_true", help="also the longest chain with one special prime")
    given = parser.parse_args()
    given.log_n = [int(size) for size in given.log_n.split(",")]
    return given


class Report:
    """Rows of one library, printed as JSON."""

    def __init__(self, library, build, seconds):
        self.library = library
        self.build = build
        self.seconds = seconds
        self.rows = []

    def set(self, name, log_n, q_bits, special_bits, primes):
        """Starts a parameter set: what rows belong to from now on."""
        self.now = {"set": name, "log_n": log_n, "q_bits": q_bits, "special_bits": special_bits, "primes": primes}

    def measure(self, operation, run, prepare=None, most=MOST):
        """`run` gets what `prepare` returns, which is not on the clock. `most` bounds the runs, the first one included."""
        print(f"{self.library}, 2^{self.now['log_n']}, {self.now['set']}: {operation}", file=sys.stderr)

        def once():
            given = (prepare(),) if prepare else ()
            start = time.perf_counter()
            result = run(*given)
            elapsed = time.perf_counter() - start
            del result
            return elapsed

        once()
        times = []
        start = time.perf_counter()
        while len(times) < min(FEWEST, most - 1) or (
            len(times) < most - 1 and time.perf_counter() - start < self.seconds
        ):
            times.append(once())
        row = {"operation": operation, "median": statistics.median(times), "fastest": min(times), "runs": len(times)}
        self.rows.append(self.now | row)

    def print(self):
        out = {
            "library": self.library,
            "build": self.build,
            "python": platform.python_version(),
            "rows": self.rows,
        }
        json.dump(out, sys.stdout, indent=1)
        print()


def check(name, got, expected, tolerance=1e-4):
    """The operation computed what its name says, or its time means nothing."""
    worst = max(abs(g - e) for g, e in zip(got, expected))
    if not worst < tolerance:
        sys.exit(f"{name}: slots are off by {worst}")


def values(count, seed):
    """Numbers in [-1, 1), the same in every run."""
    state = seed
    out = []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append((state >> 11) / 2**52 - 1.0)
    return out
