/** kill -9 of `nibble serve` at random moments while slots are saved, files come and batches run; then it starts again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI, { toFile } from "openai";
import { afterAll, expect, it } from "vitest";
import { cli, Running } from "../cli/helpers.ts";
import { Random } from "../helpers/random.ts";

const ROUNDS = 8;
const folder = mkdtempSync(join(tmpdir(), "nibble-server-killed-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Server {
  readonly running: Running;
  readonly url: string;
  readonly client: OpenAI;
}

async function start(): Promise<Server> {
  const folders = ["--files-dir", join(folder, "files"), "--slot-save-path", folder];
  const running = new Running(process.execPath, [cli, "serve", "--port", "0", "--json", "-t", "1", ...folders], {
    env: { ...process.env, NIBBLE_CACHE: join(folder, "cache") }, // the secret that signs slots
  });
  const end = await running.until("\n");
  const { url } = JSON.parse(running.stdout.slice(0, end));
  return { running, url, client: new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 }) };
}

const SLOT_TEXT = "How much is 12 * 12? ".repeat(20);

async function slot(url: string, action: "save" | "restore"): Promise<{ status: number; text: string }> {
  const body = JSON.stringify({ filename: "a", ...(action === "save" && { prompt: SLOT_TEXT }) });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/slots/0?action=${action}`, { method: "POST", headers, body });
  return { status: answer.status, text: await answer.text() };
}

const question = (i: number) => ({
  custom_id: `r${i}`,
  method: "POST",
  url: "/v1/completions",
  body: { model: "crumb", prompt: `How much is ${i} + 2?`, max_tokens: 8, temperature: 0 },
});
const BATCH = Array.from({ length: 40 }, (_, i) => JSON.stringify(question(i))).join("\n");
/** A text of its own for each upload, which its name tells. */
const textOf = (name: string): string => `${JSON.stringify(question(name.length))}\n`.repeat(2000 + name.length);

/** Clients that go on until the server is gone. `made` ends when a batch has been made, or could not be. */
function disturb(
  { url, client }: Server,
  round: number,
): { readonly all: Promise<unknown>; readonly made: Promise<unknown> } {
  const untilGone = async (action: (i: number) => Promise<unknown>): Promise<void> => {
    for (let i = 0; ; i++) await action(i);
  };
  const made = batchOf(client).catch(() => {});
  const all = Promise.allSettled([
    made,
    untilGone(() => slot(url, "save")),
    untilGone(() => slot(url, "restore")),
    untilGone(async (i) => {
      const name = `round${round}-${"x".repeat(i % 30)}.jsonl`;
      await client.files.create({ file: await toFile(Buffer.from(textOf(name)), name), purpose: "batch" });
    }),
  ]);
  return { all, made };
}

async function batchOf(client: OpenAI): Promise<OpenAI.Batch> {
  const file = await toFile(Buffer.from(BATCH), "requests.jsonl");
  const { id } = await client.files.create({ file, purpose: "batch" });
  return client.batches.create({ input_file_id: id, endpoint: "/v1/completions", completion_window: "24h" });
}

async function ended(client: OpenAI, id: string): Promise<OpenAI.Batch> {
  for (;;) {
    const batch = await client.batches.retrieve(id);
    if (["completed", "failed", "expired", "cancelled"].includes(batch.status)) return batch;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The answers of a batch by their names, without what differs from run to run. */
async function answersOf(client: OpenAI, batch: OpenAI.Batch): Promise<Record<string, string>> {
  const lines = (await (await client.files.content(batch.output_file_id!)).text()).trim().split("\n");
  const answers = lines.map((line) => {
    const { custom_id, response } = JSON.parse(line);
    return [custom_id, `${response.status_code} ${response.body.choices[0].text}`] as const;
  });
  expect(answers.length, "each request has one line").toBe(new Set(answers.map(([id]) => id)).size);
  return Object.fromEntries(answers);
}

/** What the server has is whole: files as their names say, a slot that restores or is not there, no failed batch. */
async function checkServer({ url, client }: Server): Promise<void> {
  const { status, text } = await slot(url, "restore");
  // On a slow machine the kill may come before the first slot is saved.
  if (status !== 200) expect([status, text]).toEqual([400, expect.stringContaining("expected one that was saved")]);
  for await (const file of client.files.list()) {
    const content = await (await client.files.content(file.id)).text();
    expect(Buffer.byteLength(content), file.filename).toBe(file.bytes);
    if (file.filename.startsWith("round")) expect(content === textOf(file.filename), file.filename).toBe(true);
  }
  for await (const batch of client.batches.list()) expect(batch.status, JSON.stringify(batch)).not.toBe("failed");
}

it(`${ROUNDS} kills: nothing half-written is served, and batches go on to the same answers`, async () => {
  const random = new Random("server killed");
  let server = await start();
  const alone = await answersOf(server.client, await ended(server.client, (await batchOf(server.client)).id));
  expect(Object.keys(alone)).toHaveLength(40);
  for (let round = 0; round < ROUNDS; round++) {
    const { all, made } = disturb(server, round);
    // Every second kill comes after a batch was made, however slow the machine is.
    if (round % 2 === 1) await made;
    await new Promise((resolve) => setTimeout(resolve, random.integer(20, 700)));
    server.running.child.kill("SIGKILL");
    await Promise.all([all, server.running.exit]);
    server = await start();
    await checkServer(server);
  }
  let batches = 0;
  for await (const { id } of server.client.batches.list()) {
    expect(await answersOf(server.client, await ended(server.client, id))).toEqual(alone);
    batches++;
  }
  expect(batches).toBeGreaterThan(1);
  server.running.child.kill("SIGTERM");
  expect(await server.running.exit).toBe(0);
});
