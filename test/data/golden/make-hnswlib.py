"""Writes hnswlib-python.bin with Python's hnswlib: what the test of the same name describes."""
import hnswlib
import numpy as np

r = np.arange(40)
rows = np.stack([r % 7, r % 5, r % 3, r * 0 + 1, r, r * 0, r * 0 + 1, r * 0 + 2], axis=1).astype(np.float32)
index = hnswlib.Index(space="cosine", dim=8)
index.init_index(max_elements=50, M=4, ef_construction=40, random_seed=5)
index.add_items(rows, 100 + 2 * r, num_threads=1)
index.mark_deleted(110)
index.save_index("hnswlib-python.bin")
