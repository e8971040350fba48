"""LitServe with its batching on: up to 32 requests of a 5 ms window, two workers as there are two cores."""
import os

import litserve
from embedder import Embedder


class Api(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.embedder = Embedder(threads=1)

    def decode_request(self, request: dict) -> list[str]:
        return request["texts"]

    def predict(self, batch: list[list[str]]) -> list[list[list[float]]]:
        vectors = iter(self.embedder.embed([text for texts in batch for text in texts]))
        return [[next(vectors) for _ in texts] for texts in batch]

    def encode_response(self, vectors: list[list[float]]) -> dict:
        return {"vectors": vectors}


if __name__ == "__main__":
    api = Api(max_batch_size=32, batch_timeout=0.005, api_path="/embed")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=2)
    server.run(host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), generate_client_file=False, log_level="warning")
