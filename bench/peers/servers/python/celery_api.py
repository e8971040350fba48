"""
The API of FastAPI + Celery: hands each request to the queue and waits for its result in a thread of the pool. Media go
through a folder that API and workers share, since a queue is no place for files.
"""
import base64
import os
import tempfile
from typing import Any

from celery_tasks import infer
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
WAIT_SECONDS = 60


class Item(BaseModel):
    input: Any


class Media(BaseModel):
    data: str


class Upload(BaseModel):
    input: Media


class Answer(BaseModel):
    output: Any


@app.post("/items")
def infer_item(item: Item) -> Answer:
    return Answer(output=infer.delay(item.input).get(timeout=WAIT_SECONDS))


@app.post("/files")
def infer_file(upload: Upload) -> Answer:
    file, path = tempfile.mkstemp()
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(base64.b64decode(upload.input.data))
        return Answer(output=infer.delay(path).get(timeout=WAIT_SECONDS))
    finally:
        os.unlink(path)
