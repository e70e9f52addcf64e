/**
 * The steps that a server's life is made of, as JSON, and how fast-check draws them.
 * @module
 */
import fc from "fast-check";

/** A question: tokens that stand for a prompt, and how it is answered. */
export interface Question {
  /** Which of the prompts; those of one family begin alike, so that they share pages of the cache. */
  readonly prompt: number;
  readonly tokens: number;
  readonly seed: number;
  readonly stream: boolean;
  readonly n: number;
  /** How strongly the adapter applies. */
  readonly adapter: number;
}

export type ServerStep =
  | ({ readonly do: "ask" } & Question)
  /** Leaves the request that is open for the longest time, after so many turns of the event loop. */
  | { readonly do: "cancel"; readonly turns: number }
  | { readonly do: "finish" }
  | { readonly do: "save"; readonly name: string; readonly prompt: number }
  /** `damaged`: a byte of what is stored changes first. */
  | { readonly do: "restore"; readonly name: string; readonly damaged: boolean }
  | { readonly do: "erase" }
  | { readonly do: "adapters"; readonly scale: number }
  | { readonly do: "session"; readonly prompt: number }
  | { readonly do: "close session" }
  /** Uploads a file with so many questions, and starts a batch of them. */
  | { readonly do: "batch"; readonly prompts: readonly number[] }
  | { readonly do: "cancel batch" }
  | { readonly do: "finish batch" }
  | { readonly do: "wrong"; readonly which: number }
  | { readonly do: "dispose" };

const prompt = fc.nat(11);
const name = fc.constantFrom("a", "b");
const scale = fc.constantFrom(0, 0.5, 1);

const step: fc.Arbitrary<ServerStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      prompt,
      tokens: fc.integer({ min: 1, max: 24 }),
      seed: fc.nat(3),
      stream: fc.boolean(),
      n: fc.integer({ min: 1, max: 3 }),
      adapter: scale,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("cancel" as const), turns: fc.nat(6) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("finish" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("save" as const), name, prompt }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restore" as const), name, damaged: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("erase" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("adapters" as const), scale }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("session" as const), prompt }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("close session" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("batch" as const),
      prompts: fc.array(prompt, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel batch" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("finish batch" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wrong" as const), which: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("dispose" as const) }) },
);

export function drawSteps(seed: number): readonly ServerStep[] {
  return fc.sample(fc.array(step, { minLength: 5, maxLength: 40, size: "max" }), { seed, numRuns: 1 })[0]!;
}
