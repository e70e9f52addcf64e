/** vLLM's own endpoints: version, ping, load, and scores of pairs of texts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { createHandler } from "../../src/server/handler.ts";
import { crossEncoder, DOCUMENTS, QUERY } from "../helpers/cross-encoder.ts";
import { testHost } from "../helpers/models.ts";
import { askHandler, loadCrumb, postHandler } from "./helpers.ts";

let model: Model;
let crumb: Model;
beforeAll(async () => {
  model = await createLoad(testHost)(await crossEncoder(1));
  crumb = await loadCrumb();
});
afterAll(() => {
  model.dispose();
  crumb.dispose();
});

describe("facts", () => {
  it("/version, and /load with the requests that are there", async () => {
    const handler = createHandler(crumb);
    expect((await askHandler(handler, "/version")).json()).toEqual({ version: expect.any(String) });
    expect((await askHandler(handler, "/load")).json()).toEqual({ server_load: 0 });
    const body = { prompt: "a", max_tokens: 900, stream: true, ignore_eos: true };
    const request = new Request("http://localhost/v1/completions", {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
    const response = await handler(request);
    const reader = response.body!.getReader();
    await reader.read();
    expect((await askHandler(handler, "/load")).json()).toEqual({ server_load: 1 });
    await reader.cancel();
  });

  it("/ping answers GET and POST without a key, and 503 when the server ends", async () => {
    const handler = createHandler(crumb, { apiKeys: ["k"] });
    for (const method of ["GET", "POST"]) {
      const { status, text } = await askHandler(handler, "/ping", { method });
      expect([status, text]).toEqual([200, ""]);
    }
    for (const path of ["/version", "/load"]) expect((await askHandler(handler, path)).status).toBe(401);
    await handler.close();
    expect((await askHandler(handler, "/ping")).status).toBe(503);
  });

  it("/detokenize has vLLM's name of the text, too", async () => {
    const tokens = crumb.tokenize("8 * 33");
    const { json } = await postHandler(createHandler(crumb), "/detokenize", { model: "any", tokens });
    expect(json()).toEqual({ content: "8 * 33", prompt: "8 * 33" });
  });
});

describe("/score", () => {
  const post = (body: unknown, path = "/score") => postHandler(createHandler(model), path, body);
  const scoresOf = async (body: object, path?: string): Promise<number[]> => {
    const { status, json } = await post(body, path);
    expect(status, JSON.stringify(json())).toBe(200);
    return json().data.map(({ score }: { score: number }) => score);
  };
  const alone = async (query: string, document: string, normalize?: boolean): Promise<number> =>
    (await model.rerank(query, [document], { normalize })).results[0]!.score;
  const inOrder = (normalize?: boolean) => Promise.all(DOCUMENTS.map((document) => alone(QUERY, document, normalize)));

  it.each(["/score", "/v1/score"])("%s: one text against several, in their order", async (path) => {
    const { tokens } = await model.rerank(QUERY, DOCUMENTS);
    const { json } = await post({ model: "any", text_1: QUERY, text_2: DOCUMENTS }, path);
    const scores = await inOrder();
    expect(json()).toEqual({
      id: expect.stringMatching(/^score-/),
      object: "list",
      created: expect.any(Number),
      model: model.info.name,
      data: scores.map((score, index) => ({ index, object: "score", score })),
      usage: { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0 },
    });
  });

  it("one pair, several pairs, and the other names of the sides", async () => {
    const [first, second] = DOCUMENTS as [string, string];
    expect(await scoresOf({ text_1: QUERY, text_2: first })).toEqual([await alone(QUERY, first)]);
    const pairs = [await alone(QUERY, first), await alone("another", second)];
    for (const [
      one,
      other,
    ] of [["text_1", "text_2"], ["queries", "documents"], ["queries", "items"], ["data_1", "data_2"]] as const) // biome-ignore format: one line
      expect(await scoresOf({ [one]: [QUERY, "another"], [other]: [first, second] })).toEqual(pairs);
  });

  it("use_activation chooses between the result and its logistic function", async () => {
    const body = { queries: QUERY, documents: DOCUMENTS };
    for (const use of [true, false])
      expect(await scoresOf({ ...body, use_activation: use })).toEqual(await inOrder(use));
  });

  it.each<[object, string]>([
    [{}, "text_1"],
    [{ text_1: QUERY }, "text_2"],
    [{ queries: QUERY }, "documents"],
    [{ text_1: [], text_2: "a" }, "text_1"],
    [{ text_1: "", text_2: "a" }, "text_1[0]"],
    [{ text_1: QUERY, text_2: ["a", 1] }, "text_2[1]"],
    [{ text_1: ["a", "b"], text_2: ["a"] }, "text_2"],
    [{ text_1: "a", text_2: "b", use_activation: 1 }, "use_activation"],
    [{ text_1: "a", text_2: "b", truncate_prompt_tokens: 5 }, "truncate_prompt_tokens"],
  ])("%j is refused by name", async (body, param) => {
    const { status, json } = await post(body);
    expect([status, json().error.param]).toEqual([400, param]);
  });

  it("a model without a head for it says so", async () => {
    const { status, json } = await postHandler(createHandler(crumb), "/score", { text_1: "a", text_2: "b" });
    expect([status, json().error.type]).toEqual([501, "not_supported_error"]);
  });

  it("Cohere's /v2/rerank has the answer of /v1/rerank", async () => {
    const body = { model: "any", query: QUERY, documents: DOCUMENTS, top_n: 2 };
    const { json } = await post(body, "/v2/rerank");
    expect(json()).toEqual((await post(body, "/v1/rerank")).json());
    expect((await post({ ...body, max_tokens_per_doc: 5 }, "/v2/rerank")).json().error.param).toBe(
      "max_tokens_per_doc",
    );
  });
});
