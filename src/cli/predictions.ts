/**
 * Reads a text with a model, window by window.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Executor } from "../runtime/types.ts";
import { conflict, type Flag, missing, text } from "./flags.ts";
import { readText } from "./input.ts";
import { Progress } from "./progress.ts";

export interface TextFlags {
  readonly [name: string]: Flag<unknown>;
  readonly file: Flag<string>;
  readonly ids: Flag<string>;
}
export const textFlags: TextFlags = {
  file: text("-f, --file", "FILE", "a file with the text; - is stdin"),
  ids: text("--ids", "FILE", "a file with a JSON array of token ids, instead of text"),
};

/**
 * The token ids of the text that the flags name.
 * @param encode the model's tokenizer
 * @throws UsageError unless exactly one flag was given; NibbleError `missing_file`, `bad_json`, and `invalid_argument` for
 * fewer than 2 tokens
 */
export async function readIds(
  { file, ids }: { readonly file: string | undefined; readonly ids: string | undefined },
  encode: (text: string) => ArrayLike<number>,
): Promise<readonly number[]> {
  if (file !== undefined && ids !== undefined) throw conflict("-f", "--ids", "both name the text");
  const path = file ?? ids;
  if (path === undefined) throw missing("a text", "name its file by -f, or a file of token ids by --ids");
  const input = await readText(path);
  const tokens = ids === undefined ? Array.from(encode(input)) : parseIds(input, ids);
  if (tokens.length < 2)
    throw new NibbleError("invalid_argument", `the text: expected at least 2 tokens, got ${tokens.length}`);
  return tokens;
}

function parseIds(json: string, path: string): number[] {
  let ids: unknown;
  try {
    ids = JSON.parse(json);
  } catch (cause) {
    throw new NibbleError("bad_json", `${path}: it is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (Array.isArray(ids) && ids.every((id) => Number.isInteger(id))) return ids;
  throw new NibbleError("bad_json", `${path}: it is not a JSON array of token ids`);
}

/**
 * The logits that predict each token except the first, in order. Windows have the context's length and share one token, so
 * that each of these tokens is predicted once. A view is valid until the next one is asked for.
 */
export function* predictions(executor: Executor, ids: readonly number[]): Generator<Float32Array> {
  const progress = new Progress("perplexity");
  const { contextLength, maxLogitRows } = executor;
  const sequence = executor.createSequence();
  try {
    for (let start = 0; start < ids.length - 1; start += contextLength - 1) {
      sequence.truncate(0);
      // The last token of a window is predicted and not read: the next window begins with it.
      const end = Math.min(start + contextLength, ids.length) - 1;
      for (let at = start; at < end; at += maxLogitRows) {
        const tokens = ids.slice(at, Math.min(at + maxLogitRows, end));
        yield* executor.forward([{ sequence, tokens, logits: "all" }]);
        progress.update(at, ids.length);
      }
    }
  } finally {
    progress.end();
    sequence.dispose();
  }
}
