/**
 * The tests of LiveCodeBench. Private ones are JSON, or base64 of a zlib stream of a pickle of the string that is JSON.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Row } from "../row.ts";
import { readPickledString } from "./pickle.ts";
import type { TestedProgram } from "./runner.ts";

/** LiveCodeBench's time limit of a test. */
const SECONDS = 6;
/** Most bytes of a row's private tests. The longest of release_v6 are some ten megabytes. */
const MAX_BYTES = 2 ** 28;

type Test = TestedProgram["tests"][number];

/** @throws NibbleError that names the field for a row that is not LiveCodeBench's */
export async function livecodebenchJob(source: string, row: Row): Promise<TestedProgram> {
  const { func_name: name = undefined } = parse(row, "metadata", textOf(row, "metadata")) as { func_name?: unknown };
  if (name !== undefined && name !== null && typeof name !== "string")
    throw new NibbleError("bad_value", `metadata.func_name: expected text, got ${typeof name}`);
  const tests = [
    ...testsOf(row, "public_test_cases", textOf(row, "public_test_cases")),
    ...testsOf(row, "private_test_cases", await privateTests(textOf(row, "private_test_cases"))),
  ];
  return { kind: "tests", source, function: name ?? undefined, tests, seconds: SECONDS };
}

/** The private tests of a row as JSON. @throws NibbleError `bad_value`, `bad_string`, `truncated`, `limit_exceeded` */
export async function privateTests(text: string): Promise<string> {
  if (text.trimStart().startsWith("[")) return text;
  return readPickledString(await inflate(base64(text)));
}

function base64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch (cause) {
    throw new NibbleError("bad_value", "private_test_cases: expected JSON or base64", { cause });
  }
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    for (const reader = stream.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > MAX_BYTES) break;
      parts.push(value);
    }
  } catch (cause) {
    throw new NibbleError("bad_value", "private_test_cases: expected a whole zlib stream", { cause });
  }
  if (length > MAX_BYTES)
    throw new NibbleError("limit_exceeded", `private_test_cases: more than ${MAX_BYTES} bytes after decompression`);
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

function textOf(row: Row, key: string): string {
  const value = row[key];
  if (typeof value === "string") return value;
  throw new NibbleError("bad_value", `${nameOf(row)}.${key}: expected text, got ${typeof value}`);
}

function testsOf(row: Row, key: string, json: string): readonly Test[] {
  const tests = parse(row, key, json);
  const isTest = (test: Partial<Test> | null): boolean =>
    typeof test?.input === "string" && typeof test.output === "string";
  if (Array.isArray(tests) && tests.every(isTest)) return tests;
  throw new NibbleError("bad_value", `${nameOf(row)}.${key}: expected a list of tests with input and output`);
}

function parse(row: Row, key: string, json: string): unknown {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // The error below says what was expected.
  }
  throw new NibbleError("bad_json", `${nameOf(row)}.${key}: expected JSON`);
}

const nameOf = ({ question_id: id }: Row): string => `question ${typeof id === "string" ? id : "(without id)"}`;
