/** Mutations of JSON that keep it JSON, and some that do not. */
import type { Random } from "../../helpers/random.ts";
import { mutateBytes } from "./bytes.ts";
import { difference, type Edit } from "./edits.ts";
import { pick, someJson, someText } from "./numbers.ts";

type Parent = Record<string, unknown> | unknown[];

/** A place in the value: of all of them down to a random depth, so that fields near the top are met as often as others. */
function randomPlace(root: Parent, random: Random): { parent: Parent; key: string } | undefined {
  let parent = root;
  for (;;) {
    const keys = Object.keys(parent);
    if (keys.length === 0) return undefined;
    const key = pick(random, keys);
    const child = (parent as Record<string, unknown>)[key];
    const isParent = typeof child === "object" && child !== null && Object.keys(child).length > 0;
    if (!isParent || random.integer(0, 5) === 0) return { parent, key };
    parent = child as Parent;
  }
}

function change(root: Parent, random: Random): void {
  const place = randomPlace(root, random);
  if (!place) return;
  const { parent, key } = place;
  const fields = parent as Record<string, unknown>;
  const old = fields[key];
  switch (random.integer(0, 7)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete fields[key];
      break;
    case 1:
      if (Array.isArray(parent)) parent.splice(Number(key), 0, structuredClone(old));
      else fields[someText(random, key)] = structuredClone(old);
      break;
    case 2: {
      const other = randomPlace(root, random);
      if (other) fields[key] = structuredClone((other.parent as Record<string, unknown>)[other.key]);
      break;
    }
    default:
      fields[key] = someJson(random, old);
  }
}

/** Text that `JSON.stringify` cannot make: a key twice, numbers beyond a double, many brackets. */
function oddText(text: string, random: Random): string {
  const at = text.indexOf(pick(random, ['"', ":", "{", "[", ",", "}"]), random.integer(0, text.length));
  const odd = [
    '"a":1,"a":2,',
    "18446744073709551615",
    "1e999",
    "[".repeat(pick(random, [10, 1000, 100_000])),
    "{".repeat(10),
    "\\ud800",
    "\u0000",
    "//",
    '"__proto__":{},',
  ];
  return at < 0 ? text : text.slice(0, at + 1) + pick(random, odd) + text.slice(at + 1);
}

/** Mutated text of the same document; undefined where it is no JSON object or list. */
export function mutateJsonText(text: string, random: Random): string | undefined {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof root !== "object" || root === null) return undefined;
  if (random.integer(0, 9) === 0) return oddText(text, random);
  change(root as Parent, random);
  return JSON.stringify(root);
}

export function mutateJson(bytes: Uint8Array, random: Random): Edit[] {
  const text = new TextDecoder().decode(bytes);
  const changed = random.integer(0, 19) === 0 ? undefined : mutateJsonText(text, random);
  return changed === undefined ? mutateBytes(bytes, random) : [difference(bytes, Buffer.from(changed))];
}

/** One line of JSON Lines. */
export function mutateLines(bytes: Uint8Array, random: Random): Edit[] {
  const lines = new TextDecoder().decode(bytes).split("\n");
  const at = random.integer(0, lines.length - 1);
  const changed = mutateJsonText(lines[at]!, random);
  if (changed === undefined || random.integer(0, 9) === 0) return mutateBytes(bytes, random);
  return [difference(bytes, Buffer.from(lines.with(at, changed).join("\n")))];
}

/** The header of a safetensors file, its length kept right most of the time; else any byte. */
export function mutateSafetensors(bytes: Uint8Array, random: Random): Edit[] {
  const length = bytes.length < 8 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const changed = mutateJsonText(new TextDecoder().decode(bytes.subarray(8, 8 + length)), random);
  if (changed === undefined || random.integer(0, 3) === 0) return mutateBytes(bytes, random, 8 + length);
  const header = Buffer.from(changed);
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(header.length + (random.integer(0, 9) === 0 ? random.integer(-2, 2) : 0));
  return [difference(bytes, Buffer.concat([prefix, header, bytes.subarray(8 + length)]))];
}
