"""Both sides: see `compare`."""

import csv
import itertools
import json
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import BM25Recommender
from scipy.sparse import csr_matrix

WORLDS = [("tastes, seed 7", ["--synthetic", "--seed", "7"]), ("tastes, seed 8", ["--synthetic", "--seed", "8"])]
LARGE = ["--synthetic", "--seed", "7", "--visitors", "20000", "--products", "20000", "--interactions", "1000000", "--tastes", "200"]


def bodega(*arguments):
    answer = subprocess.run([BODEGA, "recommend", *map(str, arguments), "--format", "json"], check=True, capture_output=True)
    return json.loads(answer.stdout)


def read(file):
    with open(file, newline="") as lines:
        return list(csv.DictReader(lines))


class Data:
    """What `--export` has written, with the numbers that implicit wants in place of names."""

    def __init__(self, folder):
        training = read(folder / "training.csv")
        self.visitors = sorted({row["user"] for row in training})
        self.products = sorted({row["item"] for row in training})
        visitor = {name: number for number, name in enumerate(self.visitors)}
        product = {name: number for number, name in enumerate(self.products)}
        weights = np.array([row["weight"] for row in training], dtype=np.float32)
        places = ([visitor[row["user"]] for row in training], [product[row["item"]] for row in training])
        self.matrix = csr_matrix((weights, places), shape=(len(visitor), len(product)))
        wanted = sorted({row["user"] for row in read(folder / "wanted.csv")})
        self.matrix.sort_indices()
        self.judged = np.array([visitor[name] for name in wanted])


def candidates():
    for factors, regularization, alpha in itertools.product([48, 64, 128], [0.01, 1.0, 10.0, 20.0], [1.0, 5.0]):
        name = f"ALS {factors} λ={regularization} α={alpha}"
        yield "implicit ALS", name, AlternatingLeastSquares(
            factors=factors, regularization=regularization, alpha=alpha, iterations=15, random_state=1
        )
    for factors, rounds, regularization in itertools.product([32, 64], [30, 100], [0.01, 0.05, 0.1]):
        name = f"BPR {factors} rounds={rounds} λ={regularization}"
        yield "implicit BPR", name, BayesianPersonalizedRanking(
            factors=factors, learning_rate=0.05, regularization=regularization, iterations=rounds, random_state=1
        )
    for neighbours, k1, b in itertools.product([100, 500], [1.2, 100], [0.2, 0.4, 0.75]):
        yield "implicit BM25", f"BM25 {neighbours} k1={k1} b={b}", BM25Recommender(K=neighbours, K1=k1, B=b)


def lists(model, data, file):
    model.fit(data.matrix, show_progress=False)
    found, _ = model.recommend(data.judged, data.matrix[data.judged], N=10, filter_already_liked_items=True)
    with open(file, "w", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(["user", "item"])
        for visitor, items in zip(data.judged, found):
            lines.writerows([data.visitors[visitor], data.products[item]] for item in items if item >= 0)


def quality(source):
    """Every setting of implicit is judged on the very split; the best of each kind is shown, which flatters implicit."""
    folder = FOLDER / "split"
    folder.mkdir(exist_ok=True)
    bodega("evaluate", *source, "--export", folder)
    data = Data(folder)
    best = {}
    for kind, name, model in candidates():
        file = folder / "lists.csv"
        lists(model, data, file)
        report = bodega("judge", *source, "--lists", file)
        line = {**report["lines"][0], "name": f"{kind} ({name})"}
        if kind not in best or line["ndcg"]["mean"] > best[kind]["ndcg"]["mean"]:
            best[kind] = line
    return bodega("evaluate", *source), list(best.values())


def show(report, others):
    print(f"{report['visitors']} visitors, {report['products']} products, {report['training']} interactions, {report['judged']} judged\n")
    print("| | NDCG@10 | hit-rate@10 | recall@10 | MRR | coverage |\n|---|---|---|---|---|---|")
    for line in report["lines"] + others:
        cells = [f"{line[m]['mean']:.4f} ({line[m]['low']:.4f}-{line[m]['high']:.4f})" for m in ("ndcg", "hit_rate", "recall", "mrr")]
        print(f"| {line['name']} | {' | '.join(cells)} | {line['coverage']:.3f} |")
    print()


def speed():
    """Training of a million interactions, the same factors and iterations; each in a process of its own."""
    file = FOLDER / "large"
    file.mkdir(exist_ok=True)
    bodega("evaluate", *LARGE, "--held", "0.01", "--export", file)
    ours = bodega("train", *LARGE)
    theirs = json.loads(subprocess.run([sys.executable, __file__, "--time", file], check=True, capture_output=True).stdout)
    print("| 1,000,000 interactions | ALS, 64 factors, 15 iterations | BM25 item-item | peak memory |\n|---|---|---|---|")
    for name, side in (("bodega", ours), ("implicit", theirs)):
        print(f"| {name} | {side['als_seconds']:.2f} s | {side['item_item_seconds']:.2f} s | {side['peak_bytes'] / 2**20:.0f} MiB |")


def time_implicit(folder):
    data = Data(folder)
    begin = time.perf_counter()
    AlternatingLeastSquares(factors=64, iterations=15, random_state=1).fit(data.matrix, show_progress=False)
    between = time.perf_counter()
    BM25Recommender(K=100).fit(data.matrix, show_progress=False)
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"als_seconds": between - begin, "item_item_seconds": end - between, "peak_bytes": peak}))


if sys.argv[1] == "--time":
    time_implicit(pathlib.Path(sys.argv[2]))
else:
    BODEGA, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
    for title, source in WORLDS:
        print(f"## {title}\n")
        show(*quality(source))
    speed()
