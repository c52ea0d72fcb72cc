"""Implicit ALS as a plain NumPy program: the reference for our seconds per iteration. One user or item a step, solved exactly.

usage: als_reference.py FILE FACTORS ITERATIONS   (FILE: four little-endian uint32 rows, cols, entries, 0, then offsets and columns)
prints a JSON array of seconds, one an iteration
"""

import json
import sys
import time

import numpy as np

W0, REG = 0.1, 0.01


def read(path):
    raw = np.fromfile(path, dtype="<u4")
    rows, cols, entries = (int(n) for n in raw[:3])
    offsets = raw[4 : 5 + rows].astype(np.int64)
    columns = raw[5 + rows : 5 + rows + entries].astype(np.int64)
    return rows, cols, offsets, columns


def transpose(rows, cols, offsets, columns):
    of_entry = np.repeat(np.arange(rows), np.diff(offsets))
    order = np.argsort(columns, kind="stable")
    counts = np.bincount(columns, minlength=cols)
    return np.concatenate([[0], np.cumsum(counts)]), of_entry[order]


def solve(offsets, columns, fixed, out):
    dim = fixed.shape[1]
    gramian = W0 * fixed.T @ fixed
    for row in range(len(offsets) - 1):
        own = fixed[columns[offsets[row] : offsets[row + 1]]]
        weight = REG * (len(own) + W0 * len(fixed))
        out[row] = np.linalg.solve(own.T @ own + gramian + weight * np.eye(dim, dtype=np.float32), own.sum(axis=0))


def main():
    path, dim, iterations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rows, cols, offsets, columns = read(path)
    item_offsets, item_columns = transpose(rows, cols, offsets, columns)
    random = np.random.default_rng(42)
    users = random.normal(0, 0.1 / dim**0.5, (rows, dim)).astype(np.float32)
    items = random.normal(0, 0.1 / dim**0.5, (cols, dim)).astype(np.float32)
    seconds = []
    for _ in range(iterations):
        began = time.perf_counter()
        solve(offsets, columns, items, users)
        solve(item_offsets, item_columns, users, items)
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds))


main()
