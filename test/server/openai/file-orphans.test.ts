/** What a killed process leaves in the folder of files. */
import { expect, it } from "vitest";
import { memoryStore, readBlob, writeBlob } from "../../../src/batch/store.ts";
import { createHandler, type Handler } from "../../../src/server/handler.ts";
import { askHandler, loadCrumb, type TestAnswer } from "../helpers.ts";

async function upload(handler: Handler, bytes: number): Promise<TestAnswer> {
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new Blob(["x".repeat(bytes)]), "a.jsonl");
  const request = new Request("http://localhost", { method: "POST", body: form });
  const sent = { body: await request.arrayBuffer(), headers: new Headers(request.headers) };
  return askHandler(handler, "/v1/files", { method: "POST", ...sent });
}

it("bytes without facts are removed at the next start, and no longer count against the room for files", async () => {
  const model = await loadCrumb();
  const store = memoryStore(1500);
  const first = createHandler(model, { fileStore: store });
  const { id } = (await upload(first, 10)).json() as { id: string };
  const orphan = `file-${"0".repeat(24)}.data`;
  await writeBlob(store, orphan, "x".repeat(900));
  await writeBlob(store, "file-of somebody else.data", "x");
  expect((await upload(first, 600)).status).toBe(413);
  const second = createHandler(model, { fileStore: store });
  expect((await upload(second, 600)).status).toBe(200);
  expect(await store.size(orphan)).toBeUndefined();
  expect(await readBlob(store, `${id}.data`)).toBe("x".repeat(10));
  expect(await readBlob(store, "file-of somebody else.data")).toBe("x");
  model.dispose();
});
