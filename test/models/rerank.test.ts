/** Rerankers: a cross-encoder against BERT in double precision, and Qwen3-Reranker's form against the logits it compares. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readHuggingFace } from "../../src/formats/huggingface/folder.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { bertReference } from "../helpers/bert-reference.ts";
import { bert, changed, crossEncoder, DOCUMENTS, QUERY } from "../helpers/cross-encoder.ts";
import { architectures, executorOf, testHost } from "../helpers/models.ts";

const load = createLoad(testHost);

it("a cross-encoder gives the scores of BERT in double precision, with both token types", async () => {
  const files = await crossEncoder(1);
  const checkpoint = await readHuggingFace(files);
  const reference = await bertReference(checkpoint.tensors, 2);
  const recorded = JSON.parse(readFileSync(join(bert, "reference.json"), "utf8"));
  // The reference itself is right: its mean of states is the recorded one.
  const { ids } = recorded.items[2];
  const states = reference.states(ids);
  const mean = states[0]!.map((_, d) => states.reduce((sum, state) => sum + state[d]!, 0) / states.length);

  const model = await load(files);
  expect(model.info.embedding.rank).toEqual({ pooling: "cls", score: "identity" });
  const plain = await load(bert);
  const [vector] = await plain.embed([ids], { normalize: false });
  expect(Math.max(...mean.map((x, d) => Math.abs(x - vector![d]!)))).toBeLessThan(1e-5);

  const { results, tokens } = await model.rerank(QUERY, DOCUMENTS, { returnDocuments: true });
  const truth = DOCUMENTS.map((document) => {
    const [a, b] = [QUERY, document].map((text) => model.tokenize(text, { addBos: false }));
    const pair = [2, ...a!, 3, ...b!, 3];
    const types = pair.map((_, i) => (i < a!.length + 2 ? 0 : 1));
    const [first] = reference.states(pair, types);
    const [pw, pb, cw, cb] = ["cls.weight", "cls.bias", "cls.output.weight", "cls.output.bias"].map(reference.tensor);
    const pooler = Array.from(pb!, (bias, o) =>
      Math.tanh(first!.reduce((sum, x, i) => sum + x * pw![o * 64 + i]!, bias)),
    );
    return { length: pair.length, score: pooler.reduce((sum, x, i) => sum + x * cw![i]!, cb![0]!) };
  });
  for (const { index, score, document } of results) {
    expect(Math.abs(score - truth[index]!.score)).toBeLessThan(2e-5);
    expect(document).toBe(DOCUMENTS[index]);
  }
  expect(results.map(({ score }) => score)).toEqual(results.map(({ score }) => score).sort((a, b) => b - a));
  expect(tokens).toBe(truth.reduce((sum, { length }) => sum + length, 0));

  const [best] = (await model.rerank(QUERY, DOCUMENTS, { topN: 1, normalize: true })).results;
  expect(best!.score).toBeCloseTo(1 / (1 + Math.exp(-results[0]!.score)), 12);
  const alone = await model.rerank(QUERY, [DOCUMENTS[1]!]);
  expect(alone.results[0]!.score).toBe(results.find(({ index }) => index === 1)!.score);
});

it("a reranker makes no embeddings and no text, and other models rank nothing", async () => {
  const model = await load(await crossEncoder(1));
  await expect(model.embed(["a"])).rejects.toThrow(/ranks documents/);
  await expect(model.completions.create({ prompt: "a" })).rejects.toThrow(/generates no text: it ranks documents/);
  const encoder = await load(bert);
  await expect(encoder.rerank(QUERY, DOCUMENTS)).rejects.toMatchObject({ code: "not_supported" });
  await expect(encoder.chat.completions.create({ messages: [{ role: "user", content: "a" }] })).rejects.toThrow(
    /generates no text: it makes embeddings/,
  );
  await expect(load(await crossEncoder(3))).rejects.toThrow(/expected a head with one result.*got 3/);
});

it("sentence-transformers' activation of a cross-encoder is honoured", async () => {
  const sentence_transformers = { activation_fn: "torch.nn.modules.activation.Sigmoid", version: "5.0.0" };
  const model = await load(await crossEncoder(1, { sentence_transformers }));
  const { results } = await model.rerank(QUERY, DOCUMENTS);
  expect(results.every(({ score }) => score > 0 && score < 1)).toBe(true);
});

it("a pair that is too long is an error with its length, or cut where that is asked for", async () => {
  const model = await load(await crossEncoder(1));
  const long = "the cat sat on the mat. ".repeat(40);
  await expect(model.rerank(QUERY, [long])).rejects.toThrow(/documents\[0\] has \d+ tokens.*holds 128/);
  const cut = await model.rerank(QUERY, [long], { truncate: true });
  expect(cut.tokens).toBe(128);
  // Megabytes are not read to their end, and the result is that of their beginning.
  const megabytes = long.repeat(4000);
  await expect(model.rerank(QUERY, [megabytes])).rejects.toThrow(/documents\[0\] has more than \d+ tokens/);
  await expect(model.rerank(megabytes, [long])).rejects.toThrow(/query has more than \d+ tokens/);
  expect((await model.rerank(QUERY, [megabytes], { truncate: true })).results).toEqual(cut.results);
});

it("Qwen3-Reranker's form: the probability of yes against no, by the logits after its prompt", async () => {
  const [yes, no] = [105, 62];
  const module = { idx: 1, name: "1", path: "1_LogitScore", type: "sentence_transformers.cross_encoder.LogitScore" };
  const folders = [join(architectures, "qwen3"), join(architectures, "tokenizer")];
  // The prompt has more tokens in this small vocabulary than the fixture's context.
  const text = readFileSync(join(folders[0]!, "config.json"), "utf8");
  const config = { "config.json": JSON.stringify({ ...JSON.parse(text), max_position_embeddings: 2048 }) };
  const files = changed(folders, {
    ...config,
    "modules.json": JSON.stringify([{ path: "", type: "sentence_transformers.models.Transformer" }, module]),
    "1_LogitScore/config.json": JSON.stringify({ true_token_id: yes, false_token_id: no }),
    "chat_template.jinja": undefined,
  });
  const model = await load(files, { kvType: "f32" });
  const executor = await executorOf(await readHuggingFace(changed(folders, config)), {
    kvType: "f32",
    contextLength: 2048,
  });
  // The documents would be cut away, and all have the score of the query alone.
  const query = "cats? ".repeat(1500);
  const full = { code: "context_full", param: "query" };
  await expect(model.rerank(query, ["a mat", "a cat"], { truncate: true })).rejects.toMatchObject(full);
  for (const instruction of [undefined, "Find $& cats"]) {
    const { results } = await model.rerank("cats?", ["a mat", "a cat"], { instruction });
    for (const { index, score } of results) {
      const middle = `<Instruct>: ${instruction ?? "Given a web search query, retrieve relevant passages that answer the query"}\n<Query>: cats?\n<Document>: ${["a mat", "a cat"][index]}`;
      const system =
        'Judge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the answer can only be "yes" or "no".';
      const prompt = `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n${middle}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n`;
      const sequence = executor.createSequence();
      const ids = model.tokenize(prompt);
      let rows: Float32Array[] = [];
      for (let at = 0; at < ids.length; at += 64)
        rows = executor.forward([{ sequence, tokens: ids.slice(at, at + 64), logits: "last" }]);
      const [a, b] = [rows[0]![yes]!, rows[0]![no]!];
      sequence.dispose();
      expect(Math.abs(score - 1 / (1 + Math.exp(b - a)))).toBeLessThan(1e-5);
    }
  }
});
