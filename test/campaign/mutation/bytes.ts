/** Mutations that know nothing of a format, and those of protobuf's. */
import type { Random } from "../../helpers/random.ts";
import { type Edit, edit } from "./edits.ts";
import { floatBytes, integerBytes, pick } from "./numbers.ts";

/** @param near half of the edits lie in so many bytes from the start, where headers are */
export function mutateBytes(bytes: Uint8Array, random: Random, near: number = bytes.length): Edit[] {
  const end = random.integer(0, 1) === 0 ? bytes.length : Math.min(near, bytes.length);
  const at = random.integer(0, Math.max(0, end - 1));
  const rest = bytes.length - at;
  const width = Math.min(rest, pick(random, [1, 2, 4, 8]));
  switch (random.integer(0, 8)) {
    case 0:
      return [edit(at, 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << random.integer(0, 7))))];
    case 1:
      return [edit(at, rest)];
    case 2:
      return [edit(at, Math.min(rest, random.integer(1, 64)))];
    case 3:
      return [edit(at, 0, random.bytes(random.integer(1, 64)))];
    case 4: {
      const from = random.integer(0, Math.max(0, bytes.length - 1));
      const copied = bytes.subarray(from, from + random.integer(1, 64));
      return [edit(at, copied.length, copied)];
    }
    case 5:
      return [edit(at, width, floatBytes(random, width === 8 ? 8 : Math.min(4, width)))];
    default:
      return [edit(at, width, integerBytes(random, bytes.subarray(at, at + width)))];
  }
}

function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; at < bytes.length && shift < 49; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  return [value, at];
}

/** The fields of a message: where each starts, where its value does, and where it ends. */
function protobufFields(bytes: Uint8Array): { start: number; value: number; end: number; wire: number }[] {
  const fields = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const [key, value] = varint(bytes, at);
    const wire = key & 7;
    const [length, inside] = varint(bytes, value);
    const end = wire === 0 ? inside : wire === 1 ? value + 8 : wire === 5 ? value + 4 : inside + length;
    if (end > bytes.length || end <= start) break;
    fields.push({ start, value: wire === 2 ? inside : value, end, wire });
    at = end;
  }
  return fields;
}

/** Fields of a protobuf message removed, doubled, moved, and changed within; nested messages are entered. */
export function mutateProtobuf(bytes: Uint8Array, random: Random): Edit[] {
  const fields = protobufFields(bytes);
  if (fields.length === 0 || random.integer(0, 4) === 0) return mutateBytes(bytes, random);
  const { start, value, end, wire } = pick(random, fields);
  switch (random.integer(0, 5)) {
    case 0:
      return [edit(start, end - start)];
    case 1:
      return [edit(pick(random, fields).start, 0, bytes.subarray(start, end))];
    case 2:
      return [edit(start, 1, Uint8Array.of(random.integer(0, 255)))];
    default: {
      const inner = bytes.subarray(value, end);
      const edits = wire === 2 && inner.length > 4 ? mutateProtobuf(inner, random) : mutateBytes(inner, random);
      return edits.map(([at, removed, text]) => [value + at, removed, text] as const);
    }
  }
}
