/**
 * What a draft model and its model must have in common, and what is told about it.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { MemoryPlan } from "../runtime/memory-plan.ts";
import type { Tokenizer } from "../tokenizer/types.ts";

/** How many tokens more or fewer a draft model may have, as in llama.cpp: files pad the vocabulary. */
const MAX_PADDING = 128;

/** @throws NibbleError `invalid_argument` where the vocabularies' sizes are too far apart */
export function checkVocabularySizes(size: number, draftSize: number): void {
  if (Math.abs(size - draftSize) <= MAX_PADDING) return;
  const expected = `a vocabulary of ${size} tokens, with up to ${MAX_PADDING} unused ones more or less`;
  throw mismatch(`expected ${expected}, got ${draftSize}`);
}

/** @throws NibbleError `invalid_argument` that names the first token that differs */
export function checkVocabulary(tokenizer: Tokenizer, draft: Tokenizer): void {
  const size = Math.min(tokenizer.vocabSize, draft.vocabSize);
  for (let id = 0; id < size; id++) {
    const [own, other] = [tokenizer.tokenBytes(id), draft.tokenBytes(id)];
    const same = own.length === other.length && own.every((byte, i) => byte === other[i]);
    if (same && tokenizer.isSpecial(id) === draft.isSpecial(id)) continue;
    const [wanted, got] = [describe(tokenizer, id), describe(draft, id)];
    throw mismatch(`token ${id} is ${wanted} in the model, and ${got} in the draft model`);
  }
}

function describe(tokenizer: Tokenizer, id: number): string {
  const text = JSON.stringify(tokenizer.token(id));
  return tokenizer.isSpecial(id) ? `the special token ${text}` : text;
}

/** @throws NibbleError `out_of_memory` where a model and its draft model together exceed the limit */
export function checkMemoryOfBoth(model: MemoryPlan, draft: MemoryPlan, limit: number | undefined): void {
  if (limit === undefined || model.total + draft.total <= limit) return;
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  throw new NibbleError(
    "out_of_memory",
    `expected at most ${mib(limit)}, the model takes ${mib(model.total)} and its draft model ${mib(draft.total)}`,
    { param: "draft" },
  );
}

function mismatch(what: string): NibbleError {
  return new NibbleError("invalid_argument", `draft: the two models need the same vocabulary: ${what}`, {
    param: "draft",
  });
}
