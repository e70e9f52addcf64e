/**
 * The figures of MobileLLM-R1's model card, beside which the table shows ours (`card.json`: percent, and null where the card
 * has none; https://github.com/facebookresearch/MobileLLM-R1, README.md of commit 463ff81).
 * @module
 */
import card from "./card.json" with { type: "json" };

interface CardTable {
  /** The metric of each task, in the order of the figures. */
  readonly columns: Readonly<Record<string, string>>;
  /** The figures of a model under the name of its repository on the hub. */
  readonly models: Readonly<Record<string, readonly (number | null)[]>>;
}

const TABLES: readonly CardTable[] = Object.values(card);
const TYPES = /[-_.](q\d.*|iq\d.*|f16|f32|bf16|mxfp4.*)$/;

/** A model's name without its folder, its ending and the type of its weights, such as `smollm2135minstruct`. */
function plainName(name: string): string {
  const last = name.split(/[/\\]/).at(-1)!;
  return last
    .toLowerCase()
    .replace(/\.gguf$/, "")
    .replace(TYPES, "")
    .replace(/[^a-z0-9]/g, "");
}

/**
 * The card's figure for a result, between 0 and 1.
 * @param names of the model: its own, its file's, that in the registry
 * @returns undefined if the card has no such model, or no such figure
 */
export function cardFigure(names: readonly string[], task: string, metric: string): number | undefined {
  const plain = names.map(plainName);
  for (const { columns, models } of TABLES) {
    if (columns[task] !== metric) continue;
    const [, figures] = Object.entries(models).find(([model]) => plain.includes(plainName(model))) ?? [];
    const figure = figures?.[Object.keys(columns).indexOf(task)];
    if (typeof figure === "number") return figure / 100;
  }
  return undefined;
}
