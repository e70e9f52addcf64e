/**
 * One answer on the page. Text is written once per frame, however fast tokens come.
 * @module
 */
import type { Piece } from "./answer.ts";
import { button, make } from "./dom.ts";
import { TextView } from "./text-view.ts";
import { TokenView } from "./token-view.ts";

/** Characters of reasoning that are shown beside its title; more than fit into a line. */
const LAST = 160;

export class AnswerView {
  readonly element: HTMLElement = make("article", "answer");
  readonly #content = new TextView();
  readonly #under = make("div", "under");
  readonly #grown: () => void;
  readonly #start = performance.now();
  #reasoning: ReasoningView | undefined;
  /** The answer's tokens, if they come with it. They are then shown in place of the text. */
  #tokens: TokenView | undefined;
  #pending = "";
  #frame = 0;

  /** @param grown is called after each change of size */
  constructor(grown: () => void) {
    this.#grown = grown;
    this.element.append(this.#content.element, this.#under);
    // Screen readers read the answer when it is complete.
    this.element.setAttribute("aria-busy", "true");
  }

  get text(): string {
    return this.#content.text + this.#pending;
  }

  push({ content = "", reasoning = "", tokens = [] }: Partial<Piece>): void {
    if (reasoning !== "") {
      if (!this.#reasoning) this.element.prepend((this.#reasoning = new ReasoningView()).element);
      this.#reasoning.push(reasoning);
    }
    if (content !== "") this.#reasoning?.end(performance.now() - this.#start);
    if (tokens.length > 0) {
      if (!this.#tokens) this.#under.before((this.#tokens = new TokenView()).element);
      this.#tokens.push(tokens);
      this.element.classList.add("as-tokens");
    }
    this.#pending += content;
    this.#frame ||= requestAnimationFrame(() => this.#write());
  }

  /** @param note the speed of the answer, and the reason if it was cut off */
  end(note: string): void {
    cancelAnimationFrame(this.#frame);
    this.#write(false);
    this.#reasoning?.end(performance.now() - this.#start);
    this.element.removeAttribute("aria-busy");
    if (this.text === "") this.#content.element.remove();
    else this.#under.append(copyButton(this.text));
    if (this.#tokens) this.#under.append(tokensButton(this.element));
    this.#under.append(make("span", "note", note));
    this.#grown();
  }

  #write(more = true): void {
    this.#frame = 0;
    this.#content.push(this.#pending, more);
    this.#pending = "";
    this.#reasoning?.write();
    this.#grown();
  }
}

/** Reasoning, folded into one line: it shows the newest words while the model thinks, and afterwards how long it took. */
class ReasoningView {
  readonly element: HTMLDetailsElement = make("details", "reasoning");
  readonly #title = make("span", "", "Thinking");
  readonly #last = make("span");
  readonly #text = new Text();
  #pending = "";
  #ended = false;

  constructor() {
    const last = make("span", "last", this.#last);
    last.setAttribute("aria-hidden", "true");
    this.element.append(make("summary", "", this.#title, last), make("div", "thoughts", this.#text));
  }

  push(text: string): void {
    this.#pending += text;
  }

  end(milliseconds: number): void {
    if (this.#ended) return;
    this.#ended = true;
    const time = milliseconds < 1000 ? `${Math.ceil(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
    this.#title.textContent = `Thought for ${time}`;
  }

  write(): void {
    this.#text.appendData(this.#pending);
    this.#pending = "";
    this.#last.textContent = this.#ended ? "" : this.#text.data.slice(-LAST).replace(/\s+/g, " ");
  }
}

/** Shows an answer's tokens or its text. */
function tokensButton(answer: HTMLElement): HTMLButtonElement {
  const element = button(
    "Tokens",
    () => element.setAttribute("aria-pressed", String(answer.classList.toggle("as-tokens"))),
    "plain",
  );
  element.setAttribute("aria-pressed", "true");
  return element;
}

function copyButton(text: string): HTMLButtonElement {
  const element = button(
    "Copy",
    () => {
      // A page that is not in a secure context has no clipboard.
      const written = navigator.clipboard?.writeText(text) ?? Promise.reject();
      written.then(
        () => say("Copied"),
        () => say("Not allowed"),
      );
    },
    "plain",
  );
  const say = (label: string): void => {
    element.textContent = label;
    setTimeout(() => {
      element.textContent = "Copy";
    }, 1500);
  };
  return element;
}
