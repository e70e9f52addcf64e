/** /v1/files and /v1/batches with OpenAI's own client. */
import OpenAI, { APIError, toFile } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/batch/store.ts";
import { createHandler } from "../../../src/server/handler.ts";
import { askHandler, loadCrumb, messages, postHandler, startServer, type TestServer } from "../helpers.ts";

let server: TestServer;
let client: OpenAI;
let stranger: OpenAI;
beforeAll(async () => {
  server = await startServer({ apiKeys: ["one", "two"], slots: 2 });
  [client, stranger] = ["one", "two"].map(
    (apiKey) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 }),
  ) as [OpenAI, OpenAI];
});
afterAll(() => server.close());

const url = "/v1/chat/completions" as const;
const line = (i: number, body: object = {}): object => ({
  custom_id: `r${i}`,
  method: "POST",
  url,
  body: { model: "crumb", messages: [{ role: "user", content: `How much is ${i} + 2?` }], max_tokens: 6, ...body },
});
const jsonl = (lines: readonly object[]): string => lines.map((one) => JSON.stringify(one)).join("\n");

async function upload(text: string, by = client): Promise<OpenAI.FileObject> {
  return by.files.create({ file: await toFile(Buffer.from(text), "requests.jsonl"), purpose: "batch" });
}

async function run(text: string, by = client): Promise<OpenAI.Batch> {
  const { id } = await upload(text, by);
  const batch = await by.batches.create({
    input_file_id: id,
    endpoint: url,
    completion_window: "24h",
    metadata: { a: "b" },
  });
  return ended(batch.id, by);
}

async function ended(id: string, by = client): Promise<OpenAI.Batch> {
  for (;;) {
    const batch = await by.batches.retrieve(id);
    if (["completed", "failed", "expired", "cancelled"].includes(batch.status)) return batch;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function contentOf(id: string | null | undefined): Promise<string> {
  return (await client.files.content(id!)).text();
}

const refused = async (action: Promise<unknown>, status: number, param?: string): Promise<void> => {
  const error = await action.then(() => undefined).catch((one: unknown) => one);
  expect(error).toBeInstanceOf(APIError);
  expect([(error as APIError).status, (error as APIError).param ?? undefined]).toEqual([status, param]);
};

describe("files", () => {
  it("upload, retrieve, list, content, delete", async () => {
    const text = jsonl([line(0)]);
    const file = await upload(text);
    expect(file).toMatchObject({
      object: "file",
      bytes: text.length,
      filename: "requests.jsonl",
      purpose: "batch",
      status: "processed",
    });
    expect(await client.files.retrieve(file.id)).toEqual(file);
    expect(await contentOf(file.id)).toBe(text);
    const second = await upload("x");
    const ids = (await client.files.list({ purpose: "batch" })).data.map(({ id }) => id);
    expect(ids.slice(0, 2)).toEqual([second.id, file.id]);
    const pages: string[] = [];
    for await (const one of client.files.list({ limit: 1, order: "asc" })) pages.push(one.id);
    expect(pages).toEqual([...ids].reverse());
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: "file", deleted: true });
    await refused(client.files.retrieve(file.id), 404);
  });

  it("belong to the key that has uploaded them", async () => {
    const { id } = await upload("x");
    expect((await stranger.files.list()).data).toEqual([]);
    await refused(stranger.files.retrieve(id), 404);
    await refused(stranger.files.content(id), 404);
    await refused(stranger.files.delete(id), 404);
    await refused(stranger.batches.create({ input_file_id: id, endpoint: url, completion_window: "24h" }), 404);
  });

  it("refuse what is wrong by name", async () => {
    const file = await toFile(Buffer.from("x"), "x");
    await refused(client.files.create({ file, purpose: "nonsense" as "batch" }), 400, "purpose");
    await refused(
      client.files.create({ file, purpose: "batch", expires_after: { anchor: "created_at", seconds: 1 } }),
      400,
      "expires_after.seconds",
    );
    await refused(client.files.retrieve("../../etc/passwd"), 404);
    await refused(client.files.list({ limit: 0 }), 400, "limit");
    await refused(client.files.list({ after: "file-1" }), 400, "after");
    const kept = await client.files.create({
      file,
      purpose: "user_data",
      expires_after: { anchor: "created_at", seconds: 3600 },
    });
    expect(kept.expires_at! - kept.created_at).toBe(3600);
  });

  it("limits, forms of other sites, and other bodies", async () => {
    const model = await loadCrumb();
    const handler = createHandler(model, { maxFileBytes: 1000, fileStore: memoryStore(1500) });
    const form = (bytes: number): FormData => {
      const data = new FormData();
      data.set("purpose", "batch");
      data.set("file", new Blob(["x".repeat(bytes)]), "a.jsonl");
      return data;
    };
    // As bytes: undici's own stream of a form fails when it is cancelled.
    const post = async (body: FormData | string, headers: Record<string, string> = {}) => {
      const request = new Request("http://localhost", { method: "POST", body, headers });
      const sent = { body: await request.arrayBuffer(), headers: new Headers(request.headers) };
      return askHandler(handler, "/v1/files", { method: "POST", ...sent });
    };
    expect((await post(form(2000))).status).toBe(413);
    expect((await post(form(500))).status).toBe(200);
    expect((await post(form(500))).status).toBe(200);
    expect((await post(form(500))).status).toBe(413); // the store is full
    expect((await post(form(5), { origin: "https://elsewhere.example" })).status).toBe(403);
    expect((await post(form(5), { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await post("{}", { "content-type": "application/json" })).status).toBe(415);
    expect((await post("nonsense", { "content-type": "multipart/form-data; boundary=x" })).status).toBe(400);
    model.dispose();
  });
});

describe("batches", () => {
  it("answers as a request would be answered, in the order of the requests, with errors in a file of their own", async () => {
    const lines = [line(3, { temperature: 0 }), line(1), line(2, { messages: [] }), line(0)];
    const batch = await run(jsonl(lines));
    expect(batch).toMatchObject({
      object: "batch",
      status: "completed",
      endpoint: url,
      completion_window: "24h",
      errors: null,
      metadata: { a: "b" },
      request_counts: { total: 4, completed: 3, failed: 1 },
    });
    expect(batch.expires_at! - batch.created_at).toBe(24 * 3600);
    expect(batch.completed_at! >= batch.in_progress_at!).toBe(true);
    const results = (await contentOf(batch.output_file_id))
      .trim()
      .split("\n")
      .map((one) => JSON.parse(one));
    expect(results.map((one) => one.custom_id)).toEqual(["r3", "r1", "r0"]);
    const direct = await client.chat.completions.create({
      ...(line(3, { temperature: 0 }) as { body: OpenAI.ChatCompletionCreateParamsNonStreaming }).body,
    });
    expect(results[0].response.body.choices).toEqual(direct.choices);
    const errors = JSON.parse(await contentOf(batch.error_file_id));
    expect(errors).toMatchObject({
      custom_id: "r2",
      response: { status_code: 400, body: { error: { param: "messages" } } },
    });
    const again = await run(jsonl(lines));
    expect(await contentOf(again.output_file_id)).toBe(await contentOf(batch.output_file_id));
    expect((await client.files.retrieve(batch.output_file_id!)).purpose).toBe("batch_output");
  });

  it("fails with OpenAI's errors of lines", async () => {
    const wrong = await run(jsonl([line(0), line(0), { ...line(1), url: "/v1/embeddings" }]));
    expect(wrong).toMatchObject({ status: "failed", output_file_id: null });
    expect(wrong.errors!.data!.map(({ code, line: at }) => [code, at])).toEqual([
      ["duplicate_custom_id", 2],
      ["url_mismatch", 3],
    ]);
    expect((await run("\n")).errors!.data![0]).toMatchObject({ code: "empty_file" });
    expect((await run("{")).errors!.data![0]).toMatchObject({ code: "invalid_json_line", line: 1 });
  });

  it("refuses what is wrong by name", async () => {
    const { id } = await upload(jsonl([line(0)]));
    const good = { input_file_id: id, endpoint: url, completion_window: "24h" } as const;
    await refused(client.batches.create({ ...good, endpoint: "/v1/images/edits" as typeof url }), 400, "endpoint");
    await refused(client.batches.create({ ...good, completion_window: "soon" as "24h" }), 400, "completion_window");
    await refused(client.batches.create({ ...good, metadata: { a: 1 as unknown as string } }), 400, "metadata");
    await refused(client.batches.create({ ...good, input_file_id: "file-1" }), 404);
    await refused(client.batches.retrieve("batch_1"), 404);
    await refused(client.batches.list({ limit: 101 }), 400, "limit");
  });

  it("is listed and cancelled; a stranger sees nothing of it", async () => {
    const long = Array.from({ length: 40 }, (_, i) => line(i, { max_tokens: 400, ignore_eos: true }));
    const { id } = await upload(jsonl(long));
    const batch = await client.batches.create({ input_file_id: id, endpoint: url, completion_window: "24h" });
    expect(batch.status).toBe("validating");
    expect((await client.batches.list()).data[0]!.id).toBe(batch.id);
    expect((await stranger.batches.list()).data).toEqual([]);
    await refused(stranger.batches.retrieve(batch.id), 404);
    await refused(stranger.batches.cancel(batch.id), 404);
    await refused(client.files.delete(id), 400, "id");
    // Two slots, and the batch would keep both busy: a client does not wait for it.
    for (let i = 0; (await client.batches.retrieve(batch.id)).status !== "in_progress"; i++)
      expect(i).toBeLessThan(1000);
    const mine = await client.chat.completions.create({ model: "crumb", messages: [...messages], max_tokens: 3 });
    expect(mine.usage!.completion_tokens).toBe(3);
    expect((await client.batches.retrieve(batch.id)).request_counts!.completed).toBeLessThan(40);
    expect((await client.batches.cancel(batch.id)).status).toBe("cancelling");
    const last = await ended(batch.id);
    expect(last.status).toBe("cancelled");
    expect(last.cancelled_at! >= last.cancelling_at!).toBe(true);
    await refused(client.batches.cancel(batch.id), 400);
    expect((await client.files.delete(id)).deleted).toBe(true);
  });
});

it("a batch goes on after a restart, with the same bytes", async () => {
  const model = await loadCrumb();
  const text = jsonl(Array.from({ length: 30 }, (_, i) => line(i, { max_tokens: 12 })));
  const start = async (handler: ReturnType<typeof createHandler>): Promise<string> => {
    const form = new FormData();
    form.set("purpose", "batch");
    form.set("file", new Blob([text]), "a.jsonl");
    const file = await askHandler(handler, "/v1/files", { method: "POST", body: form });
    const body = { input_file_id: file.json().id, endpoint: url, completion_window: "24h" };
    return (await postHandler(handler, "/v1/batches", body)).json().id;
  };
  const output = async (handler: ReturnType<typeof createHandler>, id: string): Promise<string> => {
    for (;;) {
      const batch = (await askHandler(handler, `/v1/batches/${id}`)).json();
      if (batch.status === "completed")
        return (await askHandler(handler, `/v1/files/${batch.output_file_id}/content`)).text;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const whole = createHandler(model);
  const expected = await output(whole, await start(whole));
  const store = memoryStore(1e7);
  let handler = createHandler(model, { fileStore: store, slots: 2 });
  const id = await start(handler);
  let restarts = 0;
  for (let done = 0; done < 20; restarts++) {
    const before = done;
    while (done < before + 3) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      done = (await askHandler(handler, `/v1/batches/${id}`)).json().request_counts.completed || done;
    }
    await handler.close(0);
    handler = createHandler(model, { fileStore: store, slots: 2 });
  }
  expect(restarts).toBeGreaterThan(2);
  expect(await output(handler, id)).toBe(expected);
  await handler.close(0);
  await whole.close(0);
  model.dispose();
});
