"""The API of FastAPI + Celery: hands each request to the queue and waits for its result in a thread of the pool."""
from celery_tasks import embed
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Request(BaseModel):
    texts: list[str]


@app.post("/embed")
def embed_texts(request: Request) -> dict:
    return {"vectors": embed.delay(request.texts).get(timeout=60)}
