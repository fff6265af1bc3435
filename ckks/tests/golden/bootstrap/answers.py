"""Known answers of the maps and of the reduction of a bootstrap, from their definitions in double precision:

    python3 ckks/tests/golden/bootstrap/answers.py > ckks/tests/golden/bootstrap/answers.json        (needs numpy)

Nothing here has layers, stages or diagonals: slots are values of a polynomial at roots of unity, the reduction is a cosine. What the
stages of the library must give is written beside how many diagonals each may have.
"""

import json
import math

import numpy as np

K, DOUBLE_ANGLES, DEGREE, RATIO = 13, 3, 30, 2.0**12.5


def slots(coefficients):
    """The values at exp(2 pi i 5^j / 4n), j < n, of the real polynomial with these 2n coefficients."""
    count = len(coefficients)
    powers = np.array([pow(5, j, 2 * count) for j in range(count // 2)])
    exponents = np.outer(powers, np.arange(count)) % (2 * count)
    return np.exp(1j * np.pi * exponents / count) @ coefficients


def reversed_bits(n):
    bits = n.bit_length() - 1
    return [int(format(i, f"0{bits}b")[::-1], 2) for i in range(n)]


def maps(values, stages, forth, back, seed):
    random = np.random.default_rng(seed)
    z = random.uniform(-1, 1, values).round(6)
    n = values // 2
    order = reversed_bits(n)
    coefficients = np.concatenate([z[:n][order], z[n:][order]])
    at = slots(coefficients)
    return {
        "values": values, "stages": stages, "z": z.tolist(), "coefficients": coefficients.tolist(),
        "slots": [[s.real, s.imag] for s in at], "to-coefficients": forth, "to-slots": back,
    }  # fmt: skip


def polynomial():
    """Coefficients of cos(2 pi (K + 1/4) u / 8) in the Chebyshev polynomials of T_2(u), and the function that they are."""
    points = 256
    angles = np.pi * (np.arange(points) + 0.5) / points
    u = np.sqrt((1 + np.cos(angles)) / 2)
    values = np.cos(2 * np.pi * (K + 0.25) * u / 2**DOUBLE_ANGLES)
    return [(2 - (k == 0)) / points * float(np.sum(values * np.cos(k * angles))) for k in range(DEGREE // 2 + 1)]


def reduction(coefficients, integer, message):
    """v, C_0 and C_3 of t / Q_0 = integer + message / 2^12.5, for values up to 1, by Clenshaw's rule."""
    y = 2 * math.pi / RATIO
    a = [RATIO / (2 * math.pi) / (1 - y * y / 8)]
    for _ in range(DOUBLE_ANGLES):
        a.insert(0, math.sqrt(2 * a[0]))
    u = (integer + message / RATIO - 0.25) / (K + 0.25)
    w = 2 * u * u - 1
    b1 = b2 = 0.0
    for c in reversed(coefficients[1:]):
        b1, b2 = 2 * w * b1 - b2 + a[0] * c, b1
    c0 = w * b1 - b2 + a[0] * coefficients[0]
    c3 = c0
    for angle in a[1:]:
        c3 = c3 * c3 - angle
    return {"integer": integer, "message": message, "v": 2 * u, "c0": c0, "c3": c3}


def main():
    coefficients = polynomial()
    messages = [-1, -0.5, 0, 0.25, 1]
    answers = {
        "maps": [
            maps(16, 1, [16], [8], 1),
            maps(32, 2, [7, 8], [4, 7], 2),
            maps(64, 2, [15, 8], [4, 15], 3),
            maps(256, 3, [15, 7, 8], [4, 7, 15], 4),
            maps(512, 2, [31, 32], [16, 31], 5),
        ],
        "cosine": coefficients,
        "reduction": [reduction(coefficients, i, m) for i in range(-16, 17) for m in messages],
    }
    # A list of numbers to a line.
    print(json.dumps(answers, indent=None, separators=(",", ":")).replace('{"', '\n{"'))


main()
