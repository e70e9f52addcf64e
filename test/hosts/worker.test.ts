/** `loadInWorker` with both sides in this process: calls, errors and ends across messages. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it, vi } from "vitest";
import type { ChatCompletionChunk } from "../../src/engine/openai/chat-types.ts";
import { loadInWorker, type WorkerModel } from "../../src/hosts/web-worker/load-in-worker.ts";
import type { ToWorker } from "../../src/hosts/web-worker/messages.ts";
import { root } from "../helpers/models.ts";

const crumb = new Uint8Array(readFileSync(join(root, "dist/crumb.gguf")));
const messages = [{ role: "user", content: "Tom has 3 apples and buys 4 more. How many apples does he have?" }];

/** A worker whose messages are cloned and arrive later, as with a real one. */
class FakeWorker {
  onmessage: ((event: { data: unknown }) => void) | undefined;
  terminated = false;
  deliver: (event: { data: ToWorker }) => void = () => {};
  posted: ToWorker[] = [];
  postMessage(message: ToWorker, transfer: Transferable[] = []): void {
    const data = structuredClone(message, { transfer });
    this.posted.push(data);
    setTimeout(() => this.deliver({ data }));
  }
  terminate(): void {
    this.terminated = true;
  }
}

let worker: FakeWorker;
let model: WorkerModel;
let progress = 0;
beforeAll(async () => {
  worker = new FakeWorker();
  vi.stubGlobal("addEventListener", (_: "message", deliver: FakeWorker["deliver"]) => {
    worker.deliver = deliver;
  });
  vi.stubGlobal("postMessage", (message: unknown) => {
    const data = structuredClone(message);
    setTimeout(() => worker.onmessage?.({ data }));
  });
  const wasm = await WebAssembly.compile(readFileSync(join(root, "dist/wasm/relaxed.wasm")));
  await import("../../src/hosts/web-worker/model-worker.ts");
  model = await loadInWorker(crumb, {
    worker: worker as unknown as Worker,
    wasm,
    name: "crumb",
    onProgress: ({ loaded, total }) => {
      progress = loaded / total;
    },
  });
});

it("calls", async () => {
  expect(model.info.name).toBe("crumb");
  expect(progress).toBe(1);
  const ids = await model.tokenize("How much is 8 * 33?");
  expect(await model.detokenize(ids)).toBe("How much is 8 * 33?");
  expect(await model.applyTemplate(messages)).toContain("Tom has 3 apples");
  const [vector] = await model.embed(["How much is 8 * 33?", ids]);
  expect(vector).toHaveLength(model.info.hiddenSize);
  const { data } = await model.embeddings.create({ input: ids });
  expect(data[0]!.embedding).toEqual([...vector!]);
});

it("a whole answer and a streamed one at once", async () => {
  const request = { messages, temperature: 0, max_tokens: 60 };
  const whole = model.chat.completions.create(request);
  let text = "";
  for await (const chunk of await model.chat.completions.create({ ...request, stream: true }))
    text += chunk.choices[0]?.delta.content ?? chunk.choices[0]?.delta.reasoning_content ?? "";
  const { content, reasoning_content } = (await whole).choices[0]!.message;
  expect(text).toBe((reasoning_content ?? "") + (content ?? ""));
  expect(text.length).toBeGreaterThan(20);
});

it("errors keep their code and parameter, before the stream begins", async () => {
  const error = { code: "invalid_request", param: "temperature" };
  await expect(model.chat.completions.create({ messages, temperature: -1 })).rejects.toMatchObject(error);
  await expect(model.chat.completions.create({ messages, temperature: -1, stream: true })).rejects.toMatchObject(error);
  const unclonable = { messages: [{ role: "user", content: (() => "") as never }] };
  await expect(model.chat.completions.create(unclonable)).rejects.toMatchObject({ code: "invalid_argument" });
});

it("abort rejects with its reason, and ends the call in the worker; so does leaving the loop", async () => {
  const stop = new AbortController();
  const stream = await model.chat.completions.create(
    { messages, stream: true, temperature: 0 },
    { signal: stop.signal },
  );
  const read = async (chunks: AsyncIterable<ChatCompletionChunk>): Promise<void> => {
    for await (const _ of chunks) stop.abort(new Error("enough"));
  };
  await expect(read(stream)).rejects.toThrow("enough");
  for await (const _ of await model.chat.completions.create({ messages, stream: true })) break;
  expect(worker.posted.filter(({ type }) => type === "abort")).toHaveLength(2);
  const before = AbortSignal.abort(new Error("too late"));
  await expect(model.chat.completions.create({ messages }, { signal: before })).rejects.toThrow("too late");
});

it("dispose ends the worker, its running calls and later ones", async () => {
  const pending = model.chat.completions.create({ messages });
  model.dispose();
  await expect(pending).rejects.toMatchObject({ code: "disposed" });
  await expect(model.tokenize("x")).rejects.toMatchObject({ code: "disposed" });
  expect(worker.terminated).toBe(true);
});
