/**
 * Prompts that ask for the text of a gap ("fill in the middle"), in the order of llama-server's /infill.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { checkIds, Fields, invalid } from "../base/fields.ts";
import { missingFim } from "../tokenizer/fim.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import type { Core } from "./core.ts";
import { boundedEncode } from "./request/bounded-encode.ts";
import { checkPrompt } from "./request/generate-options.ts";

/** A file beside the one that has the gap. */
export interface InfillFile {
  /** Default: "tmp". */
  readonly filename?: string | undefined;
  /** What stands in it, or a part of it. */
  readonly text: string;
}

/** Options of `model.infillPrompt`. */
export interface InfillOptions {
  /** The beginning of the gap, which is known already: it is never cut, and the answer goes on after it. */
  readonly begun?: string | undefined;
  /** Other files of the project, the nearest one last. */
  readonly files?: readonly InfillFile[] | undefined;
  /** Tokens that the answer may have, for which room is left. Default: a quarter of the context, which is also the most. */
  readonly maxTokens?: number | undefined;
}

/** Tokens of the text around the gap: llama-server's batch. Three quarters are for what stands before the gap. */
const AROUND = 2048;
/** The markers of prefix, suffix and gap, and BOS. */
const MARKERS = 4;
/** UTF-16 units that are read for each token of the end of a text. Code has three or four for each, runs of spaces up to 128. */
const UNITS = 128;
const MAX_FILES = 1024;

/** The parts of a prompt as token ids. */
export interface InfillParts {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  /** What comes before all others, such as other files. */
  readonly extra?: readonly number[];
  /** Whether BOS is added. Default: as the model asks. */
  readonly addBos?: boolean | undefined;
}

/** Why a model cannot fill gaps, as a clause; undefined if it can. */
export function infillLack({ name, tokenizer }: Pick<Core, "name" | "tokenizer">): string | undefined {
  const missing = missingFim(tokenizer.fim);
  if (missing.length === 0) return undefined;
  return `the model ${name} cannot fill gaps: its vocabulary has no token for the ${missing.join(", the ")}`;
}

/**
 * `[extra][BOS][PRE]prefix[SUF]suffix[MID]`, or with the suffix first (SPM) `[extra][BOS][SUF]suffix[PRE]prefix[MID]`. The
 * model has the tokens (`infillLack`).
 */
export function infillIds(
  { tokenizer, spmInfill }: Pick<Core, "tokenizer" | "spmInfill">,
  parts: InfillParts,
): number[] {
  const { fim, bosId } = tokenizer;
  const addBos = parts.addBos ?? tokenizer.addBos;
  const sides = [
    [fim.prefix!, ...parts.prefix],
    [fim.suffix!, ...parts.suffix],
  ];
  if (spmInfill || fim.suffixFirst) sides.reverse();
  const bos = addBos && bosId !== undefined ? [bosId] : [];
  const middle = fim.middle === undefined ? [] : [fim.middle];
  return [...(parts.extra ?? []), ...bos, ...sides.flat(), ...middle];
}

/**
 * The prompt for a gap with the files of its project. Of the text around it only the nearest is kept: 2,048 tokens, or as
 * many as leave room for the answer, of which three quarters stand before the gap. The other files fill what is left of
 * the context, and of them the end is kept.
 * @throws NibbleError `not_supported` for a model without the tokens, `invalid_argument`, `context_full`
 */
export function infillPrompt(core: Core, prefix: unknown, suffix: unknown, options: unknown): number[] {
  core.checkGenerates();
  const lack = infillLack(core);
  if (lack !== undefined) throw new NibbleError("not_supported", lack);
  const { tokenizer, context } = core;
  const { begun, files, maxTokens } = checkInfillOptions(options);
  const answer = Math.min(maxTokens ?? Infinity, Math.floor(context.contextLength / 4));
  const around = Math.min(AROUND, context.contextLength - answer - MARKERS);
  const quarter = Math.floor(around / 4);
  const started = boundedEncode(tokenizer, context.contextLength, "begun")(begun, { addBos: false });
  const before = last(
    sideOf(prefix, "prefix", core, (text) => lastIds(text, 3 * quarter, tokenizer)),
    3 * quarter,
  );
  const most = Math.max(0, quarter - 2 - started.length);
  const after = sideOf(suffix, "suffix", core, (text) => firstIds(text, most, tokenizer)).slice(0, most);
  const room = context.contextLength - around - MARKERS - answer;
  const extra = extraIds(files, room, tokenizer);
  const ids = infillIds(core, { prefix: [...before, ...started], suffix: after, extra });
  return checkPrompt(ids, context, "begun");
}

function checkInfillOptions(options: unknown): Required<Pick<InfillOptions, "files">> & {
  readonly begun: string;
  readonly files: readonly InfillFile[];
  readonly maxTokens: number | undefined;
} {
  const fields = new Fields(options ?? {}, ["begun", "files", "maxTokens"], "", "invalid_argument");
  const files = (fields.array("files", MAX_FILES) ?? []).map((file, i) => {
    const inner = fields.nested(file, ["filename", "text"], `files[${i}]`);
    const text = inner.string("text", Infinity);
    if (text === undefined) throw inner.invalid("text", "a string", text);
    return { filename: inner.string("filename", Infinity), text };
  });
  const maxTokens = fields.number("maxTokens", { min: 0, integer: true });
  return { begun: fields.string("begun", Infinity) ?? "", files, maxTokens };
}

/** The ids of one side of the gap. Text that spells a special token stays text. */
function sideOf(value: unknown, param: string, { context }: Core, encode: (text: string) => number[]): number[] {
  if (typeof value === "string") return encode(value);
  if (!Array.isArray(value)) throw invalid(param, "a string or token ids", value, "invalid_argument");
  return checkIds(param, value, context.vocabSize);
}

/** At least the last `count` ids of a text, if it has so many. The rest of a long text is not read. */
function lastIds(text: string, count: number, tokenizer: Tokenizer): number[] {
  return tokenizer.encode(text.slice(-Math.max(1, UNITS * count)), { special: false, addBos: false });
}

/** At least the first `count` ids of a text, if it has so many. */
function firstIds(text: string, count: number, tokenizer: Tokenizer): number[] {
  return tokenizer.encode(text, { special: false, addBos: false, enough: count });
}

/**
 * The other files, as Qwen2.5-Coder was trained to read a repository (https://arxiv.org/abs/2409.12186). Where a model has
 * no token in front of a file, a line of text stands there. The names are llama-server's.
 */
function extraIds(files: readonly InfillFile[], room: number, tokenizer: Tokenizer): readonly number[] {
  const { repository, file } = tokenizer.fim;
  const text = (part: string): number[] => lastIds(part, room, tokenizer);
  const parts = [
    ...(repository === undefined ? [] : [() => [repository, ...text("myproject\n")]]),
    ...files.map(({ filename = "tmp", text: content }) => () => [
      ...(file === undefined ? text("\n\n--- snippet ---\n\n") : [file, ...text(`${filename}\n`)]),
      ...text(content),
    ]),
    ...(file === undefined ? [] : [() => [file, ...text("filename\n")]]),
  ];
  let ids: readonly number[] = [];
  for (const part of parts.reverse()) if (ids.length < room) ids = [...part(), ...ids];
  return last(ids, room);
}

function last(ids: readonly number[], count: number): readonly number[] {
  return count > 0 ? ids.slice(-count) : [];
}
