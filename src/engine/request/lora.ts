/**
 * Which of a model's low-rank adapters a request applies.
 * @module
 */
import type { Fields } from "../../base/fields.ts";
import type { AdapterScales } from "../../runtime/types.ts";

/** An adapter that was loaded with the model. */
export interface LoraInfo {
  /** Its number: its place in the option `lora` of `load`. */
  readonly id: number;
  /** Its name, which requests may give in place of the number. */
  readonly name: string;
  /** The scale for requests that choose no adapters. */
  readonly scale: number;
}

/** An adapter and its scale. The shape is llama-server's, the name ours. */
export interface LoraChoice {
  /** The adapter's number, or else its name. */
  readonly id?: number;
  /** The adapter's name. */
  readonly name?: string;
  /** How strongly it is applied (default 1); 0 is not at all. */
  readonly scale?: number;
}

const MAX_SCALE = 1024;

/**
 * The field `lora`, a list of choices. Adapters that are not in it are not applied; without it each has its own scale.
 * @throws NibbleError with the code of `fields`, which names the choice
 */
export function checkLora(fields: Fields, adapters: readonly LoraInfo[]): AdapterScales | undefined {
  const choices = fields.array("lora", adapters.length);
  const scales = adapters.map(({ scale }) => (choices ? 0 : scale));
  for (const [i, choice] of (choices ?? []).entries()) {
    const chosen = fields.nested(choice, ["id", "name", "scale"], `lora[${i}]`);
    const name = chosen.string("name", 1024);
    const id = chosen.number("id", { min: 0, max: adapters.length - 1, integer: true });
    const found = adapters.find((adapter) => (id === undefined ? adapter.name === name : adapter.id === id));
    if (!found || (id === undefined) === (name === undefined)) {
      const known = adapters.map((adapter) => `${adapter.id} (${adapter.name})`).join(", ");
      throw chosen.invalid(id === undefined ? "name" : "id", `the id or else the name of an adapter: ${known}`, name);
    }
    scales[found.id] = chosen.number("scale", { min: -MAX_SCALE, max: MAX_SCALE }) ?? 1;
  }
  return scales.some((scale) => scale !== 0) ? scales : undefined;
}
