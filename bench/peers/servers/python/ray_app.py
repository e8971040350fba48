"""Ray Serve with its batching at the defaults (10 rows, 10 ms), two replicas as there are two cores."""
import os

from embedder import Embedder
from ray import serve
from starlette.requests import Request


@serve.deployment(num_replicas=2, max_ongoing_requests=256, ray_actor_options={"num_cpus": 0.5})
class Service:
    def __init__(self) -> None:
        self.embedder = Embedder(threads=1)

    @serve.batch(max_batch_size=10, batch_wait_timeout_s=0.01)
    async def embed(self, batch: list[list[str]]) -> list[list[list[float]]]:
        vectors = iter(self.embedder.embed([text for texts in batch for text in texts]))
        return [[next(vectors) for _ in texts] for texts in batch]

    async def __call__(self, request: Request) -> dict:
        return {"vectors": await self.embed((await request.json())["texts"])}


if __name__ == "__main__":
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["BENCH_PORT"])})
    serve.run(Service.bind(), route_prefix="/embed", blocking=True)
