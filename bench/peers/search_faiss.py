"""The other side of hamming.sh and cosine.sh: faiss on the same data. Prints "SECONDS FOUND".

search_faiss.py flat|multihash FILE BITS RADIUS THREADS  all pairs of hashes within a radius, each once
search_faiss.py ivf FILE DIMENSION LEAST/1000 LISTS PROBES THREADS   all pairs as near as that, by IndexIVFFlat
search_faiss.py nearest FILE DIMENSION QUERIES TOP THREADS   the first QUERIES vectors against all, by inner product

Building the index is part of it, reading the file is not.
"""
import sys
import time

import faiss
import numpy as np

what, path, *numbers = sys.argv[1:]
numbers = [int(n) for n in numbers]
faiss.omp_set_num_threads(numbers[-1])

if what == "nearest":
    dimension, queries, top, _ = numbers
    vectors = np.fromfile(path, dtype=np.float32).reshape(-1, dimension)
    start = time.perf_counter()
    index = faiss.IndexFlatIP(dimension)
    index.add(vectors)
    _, found = index.search(vectors[:queries], top)
    print(f"{time.perf_counter() - start:.3f} {found.sum()}")
    sys.exit()

if what == "ivf":
    dimension, least, lists, probes, _ = numbers
    vectors = np.fromfile(path, dtype=np.float32).reshape(-1, dimension)
    start = time.perf_counter()
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, lists, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    index.nprobe = probes
    limits, _, _ = index.range_search(vectors, least / 1000)
    print(f"{time.perf_counter() - start:.3f} {(int(limits[-1]) - len(vectors)) // 2}")
    sys.exit()

bits, radius, _ = numbers
hashes = np.fromfile(path, dtype=np.uint8).reshape(-1, bits // 8)
start = time.perf_counter()
if what == "flat":
    index = faiss.IndexBinaryFlat(bits)
    index.add(hashes)
    # Its radius is exclusive.
    limits, _, places = index.range_search(hashes, radius + 1)
else:
    # Maps of 16 bits each: a pair within 10 of 64 bits has at most 2 in one of them.
    index = faiss.IndexBinaryMultiHash(bits, bits // 16, 16)
    index.nflip = radius // (bits // 16)
    index.add(hashes)
    limits, _, places = index.range_search(hashes, radius + 1)
seconds = time.perf_counter() - start
print(f"{seconds:.3f} {(int(limits[-1]) - len(hashes)) // 2}")
