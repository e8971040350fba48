"""Owns the figures of the model card: nDCG@10 of BM25, of the ranker over BM25's thirty best, and of both together.

The weight of the two together is chosen on questions about Wikipedia (XQuAD), which the ranker did not learn from, and
then used on Cranfield ($MILLRACE_ASSETS), which took part in no choice. Debian's packages are the ranker's own kind of
text: their figures are for comparison, and a weight chosen there would be the ranker alone.

    python measure.py [choose|cranfield|packages|drift]
"""
import random
import re
import sys
from dataclasses import dataclass

from where import ASSETS  # first: it says where the modules below are

import numpy as np

from bm25 import Bm25
from lists import held_out_documents
from shipped import Scorer
from texts import xquad

DEPTH, AT = 30, 10
SEED, RESAMPLES = 7, 10_000
# Of the ranker's score, beside BM25's, both in standard deviations over a query's candidates. From `choose`.
WEIGHT = 1.5
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 4.0)


@dataclass
class Collection:
    documents: list[str]
    queries: list[str]
    """Places of the relevant documents, for each query."""
    relevant: list[set[int]]
    language: str = "en"


def cranfield() -> Collection:
    folder = ASSETS / "similarity" / "cranfield"
    field = lambda name, text: [" ".join(found.split()) for found in re.findall(rf"<{name}>(.*?)</{name}>", text, re.S)]
    text = (folder / "cran.all.1400.xml").read_text(encoding="utf-8")
    place = {number: at for at, number in enumerate(field("docno", text))}
    queries = field("title", (folder / "cran.qry.xml").read_text(encoding="utf-8"))
    relevant = [set() for _ in queries]
    for line in (folder / "cranqrel.trec.txt").read_text(encoding="utf-8").splitlines():
        topic, _, number, grade = line.split()
        # Topics are counted; the numbers in the file of queries are older and have gaps.
        if int(grade) > 0 and number in place:
            relevant[int(topic) - 1].add(place[number])
    return Collection(field("text", text), queries, relevant)


def questions(language: str) -> Collection:
    """Which of 240 passages of Wikipedia answers the question?"""
    passages = xquad(language)
    asked = [(question, {at}) for at, (_, found) in enumerate(passages) for question in found]
    asked = random.Random(SEED).sample(asked, 200)
    return Collection([text for text, _ in passages], [query for query, _ in asked], [at for _, at in asked], language)


def packages() -> Collection:
    """Which of 7,500 descriptions is this synopsis of? Nothing was learnt from them."""
    documents = held_out_documents("en")
    chosen = random.Random(SEED).sample(range(len(documents)), 150)
    return Collection([text for _, text in documents], [documents[at][0] for at in chosen], [{at} for at in chosen])


def ndcg(ranked: list[int], relevant: set[int]) -> float:
    gains = [1 / np.log2(rank + 2) for rank, at in enumerate(ranked[:AT]) if at in relevant]
    ideal = sum(1 / np.log2(rank + 2) for rank in range(min(AT, len(relevant))))
    return sum(gains) / ideal if ideal else 0.0


def standard(scores: np.ndarray) -> np.ndarray:
    return (scores - scores.mean()) / (scores.std() + 1e-9)


def results(collection: Collection, scorer: Scorer) -> dict[str, np.ndarray]:
    """nDCG@10 by query: of BM25, of the ranker alone, and of both at every weight."""
    index = Bm25(collection.documents, collection.language)
    found: dict[str, list[float]] = {}
    for query, relevant in zip(collection.queries, collection.relevant):
        places, lexical = index.top(query, DEPTH)
        scores = scorer(query, [collection.documents[at] for at in places])
        add = lambda name, order: found.setdefault(name, []).append(ndcg([places[at] for at in order], relevant))
        add("bm25", range(len(places)))
        add("alone", np.argsort(-scores, kind="stable"))
        for weight in WEIGHTS:
            add(f"fused {weight}", np.argsort(-(standard(lexical) + weight * standard(scores)), kind="stable"))
    return {name: np.array(values) for name, values in found.items()}


def bounds(values: np.ndarray) -> tuple[float, float]:
    """95 % of the means of resampled queries."""
    random_ = np.random.default_rng(SEED)
    means = values[random_.integers(0, len(values), (RESAMPLES, len(values)))].mean(1)
    return tuple(np.percentile(means, (2.5, 97.5)))


def report(name: str, found: dict[str, np.ndarray]) -> None:
    for label in ("bm25", "alone", f"fused {WEIGHT}"):
        low, high = bounds(found[label])
        line = f"{name}: {label} {found[label].mean():.4f} ({low:.4f} to {high:.4f})"
        if label != "bm25":
            gain = found[label] - found["bm25"]
            low, high = bounds(gain)
            line += f", above BM25 {gain.mean():+.4f} ({low:+.4f} to {high:+.4f})"
        print(line, flush=True)


def drift(scorer: Scorer) -> float:
    """The largest change of a score between a pair alone and in one batch with pairs of other lengths."""
    documents = [text for _, text in held_out_documents("en")[:100]] + [text for _, text in held_out_documents("ru")[:100]]
    together = scorer("how to find files by name", documents)
    return max(abs(float(scorer("how to find files by name", [text])[0] - score))
               for text, score in zip(documents, together))


def main():
    wanted = sys.argv[1:] or ["choose", "cranfield", "packages", "drift"]
    scorer = Scorer()
    if "choose" in wanted:
        found = results(questions("en"), scorer)
        print({name: round(float(values.mean()), 4) for name, values in found.items()}, flush=True)
    if "cranfield" in wanted:
        report("Cranfield", results(cranfield(), scorer))
    if "packages" in wanted:
        report("held-out packages", results(packages(), scorer))
    if "drift" in wanted:
        print(f"batch drift over 200 pairs: {drift(scorer):.1e}", flush=True)


if __name__ == "__main__":
    main()
