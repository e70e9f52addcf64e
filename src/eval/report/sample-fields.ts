/**
 * The fields of a line of `samples_<task>.jsonl` that the report shows.
 * @module
 */
import type { Row } from "../task.ts";

export interface SampleFields {
  readonly id: number;
  readonly doc: Row;
  readonly target: string;
  /** The index of the right choice, where there are choices. */
  readonly gold: number | undefined;
  /** The context of the first request: all that the model read. */
  readonly context: string;
  /** The generated texts; none where the answer was chosen. */
  readonly texts: readonly string[];
  /** The choices with their log-likelihoods; none where the answer was generated. */
  readonly choices: readonly Choice[];
  readonly filter: string;
  /** What the filter made of each generated text. */
  readonly answers: readonly string[];
  readonly metrics: readonly { readonly name: string; readonly value: number }[];
}

export interface Choice {
  readonly context: string;
  readonly continuation: string;
  readonly logprob: number;
}

type Json = Readonly<Record<string, unknown>>;

/** Returns undefined for a line that is no sample, such as one that was cut off. */
export function readFields(line: string): SampleFields | undefined {
  let json: Json;
  try {
    json = Object(JSON.parse(line)) as Json;
  } catch {
    return undefined;
  }
  const { doc_id: id, doc, target, gold, filter, metrics, resps, filtered_resps, answers = filtered_resps } = json;
  if (typeof id !== "number" || typeof filter !== "string" || !Array.isArray(metrics)) return undefined;
  const requests = Object.values((json.arguments ?? {}) as Record<string, Json>);
  const responses = Array.isArray(resps) ? resps : [];
  const chosen = requests.length > 0 && requests.every(({ arg_1 }) => typeof arg_1 === "string");
  return {
    id,
    doc: (doc ?? {}) as Row,
    target: String(target),
    gold: typeof gold === "number" ? gold : undefined,
    context: String(requests[0]?.arg_0 ?? ""),
    texts: chosen ? [] : textsIn(responses),
    choices: chosen ? requests.map((request, i) => choiceOf(request, responses[i])) : [],
    filter,
    answers: chosen ? [] : textsIn(answers),
    metrics: metrics.map((name) => ({ name: String(name), value: Number(json[String(name)]) })),
  };
}

/** All texts in nested lists. */
function textsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return typeof value === "string" ? [value] : [];
}

/** @param response `[[log-likelihood, whether greedy]]`, both as texts */
function choiceOf({ arg_0, arg_1 }: Json, response: unknown): Choice {
  return { context: String(arg_0), continuation: String(arg_1), logprob: Number(textsIn(response)[0]) };
}
