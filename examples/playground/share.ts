/**
 * A conversation in the fragment of a link, which no server sees: JSON, deflated, in base64url.
 * @module
 */
import type { Turn } from "./conversation.ts";

export interface Shared {
  /** What the model that answered is called. */
  readonly model: string;
  readonly turns: readonly Turn[];
}

const PREFIX = "#chat=";
/** Characters of a link, and bytes that it may inflate to: a link is untrusted. */
const MOST = { link: 2 ** 18, bytes: 2 ** 20 };

/** @throws Error for a conversation that is too long for a link */
export async function shareLink(shared: Shared): Promise<string> {
  const { model, turns } = shared;
  const json = JSON.stringify([model, ...turns.map(({ question, answer }) => [question, answer])]);
  const stream = new Blob([json]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = await collect(stream, Number.POSITIVE_INFINITY);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const base64 = btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  if (base64.length > MOST.link || json.length > MOST.bytes)
    throw new Error("The conversation is too long for a link.");
  return `${location.href.split("#")[0]}${PREFIX}${base64}`;
}

/**
 * The conversation of a link, or undefined if it has none.
 * @throws Error for a link that is damaged or too long
 */
export async function sharedBy(fragment: string): Promise<Shared | undefined> {
  if (!fragment.startsWith(PREFIX)) return undefined;
  try {
    if (fragment.length > MOST.link + PREFIX.length) throw new Error("it is too long");
    const base64 = fragment.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/");
    const packed = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return read(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await collect(stream, MOST.bytes))));
  } catch (cause) {
    throw new Error(`The conversation of this link cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function read(value: unknown): Shared {
  const [model, ...turns] = Array.isArray(value) ? value : [];
  const areTurns = turns.every(
    (turn) => Array.isArray(turn) && turn.length === 2 && turn.every((text) => typeof text === "string"),
  );
  if (typeof model !== "string" || turns.length === 0 || !areTurns) throw new Error("it holds something else");
  return { model, turns: turns.map(([question, answer]) => ({ question, answer })) };
}

async function collect(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    length += part.value.length;
    if (length > most) {
      await reader.cancel();
      throw new Error("it is too long");
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
