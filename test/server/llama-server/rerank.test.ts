/** /v1/rerank and its other names: Jina's shape, that of Text Embeddings Inference, and wrong bodies. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import { createHandler } from "../../../src/server/handler.ts";
import { crossEncoder, DOCUMENTS, QUERY } from "../../helpers/cross-encoder.ts";
import { testHost } from "../../helpers/models.ts";
import { loadCrumb, postHandler } from "../helpers.ts";

let model: Model;
beforeAll(async () => {
  model = await createLoad(testHost)(await crossEncoder(1));
});
afterAll(() => model.dispose());
const post = (path: string, body: unknown) => postHandler(createHandler(model), path, body);
const body = { query: QUERY, documents: DOCUMENTS };

describe("rerank", () => {
  it.each(["/v1/rerank", "/rerank", "/v1/reranking", "/reranking"])("%s: Jina's shape, best first", async (path) => {
    const { results, tokens } = await model.rerank(QUERY, DOCUMENTS);
    const { status, json } = await post(path, { model: "any", ...body });
    expect(status).toBe(200);
    expect(json()).toEqual({
      model: model.info.name,
      object: "list",
      usage: { prompt_tokens: tokens, total_tokens: tokens },
      results: results.map(({ index, score }) => ({ index, relevance_score: score })),
    });
    const scores = results.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(results.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3]);
  });

  it("top_n, documents as objects, and the documents returned", async () => {
    const documents = DOCUMENTS.map((text) => ({ text }));
    const { results } = (await post("/v1/rerank", { ...body, documents, top_n: 2, return_documents: true })).json();
    expect(results).toHaveLength(2);
    for (const { index, document } of results) expect(document).toEqual({ text: DOCUMENTS[index] });
    expect((await post("/v1/rerank", { ...body, top_n: 0 })).json().results).toEqual([]);
  });

  it("a body with texts is that of Text Embeddings Inference", async () => {
    const answer = (await post("/rerank", { query: QUERY, texts: DOCUMENTS, return_text: true })).json();
    expect(answer).toHaveLength(4);
    for (const { index, text, score } of answer) expect([text, typeof score]).toEqual([DOCUMENTS[index], "number"]);
  });

  it.each<[object, string]>([
    [{ query: "" }, "query"],
    [{ query: 1 }, "query"],
    [{ documents: [] }, "documents"],
    [{ documents: "a" }, "documents"],
    [{ documents: ["a", 1] }, "documents[1]"],
    [{ documents: ["a", {}] }, "documents[1]"],
    [{ top_n: -1 }, "top_n"],
    [{ return_documents: 1 }, "return_documents"],
    [{ max_chunks_per_doc: 2 }, "max_chunks_per_doc"],
  ])("%j is refused by name", async (fields, param) => {
    const { status, json } = await post("/v1/rerank", { ...body, ...fields });
    expect([status, json().error.param]).toEqual([400, param]);
  });

  it("a model that ranks nothing says so", async () => {
    const crumb = await loadCrumb();
    const { status, json } = await postHandler(createHandler(crumb), "/v1/rerank", body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(502);
    expect(json().error.message).toMatch(/rerank/i);
    crumb.dispose();
  });
});
