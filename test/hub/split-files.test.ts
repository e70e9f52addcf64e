/** Which files of a data set make up a split, for the layouts that repositories of the hub have. */
import { describe, expect, it } from "vitest";
import { type Split, splitFiles } from "../../src/hub/split-files.ts";

const choose = (paths: readonly string[], split: Split, isOwn = true): string[] =>
  splitFiles(
    paths.map((path) => ({ path })),
    split,
    "set",
    isOwn,
  ).map(({ path }) => path);
const of = (split: string, config?: string): Split => ({ config, split });

const CONVERTED = [
  "main/test/0000.parquet",
  "main/train/0001.parquet",
  "main/train/0000.parquet",
  "socratic/test/0000.parquet",
];
const ARC = ["ARC-Challenge", "ARC-Easy"].flatMap((config) =>
  ["test", "train", "validation"].map((split) => `${config}/${split}-00000-of-00001.parquet`),
);
const PLAIN = [
  "README.md",
  "data/train-00000-of-00002.parquet",
  "data/train-00001-of-00002.parquet",
  "data/validation-00000-of-00001.parquet",
];
const MMLU = [
  "all/auxiliary_train-00000-of-00001.parquet",
  "all/dev-00000-of-00001.parquet",
  "all/test-00000-of-00001.parquet",
  "anatomy/test-00000-of-00001.parquet",
  "all/validation-00000-of-00001.parquet",
];

describe("layouts", () => {
  it.each<[readonly string[], Split, string[]]>([
    [CONVERTED, of("test", "main"), ["main/test/0000.parquet"]],
    [CONVERTED, of("train", "main"), ["main/train/0000.parquet", "main/train/0001.parquet"]],
    [["default/train/0000.parquet", "default/test/0000.parquet"], of("test"), ["default/test/0000.parquet"]],
    [ARC, of("test", "ARC-Easy"), ["ARC-Easy/test-00000-of-00001.parquet"]],
    [ARC, of("test", "arc-challenge"), ["ARC-Challenge/test-00000-of-00001.parquet"]],
    [PLAIN, of("train"), PLAIN.slice(1, 3)],
    [PLAIN, of("validation", "default"), PLAIN.slice(3)],
    [MMLU, of("dev", "all"), [MMLU[1]!]],
    [MMLU, of("validation", "all"), [MMLU[4]!]],
    [
      ["test.jsonl", "test10.jsonl", "test2.jsonl", "latest.jsonl"],
      of("test"),
      ["test.jsonl", "test2.jsonl", "test10.jsonl"],
    ],
    [["aime_2024_problems.parquet", "README.md", "dataset_infos.json"], of("train"), ["aime_2024_problems.parquet"]],
    [["my_val.json.gz"], of("validation"), ["my_val.json.gz"]],
    [["data/test/a.jsonl", "data/test/b.jsonl"], of("test"), ["data/test/a.jsonl", "data/test/b.jsonl"]],
    [["test.jsonl", "test.parquet"], of("test"), ["test.parquet"]],
    [["main-test.parquet", "other-test.parquet"], of("test", "main"), ["main-test.parquet"]],
    [PLAIN, of("test"), []],
    [["main/partial-train/0000.parquet"], of("train", "main"), []],
  ])("%j: %j", (paths, split, expected) => {
    expect(choose(paths, split)).toEqual(expected);
  });
  it("in a folder with other things, only names that begin with the split count", () => {
    expect(choose(["mmlu.dev.jsonl", "gsm8k.jsonl", "my_test.jsonl"], of("test"), false)).toEqual([]);
    expect(choose(["gsm8k.jsonl"], of("train"), false)).toEqual([]);
    expect(choose(["data/test-00000-of-00001.parquet"], of("test", "main"), false)).toEqual([
      "data/test-00000-of-00001.parquet",
    ]);
  });
});

it.each<[string, readonly string[], RegExp]>([
  ["a shard is missing", PLAIN.slice(0, 2), /set: expected 2 files like data\/train-00000-of-00002\.parquet, got 1/],
  ["two configurations", CONVERTED, /expected one folder with the split test, got main\/test, socratic\/test/],
])("%s", (_, paths, message) => {
  const split = of(paths === CONVERTED ? "test" : "train");
  expect(() => choose(paths, split)).toThrow(message);
});
