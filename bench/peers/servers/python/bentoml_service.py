"""BentoML with its adaptive batching at the defaults, two workers as there are two cores."""
import bentoml
from embedder import Embedder


@bentoml.service(workers=2, traffic={"timeout": 120, "concurrency": 256})
class Service:
    def __init__(self) -> None:
        self.embedder = Embedder(threads=1)

    @bentoml.api(batchable=True, route="/embed", max_batch_size=100, max_latency_ms=60000)
    def embed(self, texts: list[str]) -> list[list[float]]:
        return self.embedder.embed(texts)
