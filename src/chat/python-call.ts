/**
 * Calls that Llama 3 writes in the syntax of Python: `name.call(key="text", other=5)`, after `<|python_tag|>`.
 * @module
 */

export interface PythonCall {
  readonly name: string;
  /** The arguments as JSON text. */
  readonly arguments: string;
}

const HEAD = /^\s*(?:<\|python_tag\|>\s*)?([A-Za-z_][A-Za-z0-9_-]*)\.call\(/;
/**
 * A key, then a string in quotes of either kind, a number, or a word. The alternatives begin with different characters, so
 * that matching takes linear time.
 */
const ARGUMENT =
  /\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|True|False|None)\s*/y;
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ["True", true],
  ["False", false],
  ["None", null],
]);
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
]);

/** Reads a whole call; undefined if the text is something else. */
export function parsePythonCall(text: string): PythonCall | undefined {
  const head = HEAD.exec(text);
  if (!head) return undefined;
  const found = new Map<string, unknown>();
  let at = head[0].length;
  for (;;) {
    ARGUMENT.lastIndex = at;
    const argument = ARGUMENT.exec(text);
    if (!argument) break;
    at = ARGUMENT.lastIndex;
    found.set(argument[1]!, literal(argument[2]!));
    if (text[at] !== ",") break;
    at++;
  }
  if (!/^\s*\)\s*$/.test(text.slice(at))) return undefined;
  return { name: head[1]!, arguments: JSON.stringify(Object.fromEntries(found)) };
}

function literal(text: string): unknown {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (text[0] !== '"' && text[0] !== "'") return Number(text);
  return text.slice(1, -1).replace(/\\(.)/gs, (_, char: string) => ESCAPES.get(char) ?? char);
}
