"""Owns what the ranker learns from: queries, each with the text that answers it and with texts that BM25 takes for it.

Debian: the synopsis of a package, or a sentence of its description, asks for the (rest of the) description. WordNet: a
word asks for its definition. Some queries are put as questions.
"""
import json
import random
from dataclasses import dataclass

from where import WORK  # first: it says where the modules below are

from bm25 import Bm25
from texts import descriptions, sentences, wordnet

LISTS_FILE = WORK / "lists.json"
SEED = 6
DEBIAN_QUERIES, WORDNET_QUERIES, RUSSIAN_QUERIES = 7_000, 3_500, 1_200
HELD_OUT = 400
HELD_OUT_EVERY = 5
CANDIDATES, DEPTH = 8, 40
WORDS_MIN, WORDS_MAX = 15, 130
# Blanks before the last point are Cranfield's way of writing; the tokenizer cuts "x ." and "x." alike.
QUESTIONS = {
    "thing": ["what is {}", "what is {} ?", "define {}", "meaning of {}", "what does {} mean", "{}"],
    "purpose": ["what is there for {}", "how can one get {}", "which software offers {}", "has anyone made {} ?",
                "what has been written about {} .", "where can {} be found", "{}", "{}", "{} .", "{}"],
}


@dataclass
class Listed:
    query: str
    """The answer first."""
    documents: list[str]


def lowered(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def debian_documents(language: str) -> list[tuple[str, str]]:
    """Synopsis and description, each description once: packages built from one source share theirs."""
    seen, found = set(), []
    for synopsis, paragraphs in descriptions(language).values():
        text = " ".join(paragraphs)
        if not paragraphs or paragraphs[0] in seen or not WORDS_MIN <= len(text.split()):
            continue
        seen.add(paragraphs[0])
        found.append((synopsis, " ".join(text.split()[:WORDS_MAX])))
    return found


def asked_of(synopsis: str, text: str, random_: random.Random) -> tuple[str, str]:
    """The query, and the document without it."""
    parts = sentences(text)
    if len(parts) >= 4 and random_.random() < 0.4:
        place = random_.randrange(len(parts))
        if 5 <= len(parts[place].split()) <= 30:
            return parts[place], " ".join(parts[:place] + parts[place + 1:])
    if random_.random() < 0.5:
        return synopsis, text
    return random_.choice(QUESTIONS["purpose"]).format(lowered(synopsis)), text


def held_out_documents(language: str) -> list[tuple[str, str]]:
    """A fifth of them, by place: nothing is learnt from these; measure.py ranks them."""
    return debian_documents(language)[::HELD_OUT_EVERY]


def learning_documents(language: str) -> list[tuple[str, str]]:
    return [pair for at, pair in enumerate(debian_documents(language)) if at % HELD_OUT_EVERY]


def debian_lists(language: str, count: int, random_: random.Random) -> list[Listed]:
    documents = learning_documents(language)
    index = Bm25([text for _, text in documents], language)
    chosen = random_.sample(range(len(documents)), min(count, len(documents)))
    lists = []
    for place in chosen:
        synopsis, text = documents[place]
        query, answer = (synopsis, text) if language != "en" else asked_of(synopsis, text, random_)
        others = [documents[other][1] for other in index.top(query, DEPTH)[0] if other != place]
        lists.append(Listed(query, [answer, *sampled(others, documents, random_)]))
    return lists


def sampled(hard: list[str], documents, random_: random.Random) -> list[str]:
    """Mostly such as BM25 ranks high, two at random."""
    chosen = random_.sample(hard, min(CANDIDATES - 3, len(hard)))
    while len(chosen) < CANDIDATES - 1:
        chosen.append(random_.choice(documents)[1])
    return chosen


def wordnet_lists(count: int, random_: random.Random) -> list[Listed]:
    documents = [(words, "; ".join([definition, *examples])) for words, definition, examples in wordnet()]
    index = Bm25([text for _, text in documents])
    lists = []
    for words, text in random_.sample(documents, count):
        word = random_.choice(words)
        query = random_.choice(QUESTIONS["thing"]).format(word)
        hard = [documents[other] for other in index.top(word, DEPTH)[0]]
        others = [other for names, other in hard if word not in names]
        lists.append(Listed(query, [text, *sampled(others, documents, random_)]))
    return lists


def made() -> list[Listed]:
    """All lists, kept in work/: the search for hard negatives takes minutes."""
    if not LISTS_FILE.exists():
        LISTS_FILE.parent.mkdir(exist_ok=True)
        LISTS_FILE.write_text(json.dumps([[one.query, one.documents] for one in make()]), encoding="utf-8")
    return [Listed(query, documents) for query, documents in json.loads(LISTS_FILE.read_text(encoding="utf-8"))]


def make() -> list[Listed]:
    random_ = random.Random(SEED)
    found = debian_lists("en", DEBIAN_QUERIES, random_) + wordnet_lists(WORDNET_QUERIES, random_)
    found += debian_lists("ru", RUSSIAN_QUERIES, random_)
    random_.shuffle(found)
    return found


def lists() -> tuple[list[Listed], list[Listed]]:
    """To learn from, and held out."""
    found = made()
    return found[HELD_OUT:], found[:HELD_OUT]


if __name__ == "__main__":
    print([len(part) for part in lists()])
