/**
 * The last responses of /v1/responses, in memory, for requests that go on with one of them.
 * @module
 */
type Body = Readonly<Record<string, unknown>>;

/** Most characters of all stored conversations together; older ones give way. */
const MAX_CHARACTERS = 32 * 2 ** 20;

interface Stored {
  readonly response: object;
  /** The conversation with the answer, without instructions, as messages of a chat. */
  readonly messages: readonly Body[];
  readonly characters: number;
}

export class ResponseStore {
  readonly #most: number;
  readonly #stored = new Map<string, Stored>();
  #characters = 0;

  /** @param most responses that are kept; 0: none are */
  constructor(most: number) {
    this.#most = most;
  }

  get keeps(): boolean {
    return this.#most > 0;
  }

  get(id: string): Stored | undefined {
    return this.#stored.get(id);
  }

  put(id: string, response: object, messages: readonly Body[]): void {
    const characters = JSON.stringify(response).length + JSON.stringify(messages).length;
    if (!this.keeps || characters > MAX_CHARACTERS) return;
    this.#stored.set(id, { response, messages, characters });
    this.#characters += characters;
    for (const old of this.#stored.keys()) {
      if (this.#stored.size <= this.#most && this.#characters <= MAX_CHARACTERS) break;
      this.delete(old);
    }
  }

  delete(id: string): boolean {
    this.#characters -= this.#stored.get(id)?.characters ?? 0;
    return this.#stored.delete(id);
  }
}
