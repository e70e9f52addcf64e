/** Sends fuzzed bodies to a handler and checks that it stays sound. */
import { expect } from "vitest";
import { createHandler } from "../../src/server/handler.ts";
import { fuzzedBody, randomNumbers } from "./bodies.ts";
import { loadCrumb, messages, until } from "./helpers.ts";

/** Ollama's errors are texts. */
function messageOf(error: string | { message: string }): string {
  return typeof error === "string" ? error : error.message;
}

/**
 * Sends `count` bodies, up to eight at once. Each must end with 200, 4xx or 503; a fixed question between them must
 * always get the same tokens; at the end no pages or slots may be in use.
 * @returns the number of answers by status
 */
export async function fuzz(count: number, seed: number): Promise<Map<number, number>> {
  const model = await loadCrumb();
  const errors: unknown[] = [];
  const handler = createHandler(model, { responseStore: 16, onError: (error) => void errors.push(error) });
  const send = (path: string, body: string) =>
    handler(
      new Request(`http://localhost${path}`, { method: "POST", body, headers: { "content-type": "application/json" } }),
    );
  const canary = async () => {
    const body = JSON.stringify({ messages, seed: 11, max_tokens: 24, logprobs: true });
    const { choices } = await (await send("/v1/chat/completions", body)).json();
    return choices;
  };
  const expected = await canary();
  expect(expected[0].logprobs.content).toHaveLength(24);

  const random = randomNumbers(seed);
  const statuses = new Map<number, number>();
  let sent = 0;
  const worker = async () => {
    while (sent < count) {
      const number = ++sent;
      const { path, body } = fuzzedBody(random);
      const response = await send(path, body);
      const text = await response.text();
      const { status } = response;
      const what = `${path} ${body.slice(0, 2000)} -> ${status} ${text.slice(0, 300)} ${(errors[0] as Error)?.stack}`;
      expect(status === 200 || (status >= 400 && status < 500) || status === 503, what).toBe(true);
      expect(errors, what).toEqual([]);
      if (status !== 200) expect(messageOf(JSON.parse(text).error), what).toBeTypeOf("string");
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (number % 500 === 0) expect(await canary()).toEqual(expected);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(await canary()).toEqual(expected);
  await until(() => model.stats().requests === 0);
  expect(model.stats().usedPages).toBe(0);
  model.dispose();
  return statuses;
}
