"""The PyPI clients against a running embedd, each as its users write it: dimension, values against the reference's
vectors, and what it makes of an error. Run by tools/test-clients with the URLs and the expected vectors."""
import base64
import json
import struct
import sys
import tempfile
import traceback
import unittest.mock
import urllib.request

URL, OPEN_URL, EXPECTED, MODEL = sys.argv[1:]  # OPEN_URL: of a server with --token-input accept --allow-pull


def read_rows():
    with open(EXPECTED, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    # Texts that no client strips, and that are not the same to an uncased model.
    return [row for row in rows
            if row["name"].startswith("en_") and len(row["text"]) < 400 and row["text"] == row["text"].strip()]


ROWS = read_rows()
TEXTS = [row["text"] for row in ROWS]
VECTORS = [row["vector"] for row in ROWS]
LONG = "word " * 2000


def same(vectors, expected=None):
    expected = expected or VECTORS
    assert len(vectors) == len(expected)
    for vector, reference in zip(vectors, expected):
        assert len(vector) == len(reference), len(vector)
        worst = max(abs(a - b) for a, b in zip(vector, reference))
        assert worst < 1e-5, worst


def refused(call, *words):
    try:
        call()
    except Exception as error:  # each client has its own class
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError("no error")


def nearest(i, n):
    def distance(row):
        return sum((a - b) ** 2 for a, b in zip(row["vector"], VECTORS[i]))
    return [row["text"] for row in sorted(ROWS, key=distance)[:n]]


def ollama():
    import ollama
    client = ollama.Client(host=URL)
    same(client.embed(MODEL, TEXTS).embeddings)
    same([client.embeddings(MODEL, TEXTS[0]).embedding], VECTORS[:1])
    assert len(client.embed(MODEL, LONG).embeddings) == 1
    refused(lambda: client.embed(MODEL, LONG, truncate=False), "input length exceeds")
    refused(lambda: client.embed("other", "a"), "not found", "404")
    for wrong in (5, {"a": 1}, [1, 2], [["a"]]):  # as a program without this client's types would send it
        try:
            client._request_raw("POST", "/api/embed", json={"model": MODEL, "input": wrong})
        except ollama.ResponseError as error:
            assert error.status_code == 400 and "input" in error.error, error
        else:
            raise AssertionError("no error")
    assert any(m.model.startswith(MODEL) for m in client.list().models)
    assert client.show(MODEL).capabilities == ["embedding"]
    assert len(client.ps().models) == 1
    assert client.pull(MODEL).status == "success"
    refused(lambda: client.pull("acme/python"), "not found", "--allow-pull")
    client = ollama.Client(host=OPEN_URL)
    steps = list(client.pull("acme/python", stream=True))
    assert (steps[0].status, steps[-1].status) == ("pulling manifest", "success"), steps
    assert {step.digest.split(":")[0] for step in steps[1:-1]} == {"sha1", "sha256"}, steps
    assert all(0 <= (step.completed or 0) <= step.total for step in steps[1:-1]), steps
    assert "python:latest" in [m.model for m in client.list().models]
    assert len(client.embed("acme/python", "a cat").embeddings) == 1
    refused(lambda: list(client.pull("no name", stream=True)), "400", "ORG/NAME")


def openai():
    import openai
    client = openai.OpenAI(base_url=URL + "/v1", api_key="none", max_retries=0)
    same([item.embedding for item in client.embeddings.create(model=MODEL, input=TEXTS).data])
    raw = client.embeddings.with_raw_response.create(model=MODEL, input=TEXTS[0])  # base64, unpacked by the client
    packed = base64.b64decode(json.loads(raw.http_response.content)["data"][0]["embedding"])
    same([struct.unpack("<%df" % (len(packed) // 4), packed)], VECTORS[:1])
    same([client.embeddings.create(model=MODEL, input=TEXTS[0], encoding_format="float").data[0].embedding], VECTORS[:1])
    assert len(client.embeddings.create(model=MODEL, input="a", dimensions=64).data[0].embedding) == 64
    refused(lambda: client.embeddings.create(model="other", input="a"), "404", "not found")
    refused(lambda: client.embeddings.create(model=MODEL, input=[1, 2, 3]), "400", "token ids")
    refused(lambda: client.embeddings.create(model=MODEL, input=["a"] * 2049), "413")
    assert MODEL in [m.id for m in client.models.list()]


def langchain_ollama():
    from langchain_ollama import OllamaEmbeddings
    embeddings = OllamaEmbeddings(model=MODEL, base_url=URL)
    same(embeddings.embed_documents(TEXTS))
    same([embeddings.embed_query(TEXTS[0])], VECTORS[:1])
    refused(lambda: OllamaEmbeddings(model="other", base_url=URL).embed_query("a"), "not found")


def langchain_openai():
    from langchain_openai import OpenAIEmbeddings
    embeddings = OpenAIEmbeddings(model=MODEL, base_url=URL + "/v1", api_key="none", check_embedding_ctx_length=False)
    same(embeddings.embed_documents(TEXTS))
    same([embeddings.embed_query(TEXTS[0])], VECTORS[:1])
    other = OpenAIEmbeddings(model="other", base_url=URL + "/v1", api_key="none", check_embedding_ctx_length=False)
    refused(lambda: other.embed_query("a"), "404", "not found")


class OwnEncoding:
    """The model's own tokenizer, asked for at the server, where tiktoken's is expected."""

    def encode_ordinary(self, text):
        body = json.dumps({"inputs": text, "add_special_tokens": False}).encode()
        with urllib.request.urlopen(URL + "/tokenize", body) as answer:
            return [token["id"] for token in json.load(answer)[0]]


def langchain_openai_by_default():
    """Without check_embedding_ctx_length=False: it sends ids, of OpenAI's tokenizer if one looks after nothing."""
    import tiktoken
    from langchain_openai import OpenAIEmbeddings
    theirs = tiktoken.Encoding("bytes", pat_str=".+", mergeable_ranks={bytes([i]): i for i in range(256)},
                               special_tokens={})  # cl100k_base itself would be a download
    with unittest.mock.patch("tiktoken.get_encoding", lambda _: theirs):
        embeddings = OpenAIEmbeddings(model=MODEL, base_url=URL + "/v1", api_key="none")
        refused(lambda: embeddings.embed_query("a"), "400", "check_embedding_ctx_length=False", "--token-input accept")
    with unittest.mock.patch("tiktoken.get_encoding", lambda _: OwnEncoding()):
        embeddings = OpenAIEmbeddings(model=MODEL, base_url=OPEN_URL + "/v1", api_key="none")
        same(embeddings.embed_documents(TEXTS))
        same([embeddings.embed_query(TEXTS[0])], VECTORS[:1])


def llama_index_ollama():
    from llama_index.embeddings.ollama import OllamaEmbedding
    embedding = OllamaEmbedding(model_name=MODEL, base_url=URL)
    same(embedding.get_text_embedding_batch(TEXTS))
    same([embedding.get_query_embedding(TEXTS[0])], VECTORS[:1])
    refused(lambda: OllamaEmbedding(model_name="other", base_url=URL).get_text_embedding("a"), "not found")


def lancedb():
    import lancedb
    from lancedb.embeddings import get_registry
    from lancedb.pydantic import LanceModel, Vector
    function = get_registry().get("ollama").create(name=MODEL, host=URL)

    class Text(LanceModel):
        text: str = function.SourceField()
        vector: Vector(function.ndims()) = function.VectorField()

    with tempfile.TemporaryDirectory() as folder:
        table = lancedb.connect(folder).create_table("texts", schema=Text)
        table.add([{"text": text} for text in TEXTS])
        for i, text in enumerate(TEXTS):  # the five rows that the reference's vectors put nearest, in their order
            assert [row.text for row in table.search(text).limit(5).to_pydantic(Text)] == nearest(i, 5)
        same([list(map(float, v)) for v in table.to_arrow()["vector"].to_pylist()])
    refused(lambda: get_registry().get("ollama").create(name="other", host=URL, max_retries=0).compute_query_embeddings("a"),
            "not found")


def huggingface_hub():
    from huggingface_hub import InferenceClient
    client = InferenceClient(base_url=URL + "/embed")
    same(client.feature_extraction(TEXTS).tolist())
    refused(lambda: client.feature_extraction([LONG], truncate=False), "422")
    refused(lambda: client.feature_extraction([5]), "Bad request", "not a string")


CHECKS = [ollama, openai, langchain_ollama, langchain_openai, langchain_openai_by_default, llama_index_ollama, lancedb, huggingface_hub]


def main():
    failed = 0
    for check in CHECKS:
        try:
            check()
            print("PyPI %-31s ok" % check.__name__)
        except Exception:  # the next client is tried all the same
            failed += 1
            print("PyPI %-31s FAILED\n%s" % (check.__name__, traceback.format_exc()))
    print("%d of %d PyPI clients passed" % (len(CHECKS) - failed, len(CHECKS)))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
