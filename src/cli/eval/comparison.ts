/**
 * The rows of `nibble compare`.
 * @module
 */
import { runNibble } from "../run-nibble.ts";

/** A model to be measured. */
export interface Variant {
  /** What the user called the model. */
  readonly name: string;
  /** A name for files, which no other variant has. */
  readonly label: string;
  /** What is opened. */
  readonly model: string;
  /** The type in which it was written, if it was. */
  readonly type?: string;
  /** What it is compared with; undefined for a reference. */
  readonly reference?: string;
}

/** Figures of a variant. */
export interface Measured {
  readonly model: string;
  /** The type it was written in, or `as it is`. */
  readonly type: string;
  readonly bytes: number;
  readonly bitsPerWeight: number;
  readonly ppl: number;
  /** Nats per token, with the standard error of the mean, and the share of tokens that both models put first. */
  readonly divergence: { readonly mean: number; readonly standardError: number; readonly top1: number } | undefined;
  /** By `task metric`: the value and its standard error. */
  readonly scores: Readonly<Record<string, readonly [value: number, error: number]>>;
}

interface Measurement {
  /** The file with the text. */
  readonly text: string;
  /** Flags of both commands. */
  readonly shared: readonly string[];
  /** The call of `nibble eval` without its model; empty for none. */
  readonly evaluation: readonly string[];
}

type Likelihood = { readonly ppl: number; readonly divergence?: Measured["divergence"] };
type Values = Readonly<Record<string, number | string>>;

export async function measure(variant: Variant, { text, shared, evaluation }: Measurement): Promise<Measured> {
  const { model, reference, type = "as it is", name } = variant;
  const compared = reference === undefined ? [] : ["--reference", reference];
  const { bytes, bitsPerWeight } = (await runNibble(["inspect", model])) as Pick<Measured, "bytes" | "bitsPerWeight">;
  const likelihood = (await runNibble(["perplexity", "-m", model, "-f", text, ...compared, ...shared])) as Likelihood;
  const results = evaluation.length === 0 ? {} : await runNibble([...evaluation, "-m", model]);
  const { results: scores = {} } = results as { readonly results?: Readonly<Record<string, Values>> };
  const { ppl, divergence } = likelihood;
  return { model: name, type, bytes, bitsPerWeight, ppl, divergence, scores: scoresOf(scores) };
}

/** Of each task the last metric and filter: `acc_norm` where there is one, and GSM8K's flexible match. */
function scoresOf(results: Readonly<Record<string, Values>>): Measured["scores"] {
  const entries = Object.entries(results).flatMap(([task, values]) => {
    const key = Object.keys(values)
      .filter((one) => one.includes(",") && !one.includes("_stderr,"))
      .pop();
    const [metric, filter] = key?.split(",") ?? [];
    const error = Number(values[`${metric}_stderr,${filter}`] ?? Number.NaN);
    return key === undefined ? [] : [[`${task} ${metric}`, [Number(values[key]), error] as const] as const];
  });
  return Object.fromEntries(entries);
}

/** A table in Markdown. Scores are in percent with their standard errors. */
export function comparisonTable(rows: readonly Measured[]): string {
  const names = [...new Set(rows.flatMap(({ scores }) => Object.keys(scores)))];
  const head = ["model", "type", "MB", "bits per weight", "perplexity", "divergence", "same first token", ...names];
  const lines = rows.map(({ model, type, bytes, bitsPerWeight, ppl, divergence, scores }) => [
    model.split("/").pop()!,
    type,
    (bytes / 1e6).toFixed(1),
    bitsPerWeight.toFixed(2),
    ppl.toFixed(3),
    divergence ? `${divergence.mean.toFixed(4)} ± ${divergence.standardError.toFixed(4)}` : "",
    divergence ? `${(100 * divergence.top1).toFixed(1)} %` : "",
    ...names.map((name) => scoreOf(scores[name])),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map((_, i) => (i < 2 ? "---" : "---:"))) + lines.map(line).join("");
}

function scoreOf(score: readonly [number, number] | undefined): string {
  if (!score) return "";
  const [value, error] = score.map((one) => (100 * one).toFixed(1));
  return `${value} ± ${error}`;
}
