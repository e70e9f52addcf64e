/**
 * Gives a job the rows behind its last token and its drafts, as long as they follow the tokens that it chooses.
 * @module
 */
import type { Planned } from "./batch-plan.ts";

/**
 * Wrong drafts leave the cache, also where the job leaves the scheduler meanwhile: `entry.right` is how many tokens of its
 * sequence are its own.
 * @param rows the logits behind the last token that is no draft, and behind each draft
 * @returns true if the job has ended
 */
export function checkDrafts({ entry, tokens, drafts }: Planned, rows: readonly Float32Array[]): boolean {
  const { job } = entry;
  const draft = tokens.slice(tokens.length - drafts);
  const first = entry.sequence!.length - drafts;
  let right = 0;
  for (;;) {
    entry.right = first + right;
    const ended = job.accept(rows[right]!, first - 1 + right);
    if (!entry.sequence) return false; // The job has left, and may have come back with other tokens.
    // An answer may grow by several tokens, and drafts may be the first of them.
    const chosen = job.tokens.length - first;
    while (right < Math.min(chosen, drafts) && job.tokens[first + right] === draft[right]) right++;
    entry.right = first + right;
    if (ended) return true;
    if (right < chosen) break;
  }
  entry.sequence.truncate(entry.right);
  entry.right = Infinity;
  return false;
}
