/**
 * The last conversations, in memory, for requests that continue one of them by the id of its answer:
 * `previous_response_id` of /v1/responses and `thread` of /v1/messages.
 * @module
 */
import type { Body } from "./body.ts";

/** Most characters of all stored conversations together; the oldest are dropped beyond it. */
const MAX_CHARACTERS = 32 * 2 ** 20;

/** A conversation up to its last answer. */
export interface Conversation {
  /** The answer as the client received it. */
  readonly answer: object;
  /** The caller that may continue, read and delete it; undefined: every one. */
  readonly caller: string | undefined;
  /** The messages of a chat, the answer's included. */
  readonly messages: readonly Body[];
  /** The tools of a chat, where the next request takes them over. */
  readonly tools?: unknown;
}

export class ConversationStore {
  readonly #most: number;
  readonly #stored = new Map<string, Conversation & { readonly characters: number }>();
  #characters = 0;

  /** @param most conversations that are kept; 0: none are */
  constructor(most: number) {
    this.#most = most;
  }

  get keeps(): boolean {
    return this.#most > 0;
  }

  /** Undefined also for a conversation of another caller. */
  get(id: string, caller: string | undefined): Conversation | undefined {
    const stored = this.#stored.get(id);
    return stored?.caller === caller ? stored : undefined;
  }

  put(id: string, conversation: Conversation): void {
    const characters = JSON.stringify(conversation).length;
    if (!this.keeps || characters > MAX_CHARACTERS) return;
    this.#stored.set(id, { ...conversation, characters });
    this.#characters += characters;
    for (const old of this.#stored.keys()) {
      if (this.#stored.size <= this.#most && this.#characters <= MAX_CHARACTERS) break;
      this.#drop(old);
    }
  }

  /** @returns false where the caller has none of this id */
  delete(id: string, caller: string | undefined): boolean {
    return this.get(id, caller) !== undefined && this.#drop(id);
  }

  #drop(id: string): boolean {
    this.#characters -= this.#stored.get(id)?.characters ?? 0;
    return this.#stored.delete(id);
  }
}
