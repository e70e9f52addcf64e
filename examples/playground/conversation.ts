/**
 * The turns of a conversation, and the messages of a request that fit into the context.
 * @module
 */
import type { ChatMessage, WorkerModel } from "nibble-llm/browser";
import { completesOnly } from "./answer.ts";
import type { Settings } from "./settings.ts";

export interface Turn {
  readonly question: string;
  answer: string;
}

/** The share of the context that is left to the answer. */
const ROOM = 1 / 4;

export class Conversation {
  #turns: Turn[] = [];

  clear(): void {
    this.#turns = [];
  }

  add(question: string): Turn {
    const turn = { question, answer: "" };
    this.#turns.push(turn);
    return turn;
  }

  /** Forgets the newest turn. */
  takeBack(): void {
    this.#turns.pop();
  }

  /**
   * The messages of the request for the newest question. Turns that no longer fit beside it and its answer are forgotten,
   * the oldest first.
   * @returns the messages, and how many turns were forgotten
   */
  async fit(model: WorkerModel, settings: Settings): Promise<{ messages: ChatMessage[]; forgotten: number }> {
    const history = settings.history && !completesOnly(model);
    const most = model.info.contextLength * (1 - ROOM);
    for (let forgotten = 0; ; forgotten++) {
      const messages = asMessages(history ? this.#turns : this.#turns.slice(-1), settings.system);
      if (!history || this.#turns.length <= 1) return { messages, forgotten };
      const prompt = await model.applyTemplate(messages);
      if ((await model.tokenize(prompt, { addBos: false })).length <= most) return { messages, forgotten };
      this.#turns.shift();
    }
  }
}

function asMessages(turns: readonly Turn[], system: string): ChatMessage[] {
  const messages: ChatMessage[] = system === "" ? [] : [{ role: "system", content: system }];
  for (const { question, answer } of turns)
    messages.push({ role: "user", content: question }, { role: "assistant", content: answer });
  messages.pop(); // the answer that is wanted
  return messages;
}
