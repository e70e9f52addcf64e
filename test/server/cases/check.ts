/** Checks an answer against the expectations of a case. */
import { isDeepStrictEqual } from "node:util";

export interface Expected {
  readonly status?: number | readonly number[];
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly json?: Readonly<Record<string, unknown>>;
  readonly relations?: readonly (readonly string[])[];
  readonly anyOf?: readonly Readonly<Record<string, unknown>>[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The answer, or its events; undefined for other text. */
  readonly json: unknown;
}

const short = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 200);

/** The first difference between an answer and the case's expectations; undefined if there is none. */
export function fault({ status, headers, text, json }: Answer, expected: Expected): string | undefined {
  const allowed = [expected.status ?? 200].flat();
  if (!allowed.includes(status)) return `status ${status}, expected ${allowed.join(" or ")}: ${text.slice(0, 300)}`;
  const wrongHeader = Object.entries(expected.headers ?? {}).find(
    ([name, wanted]) => !holds(headers.get(name), wanted),
  );
  if (wrongHeader) return `header ${wrongHeader[0]}: ${headers.get(wrongHeader[0])}`;
  const wrong = wrongPlace(json, expected.json ?? {});
  if (wrong) return wrong;
  for (const [name, a, b] of expected.relations ?? [])
    if (!RELATIONS[name!]!(placeOf(json, a!) as never, placeOf(json, b!) as never)) return `not ${name}: ${a} and ${b}`;
  const forms = expected.anyOf?.map((places) => wrongPlace(json, places));
  return forms && !forms.includes(undefined) ? `none of its forms: ${forms.join("; ")}` : undefined;
}

function wrongPlace(json: unknown, places: Readonly<Record<string, unknown>>): string | undefined {
  const wrong = Object.entries(places).find(([place, wanted]) => !holds(placeOf(json, place), wanted));
  return wrong && `${wrong[0]}: expected ${short(wrong[1])}, got ${short(placeOf(json, wrong[0]))}`;
}

/** The value at a path; for a path with `*`, the list of all values that exist there. */
export function placeOf(json: unknown, path: string): unknown {
  let values: unknown[] = [json];
  let many = false;
  for (const step of path === "" ? [] : path.split(".")) {
    many ||= step === "*";
    values = values.flatMap((value) => (step === "*" ? childrenOf(value) : [childOf(value, step)]));
    if (many) values = values.filter((value) => value !== undefined);
  }
  return many ? values : values[0];
}

function childrenOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}

function childOf(value: unknown, step: string): unknown {
  if (Array.isArray(value) && /^-\d+$/.test(step)) return value.at(Number(step));
  const isObject = typeof value === "object" && value !== null && Object.hasOwn(value, step);
  return isObject ? (value as Record<string, unknown>)[step] : undefined;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;
}

type Check = (value: never, wanted: never) => boolean;
const list = (wanted: unknown): unknown[] => [wanted].flat();
const contains = (value: unknown, one: unknown): boolean =>
  typeof value === "string" ? value.includes(String(one)) : Array.isArray(value) && value.includes(one);

const CHECKS: Readonly<Record<string, Check>> = {
  equals: (value, wanted) => isDeepStrictEqual(value, wanted),
  oneOf: (value, wanted: unknown[]) => wanted.some((one) => isDeepStrictEqual(value, one)),
  type: (value, wanted) => list(wanted).some((one) => one === typeOf(value) || one === typeof value),
  contains: (value, wanted) => list(wanted).every((one) => contains(value, one)),
  lacks: (value, wanted) => !list(wanted).some((one) => contains(value, one)),
  matches: (value, wanted) => typeof value === "string" && new RegExp(wanted, "su").test(value),
  length: (value: string | unknown[] | object, wanted) =>
    (typeof value === "string" ? value.length : Object.keys(value ?? {}).length) === wanted,
  min: (value, wanted) => typeof value === "number" && value >= wanted,
  max: (value, wanted) => typeof value === "number" && value <= wanted,
  absent: (value, wanted) => (value === undefined) === wanted,
  empty: (value, wanted) => (value === undefined || value === null || (value as string).length === 0) === wanted,
  each: (value: unknown[], wanted) => value.length > 0 && value.every((one) => holds(one, wanted)),
  some: (value: unknown[], wanted) => value.some((one) => holds(one, wanted)),
  joined: (value: string[], wanted) => holds(value.join(""), wanted),
  json: (value: string, wanted) => wrongPlace(JSON.parse(value), wanted) === undefined,
};

function holds(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return isDeepStrictEqual(value, wanted);
  return Object.entries(wanted).every(([name, operand]) => {
    const check = CHECKS[name];
    if (!check) throw new Error(`there is no check ${name}`);
    return check(value as never, operand as never);
  });
}

type Relation = (a: never, b: never) => boolean;

const RELATIONS: Readonly<Record<string, Relation>> = {
  "same length": (a: unknown[], b: unknown[]) => a.length === b.length,
  "length is": (a: unknown[], b) => a.length === b,
  equal: (a, b) => a !== undefined && isDeepStrictEqual(a, b),
  "has key of": (a: (object | null)[], b: string[]) =>
    a.length === b.length && a.every((one, i) => one === null || Object.hasOwn(one, b[i]!)),
  "are offsets of": (a: number[], b: string[]) =>
    a.length === b.length && a.every((offset, i) => offset === a[0]! + b.slice(0, i).join("").length),
  "sum is": (a: number[], b) => a.reduce((x, y) => x + y, 0) === b,
};
