#!/usr/bin/env python3
"""The usual Python sidecar, as a peer: FastAPI and sentence-transformers.  sidecar.py MODEL_FOLDER PORT THREADS"""
import sys

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer

torch.set_num_threads(int(sys.argv[3]))
model = SentenceTransformer(sys.argv[1], device="cpu")
app = FastAPI()


class Request(BaseModel):
    texts: list[str]
    normalize: bool = True
    batch_size: int = 16


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/embed")
def embed(request: Request):
    vectors = model.encode(request.texts, batch_size=request.batch_size, normalize_embeddings=request.normalize)
    return {"vectors": vectors.tolist()}


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
