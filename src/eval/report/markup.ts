/**
 * HTML from templates, in which every value is escaped unless it is markup itself.
 * @module
 */

/** HTML that was made by `html`. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Piece = string | number | Markup | readonly Markup[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Makes markup. Values may stand in texts and in quoted attributes. */
export function html(texts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(texts.map((text, i) => text + (i < pieces.length ? asHtml(pieces[i]!) : "")).join(""));
}

export const NOTHING: Markup = new Markup("");

function asHtml(piece: Piece): string {
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === "object") return piece.map(({ text }) => text).join("");
  return String(piece).replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}
