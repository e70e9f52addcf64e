/**
 * SentencePiece scores for a list of merges. Hugging Face's `tokenizers` made those merges from scores, by trying every
 * split of every token. So scores can express them again, unless the list was changed afterwards.
 * @module
 */

/** llama.cpp's token types (llama.h, LLAMA_TOKEN_TYPE_*). */
export const tokenType = { normal: 1, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** The score that llama.cpp's converter gives to added tokens. Readers do not use it. */
const addedScore = -1000;

/**
 * One score per token: the token of the first merge gets 0, that of each further merge 1 less, and the tokens that no merge
 * makes come last.
 * @param merges in order of rank
 * @returns the scores, and a note if merging by scores differs from merging by the list
 */
export function scoresOfMerges(
  tokens: readonly string[],
  types: ArrayLike<number>,
  merges: readonly (readonly [string, string])[],
): { scores: Float32Array; notes: string[] } {
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const scores = new Float32Array(tokens.length).fill(Number.NaN);
  const listed = new Int32Array(tokens.length);
  let place = 0;
  let previous = -1;
  let misplaced = 0;
  for (const [left, right] of merges) {
    const id = idOf.get(left + right) ?? -1;
    if (id < 0) continue; // the reader of tokenizer.json refuses such a list
    listed[id]!++;
    if (types[id] !== tokenType.normal) continue; // a reader merges user-defined tokens before all others
    if (Number.isNaN(scores[id])) scores[id] = -place++;
    else if (id !== previous) misplaced++;
    previous = id;
  }
  let missing = 0;
  for (const [id, token] of tokens.entries()) {
    if (types[id] === tokenType.normal) {
      missing += splits(token, idOf, types) - listed[id]!;
      if (Number.isNaN(scores[id])) scores[id] = -place++;
    } else scores[id] = types[id] === tokenType.byte ? 0 : addedScore;
  }
  const notes: string[] = [];
  if (misplaced + missing > 0) {
    notes.push(
      `GGUF keeps scores instead of merges: ${missing} pairs merge that the tokenizer does not merge, ` +
        `${misplaced} come in another order`,
    );
  }
  return { scores, notes };
}

/** The number of ways in which a token can be split into two tokens that can merge. */
function splits(token: string, idOf: ReadonlyMap<string, number>, types: ArrayLike<number>): number {
  const mergeable = (text: string): boolean => {
    const type = types[idOf.get(text) ?? -1];
    return type === tokenType.normal || type === tokenType.userDefined;
  };
  let count = 0;
  for (let at = 1; at < token.length; at++) {
    if (mergeable(token.slice(0, at)) && mergeable(token.slice(at))) count++;
  }
  return count;
}
