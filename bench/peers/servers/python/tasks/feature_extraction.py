"""A text to a vector."""
from embedder import Embedder


class Model:
    def __init__(self, folder: str, graph: str) -> None:
        self.embedder = Embedder(threads=1)

    def answer(self, text: str) -> list[float]:
        return self.embedder.embed([text])[0]
