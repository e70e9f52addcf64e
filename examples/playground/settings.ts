/**
 * The settings form. An empty field leaves the choice to the model. Values that are filled in are remembered.
 * @module
 */
import type { ModelInfo } from "nibble-llm/browser";
import { recall, remember } from "./remembered.ts";

const KEY = "nibble-settings";
const SAMPLING = ["temperature", "top_p", "max_tokens"] as const;

export interface Settings {
  readonly sampling: { readonly [name in (typeof SAMPLING)[number]]?: number };
  readonly system: string;
  /** Whether a request contains the earlier turns. */
  readonly history: boolean;
  /** Whether tokens come with their alternatives. */
  readonly probabilities: boolean;
  readonly contextLength: number | undefined;
}

export class SettingsForm {
  readonly #form: HTMLFormElement;

  /** @param onContext is called when the context length was changed, so that the model must be loaded again */
  constructor(form: HTMLFormElement, onContext: () => void) {
    this.#form = form;
    this.#recall();
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      remember(KEY, JSON.stringify(Object.fromEntries(new FormData(form) as never)));
    });
    this.#field("context").addEventListener("change", ({ target }) => {
      if ((target as HTMLInputElement).checkValidity()) onContext();
    });
  }

  read(): Settings {
    const number = (name: string): number | undefined => {
      const { value, valueAsNumber } = this.#field(name) as HTMLInputElement;
      return value === "" ? undefined : valueAsNumber;
    };
    const given = SAMPLING.flatMap((name) => (number(name) === undefined ? [] : [[name, number(name)]]));
    return {
      sampling: Object.fromEntries(given),
      system: this.#field("system").value.trim(),
      history: this.#history.checked,
      probabilities: this.#probabilities.checked,
      contextLength: number("context"),
    };
  }

  get #history(): HTMLInputElement {
    return this.#field("history") as HTMLInputElement;
  }

  get #probabilities(): HTMLInputElement {
    return this.#field("probabilities") as HTMLInputElement;
  }

  /** Shows the model's own values in empty fields. @param history whether earlier turns help the model */
  suggest({ sampling, contextLength }: ModelInfo, history: boolean): void {
    this.#history.checked = history;
    this.#field("temperature").placeholder = String(sampling.temperature);
    this.#field("top_p").placeholder = String(sampling.topP);
    this.#field("max_tokens").placeholder = "context's end";
    this.#field("context").placeholder = String(contextLength);
  }

  #field(name: string): HTMLInputElement | HTMLTextAreaElement {
    return this.#form.elements.namedItem(name) as HTMLInputElement;
  }

  #recall(): void {
    let values: unknown;
    try {
      values = JSON.parse(recall(KEY) ?? "{}");
    } catch {
      return;
    }
    for (const [name, value] of Object.entries(values ?? {})) {
      const field = this.#field(name);
      if (field === this.#probabilities)
        field.checked = true; // an unchecked box is not among the values
      else if (field && field !== this.#history && typeof value === "string") field.value = value;
    }
  }
}
