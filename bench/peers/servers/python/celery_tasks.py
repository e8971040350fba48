"""The worker of FastAPI + Celery: a task per request, a model per forked process."""
import importlib
import os

from celery import Celery
from celery.signals import worker_process_init

app = Celery("bench", broker=os.environ["BENCH_REDIS"], backend=os.environ["BENCH_REDIS"])
# Tasks of milliseconds want more at hand than one: 5 % less CPU an item than with 1 on the no-op model.
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=16, result_expires=3600)
model = None


@worker_process_init.connect
def load(**_: object) -> None:
    global model
    task = importlib.import_module(f"tasks.{os.environ['BENCH_TASK'].replace('-', '_')}")
    model = task.Model(os.environ["BENCH_MODEL"], os.environ["BENCH_GRAPH"])


@app.task
def infer(item: object) -> object:
    return model.answer(item)
