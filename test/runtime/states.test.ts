/**
 * States of recurrent layers: whatever is done to sequences, they go on with the bits of a fresh one. The models are the
 * fixtures of short convolutions and of the gated delta rule, with few slots for states and with many.
 */
import { describe, expect, it } from "vitest";
import type { WasmExecutor } from "../../src/runtime/executor.ts";
import { keptBorders } from "../../src/runtime/states.ts";
import type { Sequence } from "../../src/runtime/types.ts";
import { executorOf, openFixture } from "../helpers/models.ts";
import { Random } from "../helpers/random.ts";

const MODELS = ["lfm2", "qwen3_5"];
const load = async (name: string, maxStates: number, build: "simd" | "relaxed" = "relaxed"): Promise<WasmExecutor> =>
  executorOf(await openFixture(name, "gguf"), {
    build,
    contextLength: 128,
    cacheTokens: 2048,
    maxBatchTokens: 128,
    maxLogitRows: 128,
    maxSequences: 16,
    maxStates,
  });
const text = (count: number, seed = 1): number[] => Array.from({ length: count }, (_, i) => (i * 37 + seed * 11) % 300);

/** Brings a sequence to these tokens, of which it may hold a beginning, and returns the last logits. */
function complete(executor: WasmExecutor, sequence: Sequence, tokens: readonly number[]): Float32Array {
  const [logits] = executor.forward([{ sequence, tokens: tokens.slice(sequence.length), logits: "last" }]);
  return logits!.slice();
}

function fresh(executor: WasmExecutor, tokens: readonly number[]): Float32Array {
  const sequence = executor.createSequence();
  const logits = complete(executor, sequence, tokens);
  sequence.dispose();
  return logits;
}

describe.each(MODELS)("%s", (name) => {
  it.each([0, 1, 31, 32, 33, 64, 70, 95])("truncate to %i goes on with the same bits", async (length) => {
    const executor = await load(name, 16);
    const sequence = executor.createSequence();
    complete(executor, sequence, text(96));
    const known = sequence.knownLength(length);
    sequence.truncate(length);
    expect(sequence.length).toBe(known);
    expect(known).toBe(length - (length % 32)); // each border of this short text has a copy
    const tokens = [...text(length), 7, 8, 9];
    expect(complete(executor, sequence, tokens)).toEqual(fresh(executor, tokens));
  });

  it.each([1, 2, 16])("with %i states, accepted and rejected drafts leave the same bits", async (maxStates) => {
    const executor = await load(name, maxStates);
    const reference = await load(name, 16);
    const sequence = executor.createSequence();
    let tokens = text(40);
    complete(executor, sequence, tokens);
    for (let accepted = 0; accepted <= 4; accepted++) {
      const drafts = text(4, accepted + 5);
      tokens = [...tokens, 11];
      executor.forward([
        { sequence, tokens: [...tokens.slice(sequence.length), ...drafts], logits: "all", drafts: drafts.length },
      ]);
      tokens = [...tokens, ...drafts.slice(0, accepted)];
      sequence.truncate(tokens.length);
      if (maxStates === 16) expect(sequence.length).toBe(tokens.length);
    }
    expect(complete(executor, sequence, [...tokens, 5])).toEqual(fresh(reference, [...tokens, 5]));
  });

  it("all states in use: a typed error that says what to do; a sequence that rests makes room", async () => {
    const executor = await load(name, 2);
    const [first] = [executor.createSequence(), executor.createSequence()];
    complete(executor, first!, text(3));
    expect(executor.freeStates).toBe(0);
    expect(() => executor.createSequence()).toThrow(
      expect.objectContaining({ code: "context_full", message: expect.stringContaining("maxStates") }),
    );
    first!.rest();
    expect(() => executor.forward([{ sequence: first!, tokens: [1], logits: "last" }])).toThrow(/rest/);
    const third = executor.createSequence();
    complete(executor, third, text(5));
    expect(() => first!.wake()).toThrow(expect.objectContaining({ code: "context_full" }));
    third.dispose();
    first!.wake();
    expect(complete(executor, first!, text(6))).toEqual(fresh(await load(name, 2), text(6)));
  });

  it.each([
    ["simd", 1],
    ["relaxed", 2],
    ["relaxed", 3],
    ["relaxed", 40],
  ] as const)("%s build, %i states: 300 random steps", async (build, maxStates) => {
    await randomSteps(await load(name, maxStates, build), await load(name, 16), new Random(`${name} ${maxStates}`));
  });
});

interface Held {
  readonly sequence: Sequence;
  tokens: number[];
  resting: boolean;
}

/** Forks, truncates, saves, restores, drafts, rests and appends; now and then the next logits are compared. */
async function randomSteps(executor: WasmExecutor, reference: WasmExecutor, random: Random): Promise<void> {
  let held: Held[] = [];
  const pick = (): Held | undefined => held[random.integer(0, held.length - 1)];
  const length = ({ sequence }: Held): number => random.integer(0, sequence.length);
  const add = (make: () => Sequence, tokens: readonly number[]): void => {
    if (executor.freeStates === 0 || held.length > 12) return;
    const sequence = make();
    held.push({ sequence, tokens: tokens.slice(0, sequence.length), resting: false });
  };
  const steps: ((one: Held) => void)[] = [
    (one) => {
      const to = length(one);
      add(() => one.sequence.fork(to), one.tokens);
    },
    (one) => {
      one.sequence.truncate(length(one));
      one.tokens.length = one.sequence.length;
    },
    (one) => {
      const [pages, saved] = [one.sequence.savePages(), one.sequence.savedLength];
      add(() => {
        const sequence = executor.createSequence();
        sequence.restorePages(pages, saved);
        return sequence;
      }, one.tokens);
    },
    (one) => {
      one.sequence.dispose();
      held = held.filter((each) => each !== one);
    },
    (one) => {
      if (one.resting && executor.freeStates === 0) return;
      if (one.resting) one.sequence.wake();
      else one.sequence.rest();
      one.resting = !one.resting;
      one.tokens.length = one.sequence.length;
    },
  ];
  for (let step = 0; step < 300; step++) {
    if (held.length < 2 || step % 9 === 0) add(() => executor.createSequence(), []);
    const one = pick();
    if (one) steps[random.integer(0, steps.length - 1)]!(one);
    // All that do not rest go on in one batch, and the last tokens of some are drafts that are dropped.
    const batch = held
      .filter((each) => !each.resting)
      .map((each) => {
        const room = Math.max(0, Math.min(120 - each.sequence.length, Math.floor(60 / held.length)));
        const tokens = text(random.integer(0, room), step).map((token, i) => (token + i) % 300);
        return { held: each, tokens, drafts: Math.min(3, Math.max(0, tokens.length - 1)) };
      });
    executor.forward(
      batch.map(({ held: { sequence }, tokens, drafts }) => ({ sequence, tokens, logits: "none", drafts })),
    );
    for (const { held: each, tokens, drafts } of batch) {
      each.tokens.push(...tokens);
      each.sequence.truncate(each.tokens.length - random.integer(0, drafts));
      each.tokens.length = each.sequence.length;
    }
    const checked = pick();
    if (!checked || checked.resting || step % 3 !== 0) continue;
    checked.tokens.push(step % 300);
    const tokens = checked.tokens;
    expect(complete(executor, checked.sequence, tokens)).toEqual(fresh(reference, tokens));
  }
}

describe("the borders whose states are kept", () => {
  it.each([
    [[32, 64, 96, 128, 160], 3, [160, 128, 64]],
    [[32, 64], 1, [64]],
    [[33, 40], 4, []],
    [Array.from({ length: 40 }, (_, i) => 32 * i), 5, [1248, 1024, 512, 768, 256]],
  ])("%j, %i of them", (positions, quota, kept) => {
    expect([...keptBorders(positions, quota)].sort((a, b) => a - b)).toEqual([...kept].sort((a, b) => a - b));
  });
});
