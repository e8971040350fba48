"""The worker of FastAPI + Celery: a task per request, a session per forked process."""
import os

from celery import Celery
from celery.signals import worker_process_init

app = Celery("bench", broker=os.environ["BENCH_REDIS"], backend=os.environ["BENCH_REDIS"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, result_expires=3600)
embedder = None


@worker_process_init.connect
def load(**_: object) -> None:
    global embedder
    from embedder import Embedder

    embedder = Embedder(threads=1)


@app.task
def embed(texts: list[str]) -> list[list[float]]:
    return embedder.embed(texts)
