/**
 * Shows the parts of a model's memory by its plan, before the first weight is read. The bar fills while weights are
 * read.
 * @module
 */
import type { LoadProgress, MemoryPlan } from "nibble-llm/browser";
import { make, megabytes } from "./dom.ts";

const PARTS: readonly [label: string, colour: string, bytes: (plan: MemoryPlan) => number][] = [
  ["Weights", "--weights", ({ weights }) => weights],
  ["Key-value cache", "--kv", ({ kvCache }) => kvCache],
  ["Activations", "--activations", ({ activations }) => activations],
  ["Program, tables", "--other", ({ constants, program, tables }) => constants + program + tables],
];

export class MemoryBar {
  readonly #place: HTMLElement;
  #weights: HTMLElement | undefined;

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  show(plan: MemoryPlan): void {
    const bar = make("div", "memory-bar");
    const legend = make("dl", "figures legend");
    for (const [label, colour, bytes] of PARTS) {
      const part = make("i");
      part.style.flex = `${bytes(plan)} 0 0`;
      part.style.setProperty("--colour", `var(${colour})`);
      bar.append(part);
      const name = make("dt", "", label);
      name.style.setProperty("--colour", `var(${colour})`);
      legend.append(name, make("dd", "", megabytes(bytes(plan))));
    }
    legend.append(make("dt", "", "Memory in all"), make("dd", "", megabytes(plan.total)));
    // The legend says the same in words.
    bar.setAttribute("aria-hidden", "true");
    this.#weights = bar.firstElementChild as HTMLElement;
    this.#place.replaceChildren(bar, legend);
  }

  progress({ loaded, total }: LoadProgress): void {
    this.#weights?.style.setProperty("--filled", `${total === 0 ? 100 : (100 * loaded) / total}%`);
  }
}
