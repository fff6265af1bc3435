#!/usr/bin/env python3
"""Reads the files of docs/format.md with the standard library only: an independent reader that keeps the page true.

    python3 docs/format_reader.py FILE ..

prints one line of JSON for each file: what its header says, and of its rows their number and a sum over all values,
weighted by position: sum of (i + 1) * value_i modulo 2^64, in the order of the payload. Checksums are verified if the
module `blake3` is installed. Every rule of the page is checked; a file that breaks one is an error.
"""

import json
import math
import struct
import sys

try:
    from blake3 import blake3
except ImportError:
    blake3 = None

MAGIC = b"\x89ARRAS\r\n"
KINDS = {
    1: "parameter set",
    2: "secret key",
    3: "public key",
    4: "switching key",
    5: "evaluation key set",
    6: "plaintext",
    7: "ciphertext",
    8: "seeded ciphertext",
    9: "model or training state",
    10: "encrypted array",
    11: "seeded encrypted array",
    12: "encrypted data set",
    13: "encrypted rows, weights or scores",
}


def check(condition, message):
    if not condition:
        raise ValueError(message)


class Header:
    """The postcard encoding: numbers as varints of 7 bits, the least significant first."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, count):
        check(self.at + count <= len(self.data), "the header ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def u(self):
        value = shift = 0
        while True:
            byte = self.bytes(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                check(byte or not shift, "a number takes more bytes than it needs")
                return value
            shift += 7

    def bool(self):
        byte = self.bytes(1)[0]
        check(byte < 2, "neither true nor false")
        return byte == 1

    def f64(self):
        return struct.unpack("<d", self.bytes(8))[0]

    def hex(self, count):
        return self.bytes(count).hex()

    def list(self, item):
        return [item() for _ in range(self.u())]

    def end(self):
        check(self.at == len(self.data), "the header goes on after its last field")


def parameters(h):
    p = {
        "log_n": h.u(),
        "level_width": ["34 bits", "39 bits"][h.u()],
        "windows": h.list(lambda: (h.u(), h.u())),
        "terminals": h.list(h.u),
        "mains": h.list(h.u),
        "specials": h.list(h.u),
        "digit_sizes": h.list(h.u),
        "base_scale": h.f64(),
    }
    promises = ["classical 128", "INSECURE", "bootstrapping"]
    p["security"] = promises[h.u()]
    p["levels"] = len(p["windows"]) - 1
    if p["security"] == "bootstrapping":
        p["security"] = promises[:2][h.u()]
        names = "levels", "coefficients_to_slots", "slots_to_coefficients", "secret_weight", "integer_bound"
        p["bootstrap"] = {name: h.u() for name in names}
        p["levels"] = p["bootstrap"]["levels"]
    # The basis, and what stands in it where.
    p["basis"] = p["terminals"][::-1] + p["mains"] + p["specials"]
    return p


def window(p, level):
    mains, terminals = p["windows"][level]
    start = len(p["terminals"])
    return list(range(start - terminals, start + mains))


def headroom(p, level):
    """Values of a level are below this: Q / (2 s)."""
    product = lambda limbs: sum(math.log2(p["basis"][limb]) for limb in limbs)
    log_scale = math.log2(p["base_scale"])
    for above in range(1, level + 1):
        step = product(window(p, above)) - product(window(p, above - 1))
        log_scale = (log_scale + step) / 2
    return 2.0 ** min(product(window(p, level)) - log_scale - 1, 1023)


def special(p):
    return list(range(len(p["basis"]) - len(p["specials"]), len(p["basis"])))


def key_shape(p, kind, budget):
    """Digits and limbs of a switching key for levels up to `budget`."""
    if kind in (2, 4):
        check("bootstrap" in p, "a key of a sparse secret without bootstrapping")
        check(budget == (0 if kind == 2 else len(p["windows"]) - 1), "a key of a sparse secret with another level budget")
        limbs = window(p, budget)
        return (len(limbs), limbs + special(p)[:1]) if kind == 2 else (1, limbs + special(p)[:2])
    windows = [window(p, level) for level in range(budget + 1)]
    limbs = list(range(min(w[0] for w in windows), max(w[-1] for w in windows) + 1))
    digits = start = 0
    for number, size in enumerate(p["digit_sizes"]):
        if any(limb in limbs for limb in range(start, start + size)):
            digits = number + 1
        start += size
    return digits, limbs + special(p)


def layout(h):
    kind = h.u()
    unit = lambda: (h.u(), h.u())
    if kind == 0:
        return {"layout": "matrix", "rows": h.u(), "cols": h.u(), "unit": unit(), "row_stride": h.u()}
    if kind == 1:
        return {"layout": "row vector", "len": h.u(), "unit": unit()}
    if kind == 2:
        return {"layout": "column vector", "len": h.u(), "unit": unit(), "period": h.u()}
    if kind == 3:
        return {"layout": "scalar", "slots": h.u()}
    check(kind == 4, "no such layout")
    return {"layout": "slots", "units": h.u(), "slots": h.u()}


class Payload:
    def __init__(self, data):
        self.data, self.at = data, 0
        self.rows = self.count = self.sum = 0

    def take(self, count):
        check(self.at + count <= len(self.data), "the payload ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def values(self, count, bits):
        """`count` values of `bits` bits, the first in the lowest bits of the first byte, zero bits to a whole byte."""
        packed = self.take((count * bits + 7) // 8)
        mask = (1 << bits) - 1
        values = []
        # Eight values are `bits` whole bytes.
        for start in range(0, len(packed), bits):
            group = int.from_bytes(packed[start : start + bits], "little")
            for _ in range(min(8, count - len(values))):
                values.append(group & mask)
                group >>= bits
            check(group == 0, "bits are set after a row's last value")
        self.rows += 1
        return values

    def add(self, values):
        for value in values:
            self.count += 1
            self.sum = (self.sum + self.count * value) % (1 << 64)

    def residues(self, p, limbs, polynomials):
        for _ in range(polynomials):
            for limb in limbs:
                q = p["basis"][limb]
                values = self.values(1 << p["log_n"], (q - 1).bit_length())
                check(max(values) < q, "a residue is not below its modulus")
                self.add(values)

    def ternary(self, n):
        codes = self.values(n, 2)
        check(2 not in codes, "a coefficient is none of -1, 0 and 1")
        self.add([(0, 1, None, (1 << 64) - 1)[code] for code in codes])


def switching_key(h):
    return {"key": h.u(), "level_budget": h.u(), "seed": h.hex(32)}


def read_key(p, key, payload):
    digits, limbs = key_shape(p, key["key"], key["level_budget"])
    payload.residues(p, limbs, digits)


def scheme_object(kind, h, payload):
    """Kinds 1 to 8."""
    p = parameters(h)
    fields = {}
    if kind == 2:
        payload.ternary(1 << p["log_n"])
    elif kind == 3:
        fields = {"seed": h.hex(32)}
        payload.residues(p, range(special(p)[0] + 1), 1)
    elif kind == 4:
        fields = switching_key(h)
        read_key(p, fields, payload)
    elif kind == 5:
        keys = h.list(lambda: switching_key(h))
        check(sorted({k["key"] for k in keys}) == [k["key"] for k in keys], "keys are not in ascending order")
        fields = {"keys": keys}
        for key in keys:
            read_key(p, key, payload)
    elif kind == 6:
        fields = {"level": h.u(), "weights": h.bool(), "batch": h.u()}
        limbs = window(p, fields["level"]) + (special(p) if fields["weights"] else [])
        payload.residues(p, limbs, fields["batch"])
    elif kind == 7:
        fields = {"level": h.u(), "batch": h.u(), "components": h.u(), "pending": h.bool(), "limbs": h.list(h.u)}
        whole = window(p, fields["level"] + fields["pending"])
        check(fields["limbs"] and sorted(set(fields["limbs"])) == fields["limbs"], "limbs are not in ascending order")
        check(set(fields["limbs"]) <= set(whole), "a limb is outside its level")
        check(fields["components"] in ((2, 3) if fields["pending"] else (2,)), "no such number of components")
        check(not fields["pending"] or fields["limbs"] == whole, "a pending product lacks limbs")
        payload.residues(p, fields["limbs"], fields["components"] * fields["batch"])
    elif kind == 8:
        fields = {"level": h.u(), "batch": h.u(), "seed": h.hex(32)}
        payload.residues(p, window(p, fields["level"]), fields["batch"])
    return {"parameters": p, **fields}


def training_object(kind, h):
    """Kinds 9, 12 and 13."""
    fields = {"training_version": h.u()}
    check(fields["training_version"] == 2, "not version 2 of training files")
    fields["parameters"] = parameters(h)
    fields.update(plan=h.hex(32), keys=h.hex(16), dataset=h.hex(16))
    if kind == 12:
        fields["rounds"] = h.u()
    elif kind == 13:
        fields["content"] = ["rows", "weights", "scores"][h.u()]
        fields["rows"] = h.u()
    else:
        fields["round"] = h.u()
        fields["content"] = ["weights", "state", "start"][h.u()]
    return fields


def container(data):
    """The container at the start of `data`, and its length."""
    check(data[:8] == MAGIC, "not an Arras file")
    check(len(data) >= 28, "the prefix is cut short")
    version, kind, _, header_len, payload_len = struct.unpack("<HHIIQ", data[8:28])
    check(version == 1 or (version == 2 and kind in (6, 7, 8)), "not format version 1, nor 2 of values")
    check(kind in KINDS, "no such kind")
    bound = struct.unpack("<f", data[12:16])[0] if version == 2 else None
    if bound is None:
        check(data[12:16] == bytes(4), "a bound where none is")
    else:
        check(data[15] < 0x80 and bound < float("inf"), "a bound that is negative or no number")
    check(header_len <= 1 << 20, "the header is too long")
    signed = 28 + header_len + payload_len
    check(signed + 32 <= len(data), "the file is cut short")
    if blake3:
        check(blake3(data[:signed]).digest() == data[signed : signed + 32], "the checksum is not that of the bytes")
    h, payload = Header(data[28 : 28 + header_len]), Payload(data[28 + header_len : signed])
    found = {"kind": kind, "name": KINDS[kind], "checksum": "verified" if blake3 else "not verified"}
    if kind <= 8:
        found.update(scheme_object(kind, h, payload))
        if bound is not None:
            check(bound < headroom(found["parameters"], found["level"]), "a bound beyond the headroom")
            found["bound"] = bound
        found.update(rows=payload.rows, sum=payload.sum)
    else:
        found.update(training_object(kind, h) if kind in (9, 12) else layout(h))
        inner = []
        while payload.at < len(payload.data):
            nested, length = container(payload.data[payload.at :])
            payload.take(length)
            inner.append(nested)
        found["objects"] = inner
        wanted = {10: [7], 11: [8], 12: [8], 9: [8] if found.get("content") == "start" else [7]}[kind]
        check(all(o["kind"] in wanted for o in inner), "other objects than belong here")
    h.end()
    check(payload.at == len(payload.data), "the payload goes on after its last row")
    return found, signed + 32


def main():
    for name in sys.argv[1:]:
        with open(name, "rb") as file:
            data = file.read()
        try:
            found, length = container(data)
            check(length == len(data), "the file goes on after its container")
        except (ValueError, IndexError) as error:
            sys.exit(f"{name}: {error}")
        print(json.dumps({"file": name, **found}))


if __name__ == "__main__":
    main()
