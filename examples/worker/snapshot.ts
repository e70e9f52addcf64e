/**
 * Keeps the key-value cache of a system prompt in R2, so that a new isolate reads it instead of computing it.
 * @module
 */
import { type Model, NibbleError, type StreamedFile } from "nibble-llm";

/** The part of an R2 bucket that the example uses; Cloudflare's own types have more. */
export interface Bucket {
  get(key: string): Promise<(StreamedFile & { arrayBuffer(): Promise<ArrayBuffer> }) | null>;
  put(key: string, bytes: Uint8Array): Promise<unknown>;
}

export interface SystemPrompt {
  readonly prompt: string;
  /** At least 32 characters. It signs the snapshot, since others who can write to the bucket could forge one. */
  readonly secret: string;
}

/**
 * Opens a session with the prompt, so that every request that begins with it reuses its pages. A snapshot that is missing,
 * not signed, or of another model or version, is written again.
 * @returns whether the session was read or computed
 */
export async function rememberPrompt(
  model: Model,
  bucket: Bucket,
  name: string,
  { prompt, secret }: SystemPrompt,
): Promise<"read" | "computed"> {
  const signing = new TextEncoder().encode(secret);
  const text = model.applyTemplate([{ role: "system", content: prompt }], { addGenerationPrompt: false });
  const tokens = model.tokenize(text, { addBos: false });
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const key = `${name}.${Array.from(hash.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("")}.kv`;
  const stored = await bucket.get(key);
  if (stored) {
    try {
      // Requests copy what the snapshot holds, so it must be one that this Worker has signed.
      await model.restoreSigned(new Uint8Array(await stored.arrayBuffer()), signing);
      return "read";
    } catch (error) {
      if (!(error instanceof NibbleError)) throw error;
    }
  }
  const session = model.session();
  session.forward(tokens, { logits: "none" });
  await bucket.put(key, await session.saveSigned(signing));
  return "computed";
}
