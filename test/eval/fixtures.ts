/** The fixtures of lm-eval 0.4.13: rows of our own, and what lm-eval makes of them (test/fixtures/evaluation). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChatMessage, compileTemplate } from "../../src/chat/template.ts";
import { renderOpen } from "../../src/engine/prefill.ts";
import { Prompts } from "../../src/eval/prompts.ts";
import { TASKS } from "../../src/eval/registry.ts";
import { runsOf } from "../../src/eval/runs.ts";
import type { Row, Task } from "../../src/eval/task.ts";
import { root } from "../helpers/models.ts";

export const CHOICE_TASKS = [
  ...["arc_easy", "arc_challenge", "boolq", "piqa", "social_iqa", "hellaswag", "openbookqa", "winogrande", "mmlu"],
];

export const dataFolder: string = join(root, "test/fixtures/evaluation/data");
export const read = (name: string) => JSON.parse(readFileSync(join(root, "test/fixtures/evaluation", name), "utf8"));
export const rowsOf = (name: string): Row[] =>
  readFileSync(join(dataFolder, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const { chat_template } = JSON.parse(readFileSync(join(root, "models/crumb/tokenizer_config.json"), "utf8"));
const template = compileTemplate(chat_template);
/** A conversation by crumb's template, as a model's backend renders it. */
export function renderChat(messages: readonly ChatMessage[]): string {
  const render = (turns: readonly ChatMessage[], addGenerationPrompt: boolean): string =>
    template.render({ messages: turns, addGenerationPrompt, bosToken: "<|begin_of_text|>" });
  return messages.at(-1)?.role === "assistant" ? renderOpen(render, messages).text : render(messages, true);
}

/** A variant of a task as the fixtures name it. */
export interface Variant {
  readonly task: string;
  readonly shots: number;
  readonly chat: false | true | "single turn" | "shots as turns";
}

/** The rows of a variant, and its prompts. */
export function setUp({ task: name, shots, chat }: Variant): { task: Task; rows: Row[]; prompts: Prompts } {
  const subject = /^mmlu_(.*)/.exec(name)?.[1];
  const own = (rows: Row[]) => (subject === undefined ? rows : rows.filter((row) => row.subject === subject));
  const task = TASKS.get(subject === undefined ? name : "mmlu")!;
  const file = task.data_name ?? task.task;
  const pools: Record<string, string> = { mmlu: "mmlu.dev.jsonl", gsm8k: "gsm8k.train.jsonl" };
  const [run] = runsOf(task, {
    rows: own(rowsOf(`${file}.jsonl`)),
    pool: pools[file] ? own(rowsOf(pools[file])) : [],
    shots,
    chat: chat ? { render: renderChat, shotsAsTurns: chat !== "single turn" } : undefined,
  });
  return { task, rows: [...run!.rows], prompts: new Prompts(task, run!.prompts) };
}
