/**
 * Finds where a call may begin in an answer of Hermes' format: at its tag, or without the tag where a line begins with the
 * call's JSON, bare or in a fence, as Qwen's small models write it.
 * @module
 */
import { CALL_TAGS } from "./tool-format.ts";

const FENCE = "```";
/** Markers that some models write around the JSON instead of the tags. */
const WRAPPERS: readonly string[] = ["<tools>", "[", "<function_call>"];
/** The strings that end a call, besides white space. */
const CLOSERS: readonly string[] = [CALL_TAGS[1], FENCE, "</tools>", "</function_call>"];

export interface Opener {
  /** Where the text before the call ends. */
  readonly at: number;
  /** Where the call's JSON begins; undefined if the text ends before that is certain. */
  readonly body: number | undefined;
  /** The call has no tag. */
  readonly bare: boolean;
}

/**
 * The first place where a call begins, or may begin with what follows the text.
 * @param lineStart the text begins at the start of a line
 * @param bare whether calls without tags count
 */
export function findOpener(text: string, lineStart: boolean, bare: boolean): Opener | undefined {
  const tagged = findTag(text);
  if (!bare) return tagged;
  const end = tagged?.at ?? text.length;
  for (let line = lineStart ? 0 : text.indexOf("\n") + 1; line < end; line = text.indexOf("\n", line) + 1) {
    if (line === 0 && !lineStart) break;
    const body = bareBody(text, line);
    if (body === "none") {
      if (text.indexOf("\n", line) < 0) break;
      continue;
    }
    // The tag itself may stand in a fence.
    if (tagged && (body === "open" || body > tagged.at)) return { ...tagged, at: line };
    return { at: line, body: body === "open" ? undefined : body, bare: true };
  }
  return tagged;
}

function findTag(text: string): Opener | undefined {
  const [open] = CALL_TAGS;
  const at = text.indexOf(open);
  if (at >= 0) return { at, body: at + open.length, bare: false };
  const partial = beginning(text, open);
  return partial > 0 ? { at: text.length - partial, body: undefined, bare: false } : undefined;
}

/** Where the JSON of a bare call begins that starts on this line; "open": the text ends before that is certain. */
function bareBody(text: string, line: number): number | "open" | "none" {
  let at = skip(text, line, /[ \t]/);
  if (text.startsWith(FENCE, at)) {
    at = skip(text, skip(text, at + FENCE.length, /\w/), /[ \t]/);
    if (at < text.length && text[at] !== "\n") return "none";
    at = skip(text, at, /\s/);
  } else if (at < text.length && FENCE.startsWith(text.slice(at))) return "open";
  const tag = CALL_TAGS[0];
  for (const wrapper of [...WRAPPERS, tag]) {
    if (text.startsWith(wrapper, at)) at = skip(text, at + wrapper.length, /\s/);
    else if (at < text.length && wrapper.startsWith(text.slice(at))) return "open";
  }
  if (at === text.length) return "open";
  return text[at] === "{" ? at : "none";
}

function skip(text: string, from: number, what: RegExp): number {
  let at = from;
  while (at < text.length && what.test(text[at]!)) at++;
  return at;
}

/**
 * The text behind a call, without what closes the call.
 * @returns undefined if the text may go on to close it
 */
export function behindCall(text: string, bare: boolean): string | undefined {
  let rest = text;
  for (;;) {
    rest = rest.replace(bare ? /^[\s,;\]]+/ : /^\s+/, "");
    const closer = CLOSERS.find((one) => rest.startsWith(one));
    if (closer === undefined) break;
    rest = rest.slice(closer.length);
  }
  return CLOSERS.some((one) => one.startsWith(rest)) ? undefined : rest;
}

/** Length of the longest end of a text that may be the beginning of a tag. */
export function beginning(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(tag.slice(0, length))) return length;
  }
  return 0;
}
