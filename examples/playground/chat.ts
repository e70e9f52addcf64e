/**
 * Questions, answers as they come, and their end: by itself, by the stop button, by the context's end, by an error.
 * @module
 */
import type { Timings, WorkerModel } from "nibble-llm/browser";
import { answer, type Piece } from "./answer.ts";
import { AnswerView } from "./answer-view.ts";
import { Conversation } from "./conversation.ts";
import { byId, make } from "./dom.ts";
import { Follower } from "./follow.ts";
import type { Settings } from "./settings.ts";

export class Chat {
  readonly #log = byId("log");
  readonly #welcome = byId("welcome");
  readonly #speed = byId("speed");
  readonly #context = byId("context");
  readonly #follower = new Follower(this.#log, byId("to-end"));
  readonly #conversation = new Conversation();
  /** The articles of each turn that the model still sees. */
  #shown: HTMLElement[][] = [];
  #answering: AbortController | undefined;

  get answering(): boolean {
    return this.#answering !== undefined;
  }

  stop(): void {
    this.#answering?.abort();
  }

  clear(): void {
    this.stop();
    this.#conversation.clear();
    this.#shown = [];
    this.#log.replaceChildren(this.#welcome);
    this.#speed.textContent = "";
    this.#context.textContent = "";
  }

  /**
   * Answers; resolves when the answer has ended or was stopped, with what came of it on the page.
   * @throws NibbleError for a question that got no answer: it is taken back
   */
  async ask(model: WorkerModel, question: string, settings: Settings): Promise<void> {
    const { signal } = (this.#answering = new AbortController());
    const turn = this.#conversation.add(question);
    const asked = make("article", "question", make("p", "asked", question));
    const view = new AnswerView(() => this.#follower.grown());
    const articles = [asked, view.element];
    this.#welcome.remove();
    this.#log.append(...articles);
    this.#shown.push(articles);
    this.#follower.jump();
    const meter = new Meter(this.#speed);
    try {
      const { messages, forgotten } = await this.#conversation.fit(model, settings);
      for (const left of this.#shown.splice(0, forgotten)) for (const article of left) article.className += " left-out";
      let end: Piece | undefined;
      let total = 0;
      for await (const piece of answer(model, messages, settings, signal)) {
        if (piece.reason) end = piece;
        total = piece.usage?.total_tokens ?? total;
        if (piece.content === "" && piece.reasoning === "") continue;
        meter.count();
        view.push(piece.content, piece.reasoning);
      }
      const { contextLength } = model.info;
      this.#context.textContent = `${total.toLocaleString("en")} of ${contextLength.toLocaleString("en")} tokens`;
      const full = total >= contextLength ? "Cut off: the context is full. " : "Cut off: as many tokens as allowed. ";
      view.end((end?.reason === "length" ? full : "") + meter.end(end?.timings));
    } catch (error) {
      if (!view.element.isConnected) return; // a new chat was begun
      if (!signal.aborted && view.text === "") {
        this.#conversation.takeBack();
        this.#shown.pop();
        for (const article of articles) article.remove();
        throw error;
      }
      view.end(`Stopped. ${meter.end()}`);
      if (!signal.aborted) throw error;
    } finally {
      turn.answer = view.text;
      this.#answering = undefined;
    }
  }
}

/** Tokens a second: counted pieces while they come, the engine's own figure at the end. */
class Meter {
  readonly #place: HTMLElement;
  #pieces = 0;
  #first = 0;
  #shown = 0;

  constructor(place: HTMLElement) {
    this.#place = place;
    place.textContent = "";
  }

  count(): void {
    const now = performance.now();
    if (this.#pieces++ === 0) this.#first = now;
    if (now - this.#shown < 250) return;
    this.#shown = now;
    if (this.#pieces > 1) this.#place.textContent = perSecond(this.#rate(now));
  }

  end(timings?: Timings): string {
    const rate = timings ? timings.predicted_per_second : this.#rate(performance.now());
    const tokens = timings ? timings.predicted_n : this.#pieces;
    if (tokens === 0) return "";
    this.#place.textContent = perSecond(rate);
    return `${tokens} tokens, ${perSecond(rate)}`;
  }

  #rate(now: number): number {
    return this.#pieces > 1 ? ((this.#pieces - 1) / (now - this.#first)) * 1000 : 0;
  }
}

const perSecond = (rate: number): string => `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} tokens/s`;
