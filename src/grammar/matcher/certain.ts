/**
 * Finds the text that must come next: XGrammar and SGLang call it a jump forward (Dong et al. 2024; Zheng et al. 2024).
 * @module
 */
import type { Matcher } from "./matcher.ts";
import type { State } from "./state.ts";

/** The bytes with which every text goes on from a state, at most `most`. */
export function certainBytes(matcher: Matcher, from: State, most: number): Uint8Array {
  const bytes: number[] = [];
  let state = matcher.refresh(from);
  while (bytes.length < most) {
    const byte = onlyByte(matcher, state);
    if (byte === undefined) break;
    bytes.push(byte);
    state = matcher.readOn(state, Uint8Array.of(byte));
  }
  return Uint8Array.from(bytes);
}

/** The one byte that may come in a state; undefined if there are several, if a token may come, or the end. */
function onlyByte({ grammar }: Matcher, { nodes, mayEnd }: State): number | undefined {
  if (mayEnd) return undefined;
  let only: number | undefined;
  for (const node of nodes) {
    const { bytes, tokens } = grammar.nodes[node]!;
    if (tokens.length > 0) return undefined;
    for (const { from, to } of bytes) {
      if (from !== to || (only !== undefined && only !== from)) return undefined;
      only = from;
    }
  }
  return only;
}
