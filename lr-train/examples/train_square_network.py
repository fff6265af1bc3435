#!/usr/bin/env python3
"""Trains a small network with squares in the clear, and writes it as `lr-train infer` reads it.

    python3 train_square_network.py --data digits.csv --hidden 32 --out network.json --test test.csv

The data are CSV with a header; the last column is the class. A quarter of the rows is held back and written to --test. Without --data they are the handwritten
digits of scikit-learn (1,797 rows of 64 pixels from 0 to 16), if it is installed. Needs numpy.
"""

import argparse
import csv
import json

import numpy as np


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    names, rows = rows[0], rows[1:]
    return names, np.array([row[:-1] for row in rows], float), [row[-1] for row in rows]


def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    return [f"pixel{i}" for i in range(64)] + ["digit"], data.data, [str(label) for label in data.target]


def train(x, y, hidden, epochs, rng, batch=64, rate=2e-3, decay=1e-4):
    """Adam on the cross entropy of softmax(square(x W + b) V + c)."""
    inputs, outputs = x.shape[1], y.shape[1]
    shapes = [(inputs, hidden), (hidden,), (hidden, outputs), (outputs,)]
    params = [rng.normal(0, 0.5 / np.sqrt(shape[0]), shape) if len(shape) == 2 else np.zeros(shape) for shape in shapes]
    first, second = [np.zeros(s) for s in shapes], [np.zeros(s) for s in shapes]
    step = 0
    for epoch in range(epochs):
        scale = rate * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            w, b, v, c = params
            sums = x[rows] @ w + b
            squares = sums**2
            scores = squares @ v + c
            p = np.exp(scores - scores.max(1, keepdims=True))
            p = (p / p.sum(1, keepdims=True) - y[rows]) / len(rows)
            back = p @ v.T * 2 * sums
            gradients = [x[rows].T @ back, back.sum(0), squares.T @ p, p.sum(0)]
            step += 1
            for k, gradient in enumerate(gradients):
                gradient = gradient + decay * params[k]
                first[k] = 0.9 * first[k] + 0.1 * gradient
                second[k] = 0.999 * second[k] + 0.001 * gradient**2
                params[k] = params[k] - scale * (first[k] / (1 - 0.9**step)) / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8)
    return params


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="CSV with a header, the class last [default: scikit-learn's digits]")
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True, help="network in JSON")
    parser.add_argument("--test", help="CSV of the rows held back")
    args = parser.parse_args()

    names, x, labels = read(args.data) if args.data else digits()
    classes = sorted(set(labels), key=lambda c: (len(c), c))
    largest = float(np.abs(x).max()) or 1.0
    y = np.array([[label == c for c in classes] for label in labels], float)
    rng = np.random.default_rng(args.seed)
    order = rng.permutation(len(x))
    held, kept = order[: len(x) // 4], order[len(x) // 4 :]
    w, b, v, c = (np.round(p, 5) for p in train(x[kept] / largest, y[kept], args.hidden, args.epochs, rng))
    scores = ((x / largest) @ w + b) ** 2 @ v + c
    right = scores.argmax(1) == y.argmax(1)
    print(f"{right[kept].mean():.3%} of {len(kept)} rows trained on, {right[held].mean():.3%} of {len(held)} rows held back")
    network = {
        "version": 1,
        "input-scale": 1 / largest,
        "largest-input": 1.0,
        "classes": classes,
        "layers": [
            {"weights": w.tolist(), "bias": b.tolist(), "activation": "square"},
            {"weights": v.tolist(), "bias": c.tolist()},
        ],
    }
    with open(args.out, "w") as file:
        json.dump(network, file)
    if args.test:
        with open(args.test, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            for row in np.sort(held):
                writer.writerow([f"{value:g}" for value in x[row]] + [labels[row]])


if __name__ == "__main__":
    main()
