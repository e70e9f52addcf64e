/**
 * The goals of speed that this project has set itself, and what a run says about them.
 * @module
 */
import { label, ourName } from "./engines.ts";
import type { Row } from "./models.ts";
import { ratio, spread } from "./statistics.ts";

/** A goal, and how far it is reached. */
export interface Goal {
  readonly goal: string;
  /** The least figure that meets it: a ratio, unless `unit` says otherwise. */
  readonly wanted: number;
  /** The median over the rounds; missing where the run did not measure both sides. */
  readonly figure?: number;
}

/** The name of an engine with one thread or more, and of a test, as the tables have them. */
interface Side {
  readonly engine: string;
  readonly test: RegExp;
}

interface Wanted {
  readonly goal: string;
  readonly wanted: number;
  readonly ours: Side;
  readonly against: Side;
}

const PROMPT = /^pp512$/;
const DECODE = /^tg\d+$/;
const at = (depth: number): RegExp => new RegExp(`^tg\\d+ @ d${depth}$`);
const together = (sequences: number): RegExp => new RegExp(`^tg\\d+ x ${sequences}$`);

const one = (name: string): string => label({ name, threads: 1 });
const BEST = one("llama.cpp best");
const AVX512 = one("llama.cpp avx512");

/** Goals that both sizes of vectors have, with a figure for each. */
const both = (packed: boolean): Wanted[] => {
  const bits = packed ? "256 bits" : "128 bits";
  const engine = one(ourName("relaxed", packed));
  const two = label({ name: ourName("threads", packed), threads: 2 });
  const wanted = (goal: string, figure: number, ours: Side, against: Side): Wanted => ({
    goal: `${bits}: ${goal}`,
    wanted: figure,
    ours,
    against,
  });
  const decode = { engine, test: DECODE };
  const peer = (test: RegExp): Side => ({ engine: BEST, test });
  return [
    wanted(
      "prefill 512 against llama.cpp with AVX-512",
      packed ? 1.8 : 1.3,
      { engine, test: PROMPT },
      { engine: AVX512, test: PROMPT },
    ),
    ...(packed ? [wanted("prefill 512 against llama.cpp, best", 1.1, { engine, test: PROMPT }, peer(PROMPT))] : []),
    wanted("decode against llama.cpp, best", packed ? 1.2 : 1, decode, peer(DECODE)),
    ...[4096, 16384].map((depth) =>
      wanted(
        `decode at depth ${depth} against llama.cpp, best`,
        packed ? 3 : 2,
        { engine, test: at(depth) },
        peer(at(depth)),
      ),
    ),
    ...(packed
      ? ([
          [4096, 0.75],
          [16384, 0.45],
        ] as const)
      : []
    ).map(([depth, share]) =>
      wanted(`decode at depth ${depth} against depth 0`, share, { engine, test: at(depth) }, decode),
    ),
    wanted("8 sequences against llama.cpp, best", packed ? 1.3 : 1, { engine, test: together(8) }, peer(together(8))),
    wanted("64 sequences against one", packed ? 6 : 4, { engine, test: together(64) }, decode),
    wanted("prefill 512, two threads against one", 1.85, { engine: two, test: PROMPT }, { engine, test: PROMPT }),
    wanted("decode, two threads against one", 1.7, { engine: two, test: DECODE }, decode),
  ];
};

const WANTED: readonly Wanted[] = [
  ...both(true),
  ...both(false),
  {
    goal: "simd build: prefill 512 against llama.cpp with AVX-512",
    wanted: 0.75,
    ours: { engine: one(ourName("simd", false)), test: PROMPT },
    against: { engine: AVX512, test: PROMPT },
  },
];

/** The goals with the figures of a run. */
export function goalsOf(rows: readonly Row[]): Goal[] {
  const find = ({ engine, test }: Side): Row | undefined =>
    rows.find((row) => label({ name: row.engine, threads: row.n_threads }) === engine && test.test(row.test));
  const reading = rows.find((row) => row.engine === ourName("relaxed", false) && DECODE.test(row.test))?.read_share;
  return [
    ...WANTED.map(({ goal, wanted, ours, against }) => {
      const row = find(ours);
      // Where the best instructions are AVX-512, there is one row for both.
      const peer = find(against) ?? (against.engine === AVX512 ? find({ ...against, engine: BEST }) : undefined);
      return { goal, wanted, ...(row && peer && { figure: ratio(row.samples_ts, peer.samples_ts).median }) };
    }),
    {
      goal: "128 bits: decode, or this share of the reading limit",
      wanted: 0.95,
      ...(reading && { figure: spread([reading.median]).median }),
    },
  ];
}
