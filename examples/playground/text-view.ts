/**
 * Shows growing text as blocks, of which only the last one is made anew.
 * @module
 */
import { make } from "./dom.ts";
import { type Block, blocksOf, type Inline, inlinesOf } from "./rich-text.ts";

export class TextView {
  readonly element: HTMLElement = make("div", "content");
  #text = "";
  /** Where the last block begins. */
  #start = 0;
  #last: HTMLElement | undefined;

  get text(): string {
    return this.#text;
  }

  /** @param more whether text may follow */
  push(text: string, more: boolean): void {
    this.#text += text;
    const blocks = blocksOf(this.#text, this.#start);
    this.#last?.remove();
    for (const block of blocks) {
      this.#last = blockElement(block, more && block === blocks.at(-1));
      this.element.append(this.#last);
      this.#start = block.start;
    }
  }
}

function blockElement({ kind, text }: Block, more: boolean): HTMLElement {
  if (kind === "code") return make("pre", "", make("code", "", text));
  return make("p", "", ...inlinesOf(text, more).map(inlineNode));
}

function inlineNode({ kind, text }: Inline): Node {
  if (kind === "text") return new Text(text);
  if (kind === "code") return make("code", "", text);
  return make("strong", kind === "boxed" ? "boxed" : "", text);
}
