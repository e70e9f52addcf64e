/**
 * Turns a body of llama-server's /completion into that of a text completion.
 * @module
 */
import type { FieldTable } from "../../../base/field-table.ts";
import { Fields } from "../../../base/fields.ts";
import { COMPLETION_FIELDS } from "../../../engine/request/field-tables.ts";
import type { Body } from "../../body.ts";
import type { Call } from "../../call.ts";
import { type Prompt, type Prompts, readPrompts } from "../prompts.ts";

/** Fields that this endpoint reads itself; all others are the engine's. */
const OWN = [
  ...["prompt", "stream", "n_cmpl", "n", "n_probs", "n_keep", "return_tokens", "response_fields", "n_indent"],
  ...["t_max_predict_ms"],
];
const ENGINE = COMPLETION_FIELDS.known.filter((name) => name !== "suffix" && !OWN.includes(name));
export const NATIVE_COMPLETION_FIELDS: FieldTable = {
  known: [...OWN, ...ENGINE],
  unused: (COMPLETION_FIELDS.unused ?? []).filter((name) => !OWN.includes(name)),
  unsupported: {
    ...Object.fromEntries(Object.entries(COMPLETION_FIELDS.unsupported ?? {}).filter(([name]) => !OWN.includes(name))),
    suffix: { instead: "send /infill input_prefix and input_suffix", neutral: (value) => value === "" },
  },
};

/** The range of `n_cmpl` and of `n`, which stands for it. */
const CHOICES = { min: 1, max: 128, integer: true };
const MAX_FIELDS = 256;
const MAX_PROMPTS = 256;

export interface NativeRequest {
  readonly stream: boolean;
  readonly prompts: readonly Prompt[];
  /** Answers to each prompt. */
  readonly n: number;
  /** Whether the whole answer is a list. */
  readonly several: boolean;
  readonly returnTokens: boolean;
  /** Alternatives of each token that the answer lists; 0: it lists no probabilities. */
  readonly probs: number;
  /** Milliseconds after the first token after which the answer ends with its line; 0: no bound. */
  readonly maxMs: number;
  /** Least white space before each line after the first; a line with less ends the answer. */
  readonly indent: number;
  /** Paths such as "generation_settings/n_predict"; undefined: the whole answer. */
  readonly responseFields: readonly string[] | undefined;
  /** The body as the engine takes it. */
  readonly body: Body;
}

/** The request of a body with prompts. @throws NibbleError `invalid_request` that names the field */
export function readNativeRequest({ model, body, exchange }: Call): NativeRequest {
  const fields = new Fields(body, NATIVE_COMPLETION_FIELDS, "", exchange.rules);
  return nativeRequest(fields, readPrompts(fields, model, { key: "prompt", most: MAX_PROMPTS }));
}

/** The request of a body whose prompts have been read. @throws NibbleError `invalid_request` that names the field */
export function nativeRequest(fields: Fields, { prompts, several }: Prompts): NativeRequest {
  const empty = prompts.findIndex(({ ids }) => ids.length === 0);
  if (empty >= 0)
    throw fields.invalid(several ? `prompt[${empty}]` : "prompt", "at least one token", prompts[empty]!.text);
  const stream = fields.boolean("stream") ?? false;
  const n = fields.number("n_cmpl", CHOICES) ?? fields.number("n", CHOICES) ?? 1;
  const returnTokens = fields.boolean("return_tokens") ?? false;
  const probs = fields.number("n_probs", { min: 0, max: 256, integer: true }) ?? 0;
  const maxMs = Math.max(0, fields.number("t_max_predict_ms", { integer: true }) ?? 0);
  const indent = fields.number("n_indent", { min: 0, integer: true }) ?? 0;
  // Ids and the count of tokens come with log-probabilities.
  const counted = stream || returnTokens || maxMs > 0 || indent > 0;
  return {
    stream,
    prompts,
    n,
    several: several || n > 1,
    returnTokens: stream || returnTokens,
    probs,
    maxMs,
    indent,
    responseFields: readPaths(fields),
    body: {
      ...engineFields(fields),
      n,
      prompt: prompts.map(({ ids }) => ids),
      n_probs: probs > 0 ? probs : counted ? 1 : undefined,
      n_keep: readKeep(fields, prompts),
    },
  };
}

function engineFields(fields: Fields): Body {
  return Object.fromEntries(ENGINE.map((name) => [name, fields.get(name)]));
}

/** -1 keeps the whole prompt; with several the shortest one counts. */
function readKeep(fields: Fields, prompts: readonly Prompt[]): number | undefined {
  const keep = fields.number("n_keep", { min: -1, integer: true });
  return keep === -1 ? Math.min(...prompts.map(({ ids }) => ids.length)) : keep;
}

function readPaths(fields: Fields): readonly string[] | undefined {
  const paths = fields.array("response_fields", MAX_FIELDS);
  if (paths === undefined || paths.length === 0) return undefined;
  const wrong = paths.find((path) => typeof path !== "string");
  if (wrong !== undefined) throw fields.invalid("response_fields", "paths as strings", wrong);
  return paths as readonly string[];
}
