#!/usr/bin/env python3
"""Known answers for the engines, from Python integers alone (definitions: README.md in this folder).

make_vectors.py          writes n8.json and n64.json next to this script
make_vectors.py --check  regenerates both and fails if a file differs
Every run asserts the self-checks too; nothing is written if one fails. Python 3.8 or newer, no packages.
"""
import json
import sys
from math import prod
from pathlib import Path

HERE = Path(__file__).resolve().parent
STEP = 1 << 17                                       # every prime is 1 modulo this
TERMINALS, MAINS, SPECIALS = 4, 8, 3
NEAR_TERMINAL, NEAR_MAIN = 19951585, 575403996       # 2^24.25 and 2^29.1
SPECIAL = list(range(TERMINALS + MAINS, TERMINALS + MAINS + SPECIALS))


class Stream:
    """SplitMix64 keyed by a label: each case has its own, so a new case leaves the others as they were."""
    def __init__(self, label):
        self.state = 0
        for byte in label.encode():
            self.state ^= byte
            self.below(1)

    def below(self, bound):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return (z ^ (z >> 31)) % bound

    def biased(self, q):
        """Uniform three times in four, else a residue at which carries, signs and corrections flip."""
        return self.below(q) if self.below(4) else [0, 1, q - 1, (q - 1) // 2, (q + 1) // 2][self.below(5)]


def prime_factors(n):
    found, p = set(), 2
    while p * p <= n:
        while n % p == 0:
            found.add(p)
            n //= p
        p += 1
    return found | ({n} if n > 1 else set())


def primes_from(start, count, steps):
    """The first `count` primes 1 modulo STEP at start + STEP * k for k in `steps`; start is rounded down."""
    start, out = start // STEP * STEP + 1, []
    while len(out) < count:
        q = start + STEP * next(steps)
        if prime_factors(q) == {q}:
            out.append(q)
    return out


def nearest():                                       # 0, 1, -1, 2, -2, ..
    return (k // 2 if k % 2 == 0 else -(k // 2) for k in range(1, 1 << 20))


def least_primitive_root(q):
    factors = prime_factors(q - 1)
    return next(g for g in range(2, q) if all(pow(g, (q - 1) // f, q) != 1 for f in factors))


class Ring:
    """Z_q[X]/(X^n + 1) for each q of the basis T3..T0, Q0..Q7, P0..P2. A polynomial is {limb index: row}."""
    def __init__(self, n):
        self.n, bits = n, n.bit_length() - 1
        self.q = (primes_from(NEAR_TERMINAL, TERMINALS, nearest()) + primes_from(NEAR_MAIN, MAINS, nearest())
                  + primes_from(2**30 - 1, SPECIALS, iter(range(0, -1 << 13, -1))))
        assert len(set(self.q)) == len(self.q) and max(self.q) < 2**30
        self.psi = [pow(least_primitive_root(q), (q - 1) // (2 * n), q) for q in self.q]
        assert all(pow(p, n, q) == q - 1 for p, q in zip(self.psi, self.q))
        self.exponent = [2 * int(format(i, f"0{bits}b")[::-1], 2) + 1 for i in range(n)]
        self.powers = [[pow(p, t, q) for t in range(2 * n)] for p, q in zip(self.psi, self.q)]

    def ntt(self, row, limb):
        """By definition: Horner's rule at each of the n points."""
        q, out = self.q[limb], []
        for e in self.exponent:
            point, value = self.powers[limb][e], 0
            for c in reversed(row):
                value = (value * point + c) % q
            out.append(value)
        return out

    def intt(self, row, limb):
        """By definition: coefficient j is 1/n times the sum of value_i * psi^(-j * e_i)."""
        q, w, order = self.q[limb], self.powers[limb], 2 * self.n
        return [pow(self.n, -1, q) * sum(v * w[-j * e % order] for v, e in zip(row, self.exponent)) % q
                for j in range(self.n)]

    def product(self, limbs):
        return prod(self.q[i] for i in limbs)

    def lift(self, poly):
        """Evaluation rows -> integer coefficients in [0, product of the limbs), and that product."""
        whole, coeffs = self.product(poly), {i: self.intt(row, i) for i, row in poly.items()}
        unit = {i: whole // self.q[i] * pow(whole // self.q[i], -1, self.q[i]) for i in poly}
        return [sum(coeffs[i][j] * unit[i] for i in poly) % whole for j in range(self.n)], whole

    def lower(self, coeffs, limbs):
        """Integer coefficients -> evaluation rows."""
        return {i: self.ntt([c % self.q[i] for c in coeffs], i) for i in limbs}

    def permutation(self, g):
        """Evaluation row of a(X^g): out[i] = in[permutation[i]]."""
        place = {e: i for i, e in enumerate(self.exponent)}
        return [place[e * g % (2 * self.n)] for e in self.exponent]

    def sigma(self, poly, g):
        return {i: [row[k] for k in self.permutation(g)] for i, row in poly.items()}

    def rescale(self, poly, to):
        dropped, n = [i for i in poly if i not in to], self.n
        s_all, r_all = self.product(dropped), self.product([i for i in to if i not in poly])
        coeffs, y = {i: self.intt(poly[i], i) for i in dropped}, []
        for j in range(n):
            total, estimate = 0, 2**25
            for i in dropped:
                s = self.q[i]
                x = coeffs[i][j] * pow(s_all // s, -1, s) * r_all % s
                total += x * (s_all // s)
                estimate += (x >> 14) * ((2**40 + s // 2) // s)
            assert estimate < 2**32
            y.append(total - (estimate >> 26) * s_all)
        out, y = {}, self.lower(y, to)
        for d in to:
            q, kept = self.q[d], poly.get(d, [0] * n)
            out[d] = [(a * r_all - b) * pow(s_all, -1, q) % q for a, b in zip(kept, y[d])]
        self.assert_rescaled(self.lift(poly)[0], out, s_all, r_all, 53, 100)
        return out

    def assert_rescaled(self, before, out, s_all, r_all, num, den):
        """|out - before * R/S| <= num/den for every coefficient, as rational numbers modulo the target."""
        after, whole = self.lift(out)
        for a, b in zip(before, after):
            error = (b * s_all - a * r_all) % (whole * s_all)
            error = min(error, whole * s_all - error)
            assert error * den <= num * s_all, (error / s_all, num / den)

    def mod_up(self, poly, groups, special):
        """[(group, source limbs, digit on the limbs of poly and special)], groups without a limb left out."""
        digits, ext, first = [], list(poly) + special, 0
        for group, size in enumerate(groups):
            source = [i for i in range(first, first + size) if i in poly]
            first += size
            if source:
                d_all, y = self.product(source), [0] * self.n
                for i in source:
                    d, inverse = self.q[i], pow(d_all // self.q[i], -1, self.q[i])
                    for j, c in enumerate(self.intt(poly[i], i)):
                        x = c * inverse % d
                        y[j] += (x - d if x > (d - 1) // 2 else x) * (d_all // d)
                assert all(2 * abs(c) < len(source) * d_all for c in y)
                digit = self.lower(y, ext)
                assert all(digit[i] == poly[i] for i in source)   # y represents the digit: source rows come back
                digits.append((group, source, digit))
        return digits

    def key_switch(self, d, addend, key, groups, special, to, g):
        ext, out = list(d) + special, []
        digits = [(group, self.sigma(digit, g)) for group, _, digit in self.mod_up(d, groups, special)]
        for c in (0, 1):
            acc = {i: [0] * self.n for i in ext}
            for group, digit in digits:
                acc = {i: [a + x * k for a, x, k in zip(acc[i], digit[i], key[group][c][i])] for i in ext}
            if c < len(addend):
                p, add = self.product(special), self.sigma(addend[c], g)
                for i in d:
                    acc[i] = [a + p * b for a, b in zip(acc[i], add[i])]
            out.append(self.rescale({i: [a % self.q[i] for a in acc[i]] for i in ext}, to))
        return out

    def biased(self, stream, limbs):
        return {i: [stream.biased(self.q[i]) for _ in range(self.n)] for i in limbs}

    def edges(self, stream, source, factor=1):
        """Rows whose conversion inputs x_i hit the edges together: ties of the quotient, ends of the lift."""
        whole, out = self.product(source), {}
        for place, i in enumerate(source):
            q = self.q[i]
            low, high = (q - 1) // 2, (q + 1) // 2
            x = [q - 1, low, high, 0 if place else low, 0 if place else high, 0, 1]
            x += [stream.biased(q) for _ in range(self.n - len(x))]
            out[i] = self.ntt([v * (whole // q) * pow(factor, -1, q) % q for v in x], i)
        return out


def window(mains, terminals):
    return list(range(TERMINALS - terminals, TERMINALS + mains))


def rows(poly):
    return list(poly.values())


def ntt_cases(ring):
    everything = range(len(ring.q))
    fixed = {"X": [0, 1], "all -1": [-1] * ring.n}
    inputs = {name: {i: [c % ring.q[i] for c in (v + [0] * ring.n)[:ring.n]] for i in everything}
              for name, v in fixed.items()}
    inputs["biased"] = ring.biased(Stream("ntt"), everything)
    for name, poly in inputs.items():
        out = {i: ring.ntt(row, i) for i, row in poly.items()}
        assert all(ring.intt(out[i], i) == poly[i] for i in poly)
        yield {"name": name, "limbs": list(poly), "input": rows(poly), "output": rows(out)}


def automorphism_cases(ring):
    n, limbs = ring.n, [0, TERMINALS, SPECIAL[-1]]
    for g in (5, 2 * n - 1):
        before, after = ring.biased(Stream(f"automorphism {g}"), limbs), {}
        for i in limbs:                              # on coefficients: X^j -> X^(g j), and X^n = -1
            after[i] = [0] * n
            for j, c in enumerate(before[i]):
                after[i][j * g % n] = (c if j * g % (2 * n) < n else -c) % ring.q[i]
        out = {i: ring.ntt(after[i], i) for i in limbs}
        evaluated = {i: ring.ntt(before[i], i) for i in limbs}
        assert ring.sigma(evaluated, g) == out
        yield {"galois": g, "permutation": ring.permutation(g), "limbs": limbs,
               "input_coefficients": rows(before), "output_coefficients": rows(after),
               "input": rows(evaluated), "output": rows(out)}


def rescale_cases(ring):
    w, p = window, SPECIAL
    pairs = [("one limb", w(2, 0), w(1, 0)), ("nothing kept", w(3, 0), w(0, 2)), ("mains restored", w(1, 4), w(3, 0)),
             ("terminals restored", w(4, 2), w(1, 4)), ("from no terminals", w(7, 0), w(4, 2)),
             ("no restored limb", w(8, 4), w(8, 2)), ("mod_down, top", w(8, 4) + p, w(8, 4)),
             ("mod_down, bottom", w(0, 2) + p, w(0, 2)), ("mod_down and rescale", w(8, 2) + p, w(5, 4)),
             ("many limbs at once", w(8, 4) + p, w(0, 2)), ("scattered limbs", [0, 4, 5, 9, 14], [2, 5, 9])]
    for name, frm, to in pairs:
        for kind in ("biased", "edges"):
            stream = Stream(f"rescale {name} {kind}")
            poly = ring.biased(stream, frm)
            if kind == "edges":
                poly.update(ring.edges(stream, [i for i in frm if i not in to], ring.product(set(to) - set(frm))))
            yield {"name": f"{name}, {kind}", "from": frm, "to": to, "input": rows(poly),
                   "output": rows(ring.rescale(poly, to))}


def digit_edges(ring, stream, limbs, groups):
    poly, first = {}, 0
    for size in groups:
        poly.update(ring.edges(stream, [i for i in range(first, first + size) if i in limbs]))
        first += size
    return poly


def mod_up_cases(ring):
    for mains, terminals, groups in ((8, 4, [3, 3, 3, 3]), (7, 0, [5, 4, 3]), (4, 2, [3, 3, 3, 3])):
        name = f"{mains} mains, {terminals} terminals, groups {groups}"
        poly = digit_edges(ring, Stream("mod_up " + name), window(mains, terminals), groups)
        yield {"name": name, "window": list(poly), "special": SPECIAL, "groups": groups, "input": rows(poly),
               "digits": [{"group": group, "source": source, "output": rows(digit)}
                          for group, source, digit in ring.mod_up(poly, groups, SPECIAL)]}


def key_switch_cases(ring):
    w, last, threes = window, 2 * ring.n - 1, [3, 3, 3, 3]
    cases = [("relinearize and rescale, limbs restored", w(8, 2), w(5, 4), threes, 1, 2),
             ("rotate, every limb", w(8, 4), w(8, 4), threes, 5, 1),
             ("no terminals: a group absent, a group cut", w(7, 0), w(4, 2), threes, 1, 2),
             ("rotate and rescale both addends", w(4, 2), w(1, 4), threes, 5, 2),
             ("no terminals: first group cut", w(7, 0), w(7, 0), [5, 4, 3], 5, 1),
             ("conjugate without addend", w(3, 0), w(3, 0), threes, last, 0),
             ("every residue q - 1", w(8, 4), w(8, 2), [1] * 12, 1, 2)]
    everything = range(len(ring.q))
    for name, frm, to, groups, g, addends in cases:
        stream = Stream("key_switch " + name)
        make, d = ring.biased, digit_edges(ring, stream, frm, groups)
        if name.startswith("every"):                 # the largest sums an accumulator can meet
            def make(_, limbs):
                return {i: [ring.q[i] - 1] * ring.n for i in limbs}
            d = make(stream, frm)
        addend = [make(stream, frm) for _ in range(addends)]
        key = [[make(stream, everything) for _ in range(2)] for _ in groups]
        out = ring.key_switch(d, addend, key, groups, SPECIAL, to, g)
        yield {"name": name, "window": frm, "special": SPECIAL, "groups": groups, "to": to, "galois": g,
               "d": rows(d), "addend": [rows(a) for a in addend],
               "key": [[rows(half) for half in digit] for digit in key], "output": [rows(c) for c in out]}


def multiply(ring, a, b):
    return {i: [x * y % ring.q[i] for x, y in zip(a[i], b[i])] for i in a}


def self_check(ring):
    """What the answers mean: rows multiply as polynomials do, and with a true key the output decrypts."""
    stream, n, everything = Stream(f"self-check {ring.n}"), ring.n, list(range(len(ring.q)))
    small = [[stream.below(3) - 1 for _ in range(n)] for _ in range(2)]
    by_hand = [sum((1 if j <= k else -1) * small[0][j] * small[1][(k - j) % n] for j in range(n)) for k in range(n)]
    s = ring.lower(small[0], everything)
    assert multiply(ring, s, ring.lower(small[1], everything)) == ring.lower(by_hand, everything)
    groups, p = [3, 3, 3, 3], ring.product(SPECIAL)
    for frm, to, g in ((window(8, 2), window(5, 4), 1), (window(7, 0), window(7, 0), 5)):
        # (c0, c1, d): d under s^2 (relinearization), or under sigma_g(s), which is a rotation of (c0, d)
        source = multiply(ring, s, s) if g == 1 else ring.sigma(s, g)
        key = []
        for group in range(len(groups)):
            a = {i: [stream.below(ring.q[i]) for _ in range(n)] for i in everything}
            e = ring.lower([sum(stream.below(2) for _ in range(42)) - 21 for _ in range(n)], everything)
            a_s, b = multiply(ring, a, s), {}
            for i in everything:                     # b = e - a s + P * [i in the group] * s'
                mine = p if i // 3 == group and i not in SPECIAL else 0
                b[i] = [(x - y + mine * z) % ring.q[i] for x, y, z in zip(e[i], a_s[i], source[i])]
            key.append([b, a])
        c0, c1, d = (ring.biased(stream, frm) for _ in range(3))
        addend = [c0, c1] if g == 1 else [c0]
        out = ring.key_switch(d, addend, key, groups, SPECIAL, to, g)
        wanted, moved = multiply(ring, ring.sigma(d, g), source), [ring.sigma(c, g) for c in addend]
        for poly in [moved[0]] + [multiply(ring, c, s) for c in moved[1:]]:
            wanted = {i: [(x + y) % ring.q[i] for x, y in zip(wanted[i], poly[i])] for i in frm}
        out_s = multiply(ring, out[1], s)
        got = {i: [(x + y) % ring.q[i] for x, y in zip(out[0][i], out_s[i])] for i in to}
        s_all, r_all = ring.product(set(frm) - set(to)), ring.product(set(to) - set(frm))
        # digits are below 3/2 D, errors at most 21: their share is 4 n (3/2 D) 21 R / (P S), roundings add 0.53 (1 + n)
        largest = max(ring.product(range(k, k + 3)) for k in (0, 3, 6, 9))
        num = 100 * 4 * n * 3 * largest * 21 * r_all + 2 * 53 * (1 + n) * p * s_all
        assert num < 2**20 * 200 * p * s_all         # "small" means below 2^20, where the modulus has 200 bits and more
        ring.assert_rescaled(ring.lift(wanted)[0], got, s_all, r_all, num, 200 * p * s_all)


def render(ring):
    """One case a line: compact, and a changed case shows as one changed line."""
    def dump(value):
        return json.dumps(value, separators=(",", ":"))
    head = [f'"n":{ring.n}', '"moduli":' + dump(ring.q), '"psi":' + dump(ring.psi)]
    makers = [("ntt", ntt_cases), ("automorphism", automorphism_cases), ("rescale", rescale_cases),
              ("mod_up", mod_up_cases), ("key_switch", key_switch_cases)]
    body = [f'"{name}":[\n' + ",\n".join(map(dump, make(ring))) + "\n]" for name, make in makers]
    return "{" + ",\n".join(head + body) + "}\n"


def main():
    texts = {}
    for n in (8, 64):
        ring = Ring(n)
        self_check(ring)
        texts[HERE / f"n{n}.json"] = render(ring)
    if sys.argv[1:] == ["--check"]:
        stale = [path.name for path, text in texts.items() if not path.exists() or path.read_text() != text]
        sys.exit(f"differ from what the script makes: {', '.join(stale)}" if stale else 0)
    if sys.argv[1:]:
        sys.exit(__doc__)
    for path, text in texts.items():
        path.write_bytes(text.encode())
        print(f"{path.name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
