/**
 * Asks questions and shows answers as they come. An answer ends by itself, by the stop button, with a full context, or by an error.
 * @module
 */
import type { Timings, WorkerModel } from "nibble-llm/browser";
import { answer, type Piece } from "./answer.ts";
import { AnswerView } from "./answer-view.ts";
import { Conversation, type Turn } from "./conversation.ts";
import { byId, make } from "./dom.ts";
import { Follower } from "./follow.ts";
import { Meter } from "./meter.ts";
import type { Settings } from "./settings.ts";
import type { Trends } from "./trends.ts";

export class Chat {
  readonly #log = byId("log");
  readonly #welcome = byId("welcome");
  readonly #speed = byId("speed");
  readonly #context = byId("context");
  readonly #follower = new Follower(this.#log, byId("to-end"));
  readonly #conversation = new Conversation();
  /** The articles of each turn that the model still sees. */
  #shown: HTMLElement[][] = [];
  /** All turns on the page. */
  #all: Turn[] = [];
  #answering: AbortController | undefined;
  readonly #trends: Trends;

  constructor(trends: Trends) {
    this.#trends = trends;
  }

  get answering(): boolean {
    return this.#answering !== undefined;
  }

  /** The turns on the page that have an answer. */
  get turns(): readonly Turn[] {
    return this.#all.filter(({ answer }) => answer !== "");
  }

  /** Shows turns that were held elsewhere; the next question goes on from them. @param origin where they come from */
  restore(turns: readonly Turn[], origin: string): void {
    this.clear();
    for (const { question, answer: text } of turns) {
      const turn = this.#conversation.add(question);
      turn.answer = text;
      this.#all.push(turn);
      const view = new AnswerView(() => this.#follower.grown());
      this.#showTurn(question, view);
      view.push({ content: text });
      view.end("");
    }
    this.#log.prepend(make("p", "about", origin));
  }

  stop(): void {
    this.#answering?.abort();
  }

  clear(): void {
    this.stop();
    this.#conversation.clear();
    this.#shown = [];
    this.#all = [];
    this.#log.replaceChildren(this.#welcome);
    this.#speed.textContent = "";
    this.#context.textContent = "";
  }

  /**
   * Asks a question; resolves when the answer has ended or was stopped. What was answered until then stays on the page.
   * @throws NibbleError if there was no answer; the question is then removed
   */
  async ask(model: WorkerModel, question: string, settings: Settings): Promise<void> {
    const { signal } = (this.#answering = new AbortController());
    const turn = this.#conversation.add(question);
    this.#all.push(turn);
    const view = new AnswerView(() => this.#follower.grown());
    const articles = this.#showTurn(question, view);
    const meter = new Meter(this.#speed, this.#trends);
    try {
      const { messages, forgotten } = await this.#conversation.fit(model, settings);
      for (const left of this.#shown.splice(0, forgotten)) for (const article of left) article.className += " left-out";
      const cut = await this.#show(answer(model, messages, settings, signal), { view, meter, model });
      view.end(cut.note + meter.end(cut.timings));
    } catch (error) {
      if (!view.element.isConnected) return; // the user has begun a new chat
      if (!signal.aborted && view.text === "") {
        this.#takeBack(articles);
        throw error;
      }
      view.end(`Stopped. ${meter.end()}`);
      if (!signal.aborted) throw error;
    } finally {
      turn.answer = view.text;
      this.#answering = undefined;
    }
  }

  /** Puts a question and its empty answer on the page. */
  #showTurn(question: string, view: AnswerView): HTMLElement[] {
    const articles = [make("article", "question", make("p", "asked", question)), view.element];
    this.#welcome.remove();
    this.#log.append(...articles);
    this.#shown.push(articles);
    this.#follower.jump();
    return articles;
  }

  #takeBack(articles: readonly HTMLElement[]): void {
    this.#conversation.takeBack();
    this.#shown.pop();
    this.#all.pop();
    for (const article of articles) article.remove();
  }

  /** Shows an answer piece by piece; returns why it was cut off, and the engine's timings. */
  async #show(
    pieces: AsyncIterable<Piece>,
    { view, meter, model }: { readonly view: AnswerView; readonly meter: Meter; readonly model: WorkerModel },
  ): Promise<{ note: string; timings: Timings | undefined }> {
    let end: Piece | undefined;
    let total = 0;
    for await (const piece of pieces) {
      if (piece.reason) end = piece;
      if (piece.usage) meter.count(piece.usage);
      total = piece.usage?.total_tokens ?? total;
      view.push(piece);
    }
    const { contextLength } = model.info;
    this.#context.textContent = `${total.toLocaleString("en")} of ${contextLength.toLocaleString("en")} tokens`;
    const full = total >= contextLength ? "Cut off: the context is full. " : "Cut off: as many tokens as allowed. ";
    return { note: end?.reason === "length" ? full : "", timings: end?.timings };
  }
}
