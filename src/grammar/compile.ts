/**
 * Compiles the sources of grammars that requests may contain.
 * @module
 */
import { eitherGrammar } from "./either.ts";
import { choice, type Expression, type Grammar, literal, NEVER, oneOf, plain, repeat, rule, sequence } from "./expression.ts"; // biome-ignore format: one line
import { parseGbnf, type Vocabulary } from "./gbnf.ts";
import { checkLimit, grammarError, MAX_ALTERNATIVES, MAX_SOURCE, startWork } from "./limits.ts";
import { compileNetwork } from "./network/compile-network.ts";
import type { CompiledGrammar } from "./network/compiled-grammar.ts";
import { parsePattern } from "./regular/pattern.ts";
import { patternDfa } from "./regular/pattern-dfa.ts";
import { objectGrammar, schemaGrammar } from "./schema/compiler.ts";

export type GrammarSource =
  /** A JSON text that satisfies a JSON Schema. `{ type: "object" }` is what `json_object` means. */
  | { readonly kind: "schema"; readonly schema: unknown }
  /** A grammar in llama.cpp's notation. */
  | { readonly kind: "gbnf"; readonly source: string }
  /** A regular expression that matches the whole text. */
  | { readonly kind: "regex"; readonly pattern: string }
  /** One of these texts. */
  | { readonly kind: "choice"; readonly texts: readonly string[] }
  /** A text that one of these allows. */
  | { readonly kind: "either"; readonly sources: readonly GrammarSource[] }
  | CallSource;

/** Calls of functions: `open {"name": "...", key: {...}} close`, either one or several with a separator between them. */
export interface CallSource {
  readonly kind: "calls";
  readonly functions: readonly { readonly name: string; readonly parameters: unknown }[];
  readonly open: string;
  readonly key: string;
  readonly close: string;
  /** The text between two calls. If it is empty, there is just one call. */
  readonly separator: string;
}

/**
 * Compiles a grammar. A GBNF grammar that names tokens needs the vocabulary.
 *
 * Takes at most some 100 ms and 16 MB, whatever the source is: its steps are counted.
 * @throws NibbleError `invalid_argument` for what cannot be read, is not supported, is too large, or matches no text
 */
export function compileGrammar(source: GrammarSource, vocabulary?: Vocabulary): CompiledGrammar {
  startWork();
  return compileNetwork(readGrammar(source, vocabulary));
}

function readGrammar(source: GrammarSource, vocabulary: Vocabulary | undefined): Grammar {
  switch (source.kind) {
    case "schema":
      return schemaGrammar(source.schema);
    case "gbnf":
      return parseGbnf(source.source, vocabulary);
    case "regex":
      return { rules: [plain(patternDfa(parsePattern(source.pattern)))], names: ["root"] };
    case "either":
      return eitherGrammar(source.sources.map((one) => readGrammar(one, vocabulary)));
    case "calls":
      return callGrammar(source);
    case "choice":
      return choiceGrammar(source.texts);
  }
}

function choiceGrammar(texts: readonly string[]): Grammar {
  checkLimit("choice: texts", texts.length, MAX_ALTERNATIVES);
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  checkLimit("choice: characters", length, MAX_SOURCE);
  if (length === 0) throw grammarError("choice: expected at least one text that is not empty");
  return { rules: [oneOf(texts)], names: ["root"] };
}

/** Rule 0 is the whole text, rule 1 a call. The rules of each function's schema follow. */
function callGrammar({ functions, open, key, close, separator }: CallSource): Grammar {
  const rules: Expression[] = [NEVER, NEVER];
  const names = ["calls", "call"];
  const unique = { lists: new Set<number>(), items: new Set<number>() };
  const calls = functions.map(({ name, parameters }) => {
    const first = rules.length;
    const grammar = objectGrammar(parameters, first);
    rules.push(...grammar.rules);
    names.push(...grammar.names);
    for (const list of grammar.unique?.lists ?? []) unique.lists.add(list);
    for (const item of grammar.unique?.items ?? []) unique.items.add(item);
    const head = literal(`${open}{"name": ${JSON.stringify(name)}, ${JSON.stringify(key)}: `);
    return sequence(head, rule(first), literal(`}${close}`));
  });
  rules[1] = choice(...calls);
  const more = repeat(sequence(literal(separator), rule(1)), 0, Number.POSITIVE_INFINITY);
  rules[0] = separator === "" ? rule(1) : sequence(rule(1), more);
  return { rules, names, unique };
}
