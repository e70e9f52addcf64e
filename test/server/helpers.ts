/** A server of crumb on a free port, and its model. */
import { join } from "node:path";
import type { Model } from "../../src/engine/model.ts";
import { type Listener, listen } from "../../src/hosts/node/server.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { createHandler, type Handler } from "../../src/server/handler.ts";
import type { HandlerOptions } from "../../src/server/options.ts";
import { root, testHost } from "../helpers/models.ts";

export const QUESTION = "How much is 8 * 33?";
export const messages: readonly { role: "user"; content: string }[] = [{ role: "user", content: QUESTION }];

export interface TestServer {
  readonly model: Model;
  readonly handler: Handler;
  readonly listener: Listener;
  readonly url: string;
  /** The causes of answers with status 500. */
  readonly errors: unknown[];
  close(): Promise<void>;
}

export function loadCrumb(): Promise<Model> {
  return createLoad(testHost)(join(root, "dist/crumb.gguf"), { name: "crumb", threads: 1 });
}

export async function startServer(options: HandlerOptions = {}): Promise<TestServer> {
  const model = await loadCrumb();
  const errors: unknown[] = [];
  const handler = createHandler(model, { onError: (error) => void errors.push(error), ...options });
  const listener = await listen(handler, { port: 0 });
  return {
    model,
    handler,
    listener,
    url: listener.url,
    errors,
    async close() {
      await handler.close(0);
      await listener.close(0);
      model.dispose();
    },
  };
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  json(): any;
}

/** Sends a request to a handler without a network and reads its whole answer. */
export async function askHandler(handler: Handler, path: string, init: RequestInit = {}): Promise<TestAnswer> {
  const response = await handler(new Request(`http://localhost${path}`, init));
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
}

/** The same with a JSON body; a string is sent as it is. */
export function postHandler(
  handler: Handler,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<TestAnswer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = { method: "POST", body: text, headers: { "content-type": "application/json", ...headers } };
  return askHandler(handler, path, init);
}

export function postJson(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, {
    method: "POST",
    body: text,
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });
}

/** Waits until a condition holds; the test's own deadline ends it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
