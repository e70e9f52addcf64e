/**
 * SentencePiece scores for a list of merges. Hugging Face made those merges from scores (`tokenizers` converts a
 * vocabulary by trying every split of every token), so scores can say the same, as far as nobody changed the list.
 * @module
 */

/** llama.cpp's token types (llama.h, LLAMA_TOKEN_TYPE_*). */
export const tokenType = { normal: 1, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** llama.cpp's converter gives this score to added tokens; a reader does not go by it. */
const addedScore = -1000;

/**
 * One score for each token: the token of the first merge gets 0, each further one 1 less, what no merge gives comes last.
 * @param merges in order of rank
 * @returns the scores, and a note where merging by them differs from merging by the list
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

/** In how many ways a token is two tokens that can merge. */
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
