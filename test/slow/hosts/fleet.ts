/**
 * A batch for the fleets of examples/, and its results as one machine computes them, one request after the other.
 * @module
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../helpers/models.ts";
import { type Project, run } from "./project.ts";

/** An id may be anything, such as a number, which BullMQ takes for an id of its own, or a text that is no path. */
const customId = (i: number): string => [`${i}`, `row:${i}`, `../${i} é`, `${"x".repeat(600)}${i}`][i % 4]!;

/**
 * Requests to crumb: one in eight generates 400 tokens, one in eight is drawn without a seed, one in eight is for another endpoint, and
 * the last is refused by the server.
 */
export function batchOf(count: number): string {
  const problems = readFileSync(join(root, "models/crumb/problems.jsonl"), "utf8").trim().split("\n");
  const lines = Array.from({ length: count }, (_, i) => {
    const { question } = JSON.parse(problems[i % problems.length]!) as { question: string };
    const body = { model: "crumb", messages: [{ role: "user", content: question }], temperature: i % 8 === 1 ? 1 : 0 };
    const chat = { custom_id: customId(i), method: "POST", url: "/v1/chat/completions", body };
    if (i === count - 1) return { ...chat, body: { ...body, temperature: "hot" } };
    if (i % 8 === 2) return { ...chat, url: "/v1/embeddings", body: { input: question } };
    if (i % 8 === 3) return { ...chat, body: { ...body, ignore_eos: true, max_tokens: 400 } };
    return chat;
  });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** What `nibble batch` of the packed package makes of a batch, one request after the other. */
export function resultsAlone({ folder }: Project, batch: string): string {
  const alone = mkdtempSync(join(folder, "alone-"));
  writeFileSync(join(alone, "requests.jsonl"), batch);
  const nibble = join(folder, "node_modules/nibble-llm/dist/cli.js");
  run(process.execPath, [nibble, "batch", "requests.jsonl", "-o", "results.jsonl", "-m", "crumb", "-np", "1"], {
    cwd: alone,
  });
  return readFileSync(join(alone, "results.jsonl"), "utf8");
}
