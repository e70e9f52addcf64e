/**
 * llama.cpp's step "infill", which its plugins for editors ask for: the answer ends as soon as the model is unsure, since a
 * short completion that is right helps more than a long one.
 * @module
 */
import type { Tokenizer } from "../../tokenizer/types.ts";
import { type Candidates, largest } from "./candidates.ts";

/** Tokens that are compared, each with each other one. Less likely ones are dropped. */
const MOST = 256;
/** The probability that a text must have to come at all. */
const LEAST = 0.2;

export interface InfillFacts {
  readonly tokenizer: Pick<Tokenizer, "isSpecial" | "tokenBytes">;
  readonly endIds: ReadonlySet<number>;
  /** The end token where the answer ends though none is a candidate; undefined: it must not end. */
  readonly end: number | undefined;
}

/**
 * Keeps the end tokens alone where they are likely. Else a token that begins another one counts for it too, and those of
 * at least a fifth, and of at least an equal share of what then remains, are kept beside the end tokens. If none is left,
 * the answer ends.
 */
export function infill(candidates: Candidates, { tokenizer, endIds, end }: InfillFacts): void {
  const { logits, ids } = candidates;
  const size = Math.min(candidates.size, MOST);
  if (candidates.sorted) candidates.size = size;
  else candidates.keep(largest(logits, candidates.size, size), true);
  const total = candidates.weigh();
  const tokens = Array.from({ length: size }, (_, i): Token => {
    const id = ids[i]!;
    const bytes = tokenizer.isSpecial(id) ? new Uint8Array() : tokenizer.tokenBytes(id);
    return { place: i, p: candidates.weights[i]! / total, isEnd: endIds.has(id), bytes, joined: false };
  });
  const kept = keptOf(tokens);
  const none = kept.length === 0;
  candidates.keep(none ? Uint32Array.of(0) : Uint32Array.from(kept, ({ place }) => place), true);
  if (none && end !== undefined) ids[0] = end;
}

/** None of the tokens where the answer ends and none of them is an end token. */
function keptOf(tokens: readonly Token[]): readonly Token[] {
  const ends = tokens.filter(({ isEnd }) => isEnd);
  const goesOn = sum(tokens.filter(({ isEnd }) => !isEnd));
  if (3 * sum(ends) * tokens.length > goesOn) return ends;
  joinPrefixes(tokens);
  const likely = tokens.filter(({ p, isEnd }) => isEnd || p >= LEAST);
  const texts = likely.length - ends.length;
  if (texts === 0) return ends.slice(0, 1);
  const least = sum(likely) / (texts + 1);
  return likely.filter(({ p, isEnd }) => isEnd || p >= least);
}

interface Token {
  readonly place: number;
  p: number;
  readonly isEnd: boolean;
  readonly bytes: Uint8Array;
  /** Whether another token counts for it. */
  joined: boolean;
}

function sum(tokens: readonly Token[]): number {
  return tokens.reduce((all, { p }) => all + p, 0);
}

/** Of two tokens of which one begins with the other's text, the likelier one gets the probability of both. */
function joinPrefixes(tokens: readonly Token[]): void {
  for (const first of tokens)
    for (const second of tokens) {
      if (first.joined) break;
      if (first === second || second.joined || !begins(second.bytes, first.bytes)) continue;
      const [into, from] = second.p > first.p ? [second, first] : [first, second];
      into.p += from.p;
      from.p = 0;
      from.joined = true;
    }
}

function begins(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.length > 0 && start.length <= bytes.length && start.every((byte, i) => bytes[i] === byte);
}
