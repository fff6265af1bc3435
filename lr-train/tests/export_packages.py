#!/usr/bin/env python3
"""Writes data sets that come with scikit-learn and statsmodels as CSV files into a folder: python3 export_packages.py FOLDER

Tests read them from $ARRAS_DATA/packages and say so where they are absent. The last column is what is to be learned.
"""

import csv
import sys
from pathlib import Path


def write(folder, name, columns, rows):
    with (folder / f"{name}.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        out.writerows([repr(v) if isinstance(v, float) else v for v in row] for row in rows)


def scikit_learn(folder):
    from sklearn import datasets

    for name in ("diabetes", "iris", "wine", "digits"):
        data = getattr(datasets, f"load_{name}")()
        named = len(getattr(data, "target_names", [])) > 0 and name != "digits"
        target = [data.target_names[t] if named else t.item() for t in data.target]
        columns = [str(n).replace("/", " ") for n in data.feature_names]
        rows = ([float(v) for v in row] + [t] for row, t in zip(data.data, target))
        write(folder, name, [*columns, "target"], rows)


def statsmodels(folder):
    import statsmodels.api as sm

    for name, target in (("randhie", "mdvis"), ("fair", "affairs"), ("heart", "censors")):
        table = getattr(sm.datasets, name).load_pandas().data
        columns = [c for c in table.columns if c != target] + [target]
        rows = ([v.item() for v in row] for row in table[columns].to_numpy())
        write(folder, name, columns, rows)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    scikit_learn(folder)
    statsmodels(folder)
    print(f"{len(list(folder.glob('*.csv')))} files in {folder}")


main()
