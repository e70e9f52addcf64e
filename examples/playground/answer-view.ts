/**
 * One answer on the page. What comes between two frames is written at once, however fast tokens come, and the place that
 * follows its growth is told in the same frame.
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
  /** What has come since the last frame. */
  #pending = nothing();
  #frame = 0;
  /** Milliseconds until the reasoning had ended. */
  #thought: number | undefined;

  /** @param grown is called after each change of size */
  constructor(grown: () => void) {
    this.#grown = grown;
    this.element.append(this.#content.element, this.#under);
    // Screen readers read the answer when it is complete.
    this.element.setAttribute("aria-busy", "true");
  }

  get text(): string {
    return this.#content.text + this.#pending.content;
  }

  push({ content = "", reasoning = "", tokens = [] }: Partial<Piece>): void {
    const pending = this.#pending;
    pending.content += content;
    pending.reasoning += reasoning;
    pending.tokens.push(...tokens);
    if (content !== "" && (this.#reasoning || pending.reasoning !== "")) this.#endReasoning();
    this.#frame ||= requestAnimationFrame(() => this.#write());
  }

  /** @param note the speed of the answer, and the reason if it was cut off */
  end(note: string): void {
    cancelAnimationFrame(this.#frame);
    this.#endReasoning();
    this.#write(false);
    this.element.removeAttribute("aria-busy");
    if (this.text === "") this.#content.element.remove();
    else this.#under.append(copyButton(this.text));
    if (this.#tokens) this.#under.append(tokensButton(this.element));
    this.#under.append(make("span", "note", note));
    this.#grown();
  }

  #endReasoning(): void {
    this.#thought ??= performance.now() - this.#start;
  }

  #write(more = true): void {
    this.#frame = 0;
    const { content, reasoning, tokens } = this.#pending;
    this.#pending = nothing();
    if (reasoning !== "" && !this.#reasoning) this.element.prepend((this.#reasoning = new ReasoningView()).element);
    this.#reasoning?.write(reasoning, this.#thought);
    if (tokens.length > 0) {
      if (!this.#tokens) this.#under.before((this.#tokens = new TokenView()).element);
      this.#tokens.push(tokens);
      this.element.classList.add("as-tokens");
    }
    this.#content.push(content, more);
    this.#grown();
  }
}

const nothing = (): { content: string; reasoning: string; tokens: Piece["tokens"][number][] } => ({
  content: "",
  reasoning: "",
  tokens: [],
});

/** Reasoning, folded into one line: it shows the newest words while the model thinks, and afterwards how long it took. */
class ReasoningView {
  readonly element: HTMLDetailsElement = make("details", "reasoning");
  readonly #title = make("span", "", "Thinking");
  readonly #words = make("span");
  readonly #last = make("span", "last", this.#words);
  readonly #text = new Text();

  constructor() {
    this.#last.setAttribute("aria-hidden", "true");
    this.element.append(make("summary", "", this.#title, this.#last), make("div", "thoughts", this.#text));
  }

  /** @param milliseconds how long it took; undefined while it goes on */
  write(text: string, milliseconds: number | undefined): void {
    this.#text.appendData(text);
    this.#words.textContent = this.#text.data.slice(-LAST).replace(/\s+/g, " ");
    if (milliseconds === undefined || this.#last.hidden) return;
    const time = milliseconds < 1000 ? `${Math.ceil(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
    this.#title.textContent = `Thought for ${time}`;
    this.#last.hidden = true; // It would move, because the title is longer now.
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
