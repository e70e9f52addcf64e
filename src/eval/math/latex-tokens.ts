/**
 * LaTeX to tokens, as sympy's `parse_latex` reads it (sympy 1.14, sympy/parsing/latex/LaTeX.g4).
 * @module
 */

/**
 * `type` is the text itself for signs and for commands with a meaning (`(`, `\frac`), or `letter`, `digit`, `symbol` (any
 * other command), `differential` (a `d` before a letter), `primes`, `end`, and `unreadable` for what the grammar does not know.
 */
export interface Token {
  readonly type: string;
  readonly text: string;
}

const SKIPPED = new Set(
  [
    ...["thinspace", "medspace", "thickspace", "quad", "qquad", "negthinspace", "negmedspace", "negthickspace"],
    ...["left", "right", "vrule", "vcenter", "vbox", "vskip", "vspace", "hfil"],
  ].map((name) => `\\${name}`),
);

export const FUNCTIONS: ReadonlySet<string> = new Set(
  [
    ...["exp", "log", "lg", "ln", "sin", "cos", "tan", "csc", "sec", "cot", "sinh", "cosh", "tanh"],
    ...["arcsin", "arccos", "arctan", "arccsc", "arcsec", "arccot", "arsinh", "arcosh", "artanh"],
  ].map((name) => `\\${name}`),
);

/** Commands that are the same to the grammar. */
const SAME: Readonly<Record<string, string>> = {
  "\\dfrac": "\\frac",
  "\\tfrac": "\\frac",
  "\\dbinom": "\\binom",
  "\\tbinom": "\\binom",
  "\\times": "*",
  "\\cdot": "*",
  "\\div": "/",
  "\\leq": "<=",
  "\\le": "<=",
  "\\leqq": "<=",
  "\\leqslant": "<=",
  "\\geq": ">=",
  "\\ge": ">=",
  "\\geqq": ">=",
  "\\geqslant": ">=",
  "\\neq": "!=",
  "\\rightarrow": "\\to",
  "\\Rightarrow": "\\to",
  "\\longrightarrow": "\\to",
  "\\Longrightarrow": "\\to",
};

const COMMANDS = new Set([
  ...FUNCTIONS,
  ...[
    "\\langle",
    "\\rangle",
    "\\lim",
    "\\to",
    "\\int",
    "\\sum",
    "\\prod",
    "\\lfloor",
    "\\rfloor",
    "\\lceil",
    "\\rceil",
  ],
  ...["\\sqrt", "\\overline", "\\frac", "\\binom", "\\mathit"],
]);

/** In the order in which they are tried; the first that fits counts. */
const PATTERNS: readonly (readonly [type: string, pattern: RegExp])[] = [
  ["skipped", /\\[,:;!*\-./"(=]|[ \t\r\n]+/y],
  ["command", /\\(?:left\||right\||int\\limits(?![a-zA-Z])|[a-zA-Z]+|[{}])/y],
  ["differential", /d[ \t\r\n]*(?:[a-zA-Z]|\\[a-zA-Z]+)/y],
  ["letter", /[a-zA-Z]/y],
  ["digit", /[0-9]/y],
  ["=", /&[ \t\r\n]*=|=(?:[ \t\r\n]*&)?/y],
  ["primes", /'+/y],
  ["sign", /[+\-*/(){}[\]|_^:<>!,.]/y],
];

/** The tokens of a text, of which the last is `end`. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at);
    if (token.type !== "skipped") tokens.push(token);
    if (token.type === "unreadable") break;
    at += token.text.length;
  }
  tokens.push({ type: "end", text: "" });
  return tokens;
}

function tokenAt(text: string, at: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) continue;
    if (kind === "command") return { type: commandType(found), text: found };
    if (kind === "sign") return { type: found === ":" ? "/" : found, text: found };
    return { type: kind, text: found };
  }
  return { type: "unreadable", text: text.slice(at) };
}

function commandType(command: string): string {
  if (SKIPPED.has(command)) return "skipped";
  if (command === "\\int\\limits") return "\\int";
  const type = SAME[command] ?? command;
  return /^\\[a-zA-Z]+$/.test(type) && !COMMANDS.has(type) ? "symbol" : type;
}
