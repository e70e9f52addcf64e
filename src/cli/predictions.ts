/**
 * A text read by a model, window by window.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Executor } from "../runtime/types.ts";
import type { Flag } from "./flags.ts";
import { text, UsageError } from "./flags.ts";
import { readText } from "./input.ts";
import { Progress } from "./progress.ts";

export interface TextFlags {
  readonly [name: string]: Flag<unknown>;
  readonly file: Flag<string>;
  readonly ids: Flag<string>;
}
export const textFlags: TextFlags = {
  file: text("-f, --file", "FILE", "the text; - is stdin"),
  ids: text("--ids", "FILE", "instead of text: a JSON array of token ids"),
};

/**
 * The token ids of what the flags name.
 * @param encode of the model
 * @throws UsageError without one of both; NibbleError `missing_file`, `bad_json`, `invalid_argument` for fewer than 2
 */
export async function readIds(
  { file, ids }: { readonly file: string | undefined; readonly ids: string | undefined },
  encode: (text: string) => ArrayLike<number>,
): Promise<readonly number[]> {
  if ((file === undefined) === (ids === undefined))
    throw new UsageError(`expected either -f or --ids, got ${file === undefined ? "neither" : "both"}`);
  const input = await readText((file ?? ids)!);
  const tokens = ids === undefined ? Array.from(encode(input)) : parseIds(input, ids);
  if (tokens.length < 2) throw new NibbleError("invalid_argument", `expected at least 2 tokens, got ${tokens.length}`);
  return tokens;
}

function parseIds(json: string, path: string): number[] {
  let ids: unknown;
  try {
    ids = JSON.parse(json);
  } catch (cause) {
    throw new NibbleError("bad_json", `${path}: expected a JSON array of token ids: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (Array.isArray(ids) && ids.every((id) => Number.isInteger(id))) return ids;
  throw new NibbleError("bad_json", `${path}: expected a JSON array of whole numbers`);
}

/**
 * The logits that predict each token but the first, in order. Windows of the context's length share one token, so that
 * each token but the first is predicted once. A view is valid until the next one.
 */
export function* predictions(executor: Executor, ids: readonly number[]): Generator<Float32Array> {
  const progress = new Progress("perplexity");
  const { contextLength, maxLogitRows } = executor;
  const sequence = executor.createSequence();
  try {
    for (let start = 0; start < ids.length - 1; start += contextLength - 1) {
      sequence.truncate(0);
      // The last token of a window is only predicted: it is the first that the next window reads.
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
