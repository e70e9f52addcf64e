/**
 * An answer as its tokens. The one under the pointer, or that the arrow keys have reached, shows the likeliest tokens in its
 * place with their shares. These are the model's own, before temperature and other steps of sampling.
 * @module
 */
import type { ChatLogprob, ChatTokenLogprob } from "../../src/engine/openai/chat-types.ts";
import { make } from "./dom.ts";

/** Steps of the arrow keys through the tokens. */
const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };
/** Pixels between a token and its alternatives. */
const GAP = 4;

let lists = 0;

export class TokenView {
  readonly element: HTMLElement = make("div", "tokens");
  readonly #list = make("div");
  readonly #choices = make("ol", "choices");
  readonly #tokens: ChatTokenLogprob[] = [];
  readonly #id = `tokens-${++lists}`;
  #active: HTMLElement | undefined;

  constructor() {
    const list = this.#list;
    list.role = "listbox";
    list.ariaLabel = "Tokens of the answer";
    list.setAttribute("aria-live", "off"); // the log around it would read every token
    list.tabIndex = 0;
    this.#choices.setAttribute("aria-hidden", "true"); // the label of a token says the same
    this.#choices.hidden = true;
    this.element.append(list, this.#choices);
    list.addEventListener("pointerover", ({ target }) => this.#show(target));
    list.addEventListener("click", ({ target }) => this.#show(target));
    list.addEventListener("focus", () => this.#show(this.#active ?? list.firstElementChild));
    list.addEventListener("blur", () => this.#hide());
    list.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("pointerleave", () => document.activeElement !== list && this.#hide());
  }

  push(tokens: readonly ChatTokenLogprob[]): void {
    const elements = tokens.map((token) => {
      const { length } = this.#tokens;
      this.#tokens.push(token);
      const element = make("span", "", shownInText(token));
      element.role = "option";
      element.id = `${this.#id}-${length}`;
      element.ariaLabel = labelOf(token);
      element.style.setProperty("--doubt", `${Math.round(100 * (1 - shareOf(token)))}%`);
      return element;
    });
    this.#list.append(...elements);
  }

  #onKey(event: KeyboardEvent): void {
    const { children } = this.#list;
    const last = children.length - 1;
    const { key } = event;
    if (key === "Escape" && !this.#choices.hidden) {
      event.stopPropagation(); // the page would stop an answer
      this.#hide();
      return;
    }
    const at = this.#active ? [...children].indexOf(this.#active) : -1;
    const to = key === "Home" ? 0 : key === "End" ? last : key in STEPS ? at + STEPS[key]! : undefined;
    if (to === undefined) return;
    event.preventDefault();
    this.#show(children[Math.max(0, Math.min(last, to))]);
    this.#active?.scrollIntoView({ block: "nearest" });
  }

  #show(target: EventTarget | null | undefined): void {
    if (!(target instanceof HTMLElement) || target.role !== "option") return;
    this.#active?.removeAttribute("aria-selected");
    this.#active = target;
    target.ariaSelected = "true";
    this.#list.setAttribute("aria-activedescendant", target.id);
    const token = this.#tokens[Number(target.id.slice(this.#id.length + 1))]!;
    this.#choices.replaceChildren(...token.top_logprobs.map((one) => choiceRow(one, one.id === token.id)));
    this.#choices.hidden = false;
    this.#place(target);
  }

  #hide(): void {
    this.#active?.removeAttribute("aria-selected");
    this.#choices.hidden = true;
  }

  /** Puts the alternatives below the token, or above it where the visible part of the conversation ends. */
  #place(token: HTMLElement): void {
    const { style, offsetWidth, offsetHeight } = this.#choices;
    const [box, around] = [token.getClientRects()[0]!, this.element.getBoundingClientRect()];
    const end = this.element.closest("#log")!.getBoundingClientRect().bottom;
    const below = box.bottom + GAP + offsetHeight <= end;
    style.left = `${Math.max(0, Math.min(box.left - around.left, around.width - offsetWidth))}px`;
    style.top = `${(below ? box.bottom + GAP : box.top - GAP - offsetHeight) - around.top}px`;
  }
}

const shareOf = ({ logprob }: ChatLogprob): number => Math.exp(logprob);

function percent(one: ChatLogprob): string {
  const share = 100 * shareOf(one);
  if (share < 0.1) return "< 0.1 %";
  return `${share > 99.9 ? share.toFixed(0) : share.toFixed(1)} %`;
}

/** The token's text with line breaks that can be pointed at; the bytes of a part of a character. */
function shownInText({ token, bytes }: ChatLogprob): string {
  if (token.includes("\ufffd")) return `‹${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}›`;
  return token.replaceAll("\n", "⏎\n");
}

/** The token's text with white space that can be seen. */
const shownAlone = (one: ChatLogprob): string =>
  shownInText(one).replaceAll("⏎\n", "⏎").replaceAll(" ", "␣").replaceAll("\t", "⇥");

function labelOf(token: ChatTokenLogprob): string {
  const others = token.top_logprobs.filter(({ id }) => id !== token.id).map((one) => `${one.token} ${percent(one)}`);
  return `${token.token || "empty"} ${percent(token)}${others.length > 0 ? `, else ${others.join(", ")}` : ""}`;
}

function choiceRow(one: ChatLogprob, chosen: boolean): HTMLElement {
  const bar = make("i");
  bar.style.width = `${100 * shareOf(one)}%`;
  return make("li", chosen ? "chosen" : "", make("code", "", shownAlone(one)), make("span", "", bar), percent(one));
}
