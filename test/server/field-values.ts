/** Values that are wrong for every field of a kind, and the check that each of them is refused by name. */
import { expect } from "vitest";
import type { Range } from "../../src/base/fields.ts";
import { SAMPLING_RANGES } from "../../src/engine/sample/options.ts";
import type { Handler } from "../../src/server/handler.ts";
import { postHandler } from "./helpers.ts";

export const NUMBER: unknown[] = ["1", "", "0.5", "NaN", true, false, [], [1], [[]], [null], {}, { a: 1 }];
export const INTEGER: unknown[] = [...NUMBER, 0.5, 1e300];
export const BOOLEAN: unknown[] = [0, 1, -1, 0.5, 1e9, "true", "false", "", "yes", [], [true], [null], {}, { a: 1 }];
export const STRING: unknown[] = [
  0,
  1,
  -1,
  0.5,
  1e9,
  true,
  false,
  [],
  ["a"],
  [[]],
  [null],
  {},
  { a: "b" },
  "x".repeat(5000),
];
export const OBJECT: unknown[] = [0, 1, -1, 0.5, 1e9, true, false, "", "a", "{}", [], [1], ["a"], [{}]];
export const ARRAY: unknown[] = [
  0,
  1,
  -1,
  0.5,
  1e9,
  true,
  false,
  "a",
  "[]",
  {},
  { a: 1 },
  { length: 1 },
  { 0: 1 },
  { 0: "a" },
];
export const NAME: unknown[] = [...STRING.slice(0, 13), "nonsense"];
export const IDS: unknown[] = [...ARRAY, [-1], [1.5], ["1"], [null], [1e9], [[1]], new Array(100_000).fill(1)];
export const POSITIVE: unknown[] = [...INTEGER, 0, -1];

/** Beyond both ends of a range. */
export function outside({ min, max, above, integer }: Range): unknown[] {
  const ends = [min !== undefined && min - 1, above, max !== undefined && max + 1, -1e9, integer && 1.5];
  return ends.filter((end) => typeof end === "number" && !(end === -1e9 && min === undefined && above === undefined));
}
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
export const sampling: Record<string, unknown[]> = Object.fromEntries(
  Object.entries(SAMPLING_RANGES).map(([name, range]) => [snake(name), [...NUMBER, ...outside(range)]]),
);

export interface FieldCheck {
  readonly handler: Handler;
  readonly path: string;
  /** A body that is right without the field. */
  readonly valid: object;
  /** The name of the field that an error is about. */
  named(body: never): string;
}

/** Every value is refused with status 400, and the error names the field or something in it. */
export async function expectRefused(
  { handler, path, valid, named }: FieldCheck,
  field: string,
  values: readonly unknown[],
): Promise<void> {
  for (const value of values) {
    const { status, json } = await postHandler(handler, path, { ...valid, [field]: value });
    const body = json();
    const what = `${field}: ${JSON.stringify(value)?.slice(0, 80)} -> ${JSON.stringify(body).slice(0, 200)}`;
    expect(status, what).toBe(400);
    const name = named(body as never);
    expect(name === field || name.startsWith(`${field}.`) || name.startsWith(`${field}[`), what).toBe(true);
  }
}

/** OpenAI's errors have a field for the name. */
export const openaiName = (body: { error: { param: string } }): string => body.error.param;
/** Anthropic's have none: the message begins with it. */
export const anthropicName = (body: { error: { message: string } }): string => body.error.message.split(":")[0]!;
