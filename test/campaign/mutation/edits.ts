/** Edits of bytes: the steps of mutated files. */
import type { Step } from "../target.ts";

/** At a byte, so many bytes are removed and others (base64) put in. Edits apply one after the other. */
export type Edit = readonly [at: number, removed: number, inserted: string];

export function edit(at: number, removed: number, inserted: Uint8Array | string = ""): Edit {
  return [at, removed, Buffer.from(inserted).toString("base64")];
}

/** A list of edits, each of which may reach beyond the end. */
export function apply(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array<ArrayBuffer> {
  let result = Buffer.from(bytes);
  for (const [at, removed, inserted] of edits)
    result = Buffer.concat([result.subarray(0, at), Buffer.from(inserted, "base64"), result.subarray(at + removed)]);
  return Uint8Array.from(result);
}

/** The one edit between two byte strings, from the first byte that differs to the last. */
export function difference(before: Uint8Array, after: Uint8Array): Edit {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  let tail = 0;
  while (tail < most - start && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return edit(start, before.length - start - tail, after.subarray(start, after.length - tail));
}

/** Smaller forms of an edit: less put in, less removed. */
export function smallerEdits(step: Step): Edit[] {
  const [at, removed, text] = step as Edit;
  const inserted = Buffer.from(text, "base64");
  const half = inserted.length >> 1;
  const forms: Edit[] = [];
  if (inserted.length > 0) forms.push(edit(at, removed));
  if (half > 0) {
    const rest = Math.max(0, removed - half);
    forms.push(edit(at, Math.min(removed, half), inserted.subarray(0, half)));
    forms.push(edit(at + Math.min(removed, half), rest, inserted.subarray(half)));
  }
  if (removed > 1) forms.push(edit(at, removed >> 1, inserted));
  return forms;
}
