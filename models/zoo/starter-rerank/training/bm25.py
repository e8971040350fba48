"""Owns BM25: the baseline of the model card, and the source of hard negatives. As Lucene does it: lower case, English
stop words, Porter's stems, k1 1.2, b 0.75.
"""
import re

import numpy as np
import snowballstemmer
from scipy.sparse import csr_matrix

K1, B = 1.2, 0.75
STOP = set("a an and are as at be but by for if in into is it no not of on or such that the their then there these they "
           "this to was will with".split())
WORD = re.compile(r"[^\W_]+")
STEMMERS = {"en": snowballstemmer.stemmer("porter"), "ru": snowballstemmer.stemmer("russian")}


def terms(text: str, language: str = "en") -> list[str]:
    return STEMMERS[language].stemWords([word for word in WORD.findall(text.lower()) if word not in STOP])


class Bm25:
    def __init__(self, documents: list[str], language: str = "en"):
        self.language, self.columns = language, {}
        rows, columns, lengths = [], [], []
        for row, document in enumerate(documents):
            found = terms(document, language)
            lengths.append(len(found))
            rows += [row] * len(found)
            columns += [self.columns.setdefault(term, len(self.columns)) for term in found]
        shape = (len(documents), max(1, len(self.columns)))
        counts = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
        counts.sum_duplicates()
        holders = np.bincount(counts.indices, minlength=shape[1])
        idf = np.log(1 + (shape[0] - holders + 0.5) / (holders + 0.5))
        norms = K1 * (1 - B + B * np.array(lengths) / np.mean(lengths))
        of_row = np.repeat(norms, np.diff(counts.indptr))
        counts.data = (idf[counts.indices] * counts.data * (K1 + 1) / (counts.data + of_row)).astype(np.float32)
        self.weights = counts.tocsc()

    def scores(self, query: str) -> np.ndarray:
        columns = [self.columns[term] for term in terms(query, self.language) if term in self.columns]
        return np.asarray(self.weights[:, columns].sum(1)).ravel()

    def top(self, query: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Places of the best documents, best first, and their scores; only such as share a term."""
        scores = self.scores(query)
        best = np.argsort(-scores, kind="stable")[:count]
        best = best[scores[best] > 0]
        return best, scores[best]
