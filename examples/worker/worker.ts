/**
 * An OpenAI-shaped endpoint in a Cloudflare Worker: weights from R2, or from static assets in parts of at most 25 MiB.
 * @module
 */
import { load, type Model, NibbleError, type StreamedFile } from "nibble-llm";
import { createHandler, type Handler } from "nibble-llm/server";
import { openAssets } from "./assets.ts";
import { type Bucket, rememberPrompt } from "./snapshot.ts";

export interface Env {
  readonly MODELS?: Bucket;
  readonly ASSETS?: { fetch(url: string): Promise<Response> };
  /** The key in R2, or the name of the assets. */
  readonly MODEL: string;
  /** The system prompt of every conversation, if it is to be computed once and kept in R2. */
  readonly SYSTEM_PROMPT?: string;
  /** A secret of at least 32 characters (`wrangler secret put SNAPSHOT_KEY`), without which the prompt is not kept. */
  readonly SNAPSHOT_KEY?: string;
  /** A secret (`wrangler secret put API_KEY`). Without it, requests need no key. */
  readonly API_KEY?: string;
}

/** An isolate has 128 MB. With these a model of 140M parameters in Q4_0 takes 94 MB of WebAssembly memory (README.md). */
const MEMORY = { contextLength: 2048, kvType: "int8", maxBatchTokens: 64, maxLogitRows: 4 } as const;

async function openModel({ MODELS, ASSETS, MODEL }: Env): Promise<StreamedFile> {
  const object = await MODELS?.get(MODEL);
  if (object) return object;
  if (ASSETS) return openAssets(ASSETS, MODEL);
  throw new NibbleError("missing_file", `${MODEL} is neither in R2 nor among the assets`);
}

async function start(env: Env): Promise<Handler> {
  const model: Model = await load(await openModel(env), { name: env.MODEL, ...MEMORY });
  console.log(`${env.MODEL}: ${model.info.memory.total} bytes of WebAssembly memory`);
  if (env.MODELS && env.SYSTEM_PROMPT && env.SNAPSHOT_KEY) {
    const prompt = { prompt: env.SYSTEM_PROMPT, secret: env.SNAPSHOT_KEY };
    const how = await rememberPrompt(model, env.MODELS, env.MODEL, prompt);
    console.log(`${env.MODEL}: the system prompt was ${how}`);
  }
  return createHandler(model, { cors: "*", slots: 2, queue: 16, ...(env.API_KEY && { apiKeys: [env.API_KEY] }) });
}

/** One model per isolate. The first request starts to load it, since Workers allow no input or output before a request. */
let handler: Promise<Handler> | undefined;

export default {
  async fetch(request: Request, env: Env, context: { waitUntil(promise: Promise<unknown>): void }): Promise<Response> {
    if (!handler) {
      handler = start(env);
      handler.catch(() => {
        handler = undefined; // the next request may try again
      });
      context.waitUntil(handler); // other requests need the model, so loading goes on even if this client leaves
    }
    try {
      return await (await handler)(request);
    } catch (error) {
      const { code, message } = error as NibbleError;
      return Response.json({ error: { type: "server_error", code, message } }, { status: 503 });
    }
  },
};
