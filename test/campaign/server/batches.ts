/** Batches of the server under test: files uploaded, batches run on idle slots, their results compared. */
import type { Handler } from "../../../src/server/handler.ts";
import { askHandler, postHandler, until } from "../../server/helpers.ts";
import { Broken } from "../target.ts";
import type { Question } from "./steps.ts";

const URL = "/v1/completions";
const ENDED = ["completed", "failed", "expired", "cancelled"];

export interface OpenBatch {
  readonly id: string;
  readonly questions: readonly Question[];
}

/** The questions of a batch, by their prompts. */
export const batchQuestions = (prompts: readonly number[]): Question[] =>
  prompts.map((prompt) => ({ prompt, tokens: 5, seed: 1, stream: false, n: 1, adapter: 0 }));

/** Uploads a file and starts a batch of it. */
export async function startBatch(
  handler: Handler,
  questions: readonly Question[],
  bodyOf: (question: Question) => object,
): Promise<OpenBatch> {
  const lines = questions.map((one, i) =>
    JSON.stringify({ custom_id: `r${i}`, method: "POST", url: URL, body: bodyOf(one) }),
  );
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new File([lines.join("\n")], "in.jsonl"));
  const file = await askHandler(handler, "/v1/files", { method: "POST", body: form });
  if (file.status !== 200) throw new Broken(`an upload ended with ${file.status} ${file.text}`);
  const body = { input_file_id: file.json().id, endpoint: URL, completion_window: "24h" };
  const batch = await postHandler(handler, "/v1/batches", body);
  if (batch.status !== 200) throw new Broken(`a batch was refused with ${batch.status} ${batch.text}`);
  return { id: batch.json().id, questions };
}

export async function cancelBatch(handler: Handler, { id }: OpenBatch): Promise<void> {
  const { status, text } = await postHandler(handler, `/v1/batches/${id}/cancel`, {});
  // A batch that has ended meanwhile cannot be cancelled.
  if (status !== 200 && status !== 400 && status !== 409)
    throw new Broken(`cancelling a batch ended with ${status} ${text}`);
  await endOf(handler, id);
}

async function endOf(handler: Handler, id: string): Promise<{ status: string; output_file_id?: string | null }> {
  let batch = { status: "" };
  await until(async () => {
    const { status, text, json } = await askHandler(handler, `/v1/batches/${id}`);
    if (status !== 200) throw new Broken(`a batch that runs is answered with ${status} ${text}`);
    batch = json();
    return ENDED.includes(batch.status);
  });
  return batch;
}

/** Waits for the end. @returns the bodies of the answers, in the order of the questions */
export async function resultsOf(handler: Handler, { id, questions }: OpenBatch): Promise<string[]> {
  const { status, output_file_id: output } = await endOf(handler, id);
  if (status !== "completed" || !output) throw new Broken(`a batch that nobody cancelled is ${status}`);
  const { text } = await askHandler(handler, `/v1/files/${output}/content`);
  const bodies = new Map<string, string>();
  for (const line of text.trim().split("\n")) {
    const { custom_id: name, response } = JSON.parse(line);
    if (response?.status_code !== 200) throw new Broken(`a good request of a batch ended so: ${line.slice(0, 300)}`);
    bodies.set(name, JSON.stringify(response.body));
  }
  return questions.map((_, i) => bodies.get(`r${i}`) ?? "{}");
}
