/**
 * `nibble run`: answers a prompt, or chats.
 * @module
 */
import { join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import type { ChatMessage } from "../../chat/template.ts";
import type { GenerateOptions } from "../../engine/generate.ts";
import type { Model } from "../../engine/model.ts";
import { DRAFT_MAX } from "../../engine/sample/defaults.ts";
import { nodeHost } from "../../hosts/node/host.ts";
import { nodeHub } from "../../hosts/node/hub.ts";
import { createLoad } from "../../load/create-load.ts";
import { loraFlags, loraOptions } from "../adapters.ts";
import { type Answer, answer, speed } from "../answer.ts";
import { type Command, defineCommand } from "../command.ts";
import { type Arguments, number, text, toggle, UsageError } from "../flags.ts";
import { hasTerminal, isShellInput, readStdin, readText } from "../input.ts";
import { DEFAULT_MODEL, isModel, jsonFlag, loading, modelFlag, runtimeFlags, runtimeOptions } from "../model.ts";
import { note, printJson } from "../output.ts";
import { samplingFlags, samplingOptions } from "../sampling.ts";

const flags = {
  model: modelFlag,
  prompt: text("-p, --prompt", "TEXT", "the prompt"),
  file: text("-f, --file", "FILE", "a file with the prompt; - is stdin"),
  system: text("-sys, --system-prompt", "TEXT", "a system message before it"),
  raw: toggle("--raw", "no chat template: the model goes on with the text as it stands"),
  predict: number(
    "-n, --n-predict",
    "N",
    { min: -1, integer: true },
    "most tokens of an answer (-1: to the context's end)",
  ),
  ...samplingFlags,
  reasoningBudget: number(
    "--reasoning-budget",
    "N",
    { min: -1, integer: true },
    "tokens of reasoning after which </think> comes (0: no reasoning, -1: no bound)",
  ),
  contextShift: toggle("--context-shift", "where the context is full, forget half of it and go on, as far as -n"),
  keep: number("--keep", "N", { min: 0, integer: true }, "tokens of the prompt that such a shift leaves"),
  draftMax: number(
    "--draft-max",
    "N",
    { min: 0, max: 1024, integer: true },
    `most tokens that a step drafts from earlier text (default ${DRAFT_MAX}; 0: none)`,
  ),
  logprobs: number(
    "--logprobs",
    "K",
    { min: 0, max: 20, integer: true },
    "with --json: log-probabilities, and of K alternatives",
  ),
  ...runtimeFlags,
  ...loraFlags,
  json: jsonFlag,
};

export const run: Command = defineCommand({
  name: "run",
  usage: "[MODEL] [PROMPT]",
  positionals: [0, 2],
  about: `Answers PROMPT; without one, on a terminal, chats. A lone argument is the model if it is a model's name, a path
that exists or ends in .gguf; else it is a prompt for crumb. Text that a shell pipes in goes after the prompt. One line
break at the end of a file or of stdin is dropped. Sampling is by the model's own settings where flags say nothing.
Ctrl-C ends the answer (exit code 130).`,
  flags,
  async run(args) {
    const { flags: given } = args;
    if (given.logprobs !== undefined && !given.json)
      throw new UsageError("--logprobs: expected --json with it", "--logprobs");
    if (given.raw && given.system !== undefined) throw new UsageError("-sys: expected no --raw with it", "-sys");
    if (given.contextShift && (given.predict ?? -1) === -1)
      throw new UsageError("--context-shift: expected -n N with it", "--context-shift");
    if (given.predict === 0) throw new UsageError("-n: expected at least 1, or -1, got 0", "-n");
    const { source, prompt } = await readArguments(args);
    const options = { ...runtimeOptions(given), ...loraOptions(given) };
    const model = await loading(source, options, (all) => createLoad(nodeHost)(source, all));
    const base = model.info.chatTemplate === "none";
    if (base && given.system !== undefined)
      throw new NibbleError("invalid_request", "-sys: this model has no chat template");
    if (prompt === undefined) {
      if (base) throw new UsageError("expected a prompt: this model has no chat template, so it cannot chat");
      return startChat(model, args);
    }
    const ids = promptIds(model, prompt, args);
    const result = await answer(model, generateOptions(model, ids, args), !given.json);
    if (result.finishReason === "abort") process.exitCode = 130;
    if (!given.json) return void finish(result);
    await printJson({
      prompt_tokens: ids,
      tokens: result.tokens,
      text: result.text,
      finish_reason: result.finishReason,
      ...(given.logprobs !== undefined && {
        logprobs: result.logprobs.map(({ id, logprob, top }) => ({
          id,
          logprob,
          top: top.map((one) => [one.id, one.logprob]),
        })),
      }),
      timings: result.timings,
    });
  },
});

type RunArguments = Arguments<typeof flags>;

/** What cannot be set by one short value stays as the command line says. */
const NOT_IN_CHAT = ["logitBias", "allowedTokens", "badWords", "dryBreakers", "ignoreEos"];

async function startChat(model: Model, args: RunArguments): Promise<void> {
  const { chat } = await import("../chat.ts");
  const { predict, draftMax, ...others } = { ...samplingFlags, predict: flags.predict, draftMax: flags.draftMax };
  const settings = Object.entries({ predict, draftMax, ...others }).filter(([key]) => !NOT_IN_CHAT.includes(key));
  const { name, architecture, contextLength, sampling } = model.info;
  const values = new Map(
    settings.flatMap(([key]) => (key in args.flags ? [[key, args.flags[key as keyof typeof args.flags]]] : [])) as [
      string,
      unknown,
    ][],
  );
  const conversation = {
    system: args.flags.system,
    turns: [],
    settings: Object.fromEntries(settings),
    values,
    ownValue: (key: string): unknown => (sampling as Readonly<Record<string, unknown>>)[key],
    facts: (messages: readonly ChatMessage[]) => [
      `${"model".padEnd(21)}${name}, architecture ${architecture}`,
      `${"conversation".padEnd(21)}${messages.length} messages, ${messages.length ? chatIds(model, messages).length : 0} of ${contextLength} tokens`,
    ],
  };
  const respond = async (messages: readonly ChatMessage[], signal: AbortSignal): Promise<Answer> => {
    const given = { ...args.flags, ...Object.fromEntries(settings.map(([key]) => [key, values.get(key)])) };
    const options = generateOptions(model, chatIds(model, messages), { ...args, flags: given });
    return finish(await answer(model, { ...options, signal }, true));
  };
  const { directory } = await nodeHub();
  const history = process.env.NIBBLE_HISTORY ?? join(directory, "chat-history");
  await chat(conversation, respond, history || undefined);
}

function finish(result: Answer): Answer {
  note(speed(result));
  return result;
}

/** The model, and the prompt: undefined for a chat. */
async function readArguments({
  flags: given,
  positionals,
}: RunArguments): Promise<{ source: string; prompt?: string }> {
  const rest = [...positionals];
  const named = given.model === undefined && (rest.length === 2 || (rest.length === 1 && isModel(rest[0]!)));
  const source = given.model ?? (named ? rest.shift()! : DEFAULT_MODEL);
  const prompts = [...rest, given.prompt, given.file].filter((one) => one !== undefined);
  if (prompts.length > 1) throw new UsageError("expected one prompt: an argument, -p or -f; got more");

  const parts: string[] = [];
  if (given.file !== undefined) parts.push(withoutLastBreak(await readText(given.file)));
  else if (prompts[0] !== undefined) parts.push(prompts[0]);
  const wantsStdin = parts.length > 0 ? isShellInput() && given.file !== "-" : !(await hasTerminal());
  if (wantsStdin) parts.push(withoutLastBreak(await readStdin()));
  const prompt = parts.filter((part) => part !== "").join("\n");
  if (prompt !== "") return { source, prompt };
  if (parts.length > 0) throw new UsageError("expected a prompt, got empty text");
  if (given.raw || given.json) throw new UsageError("expected a prompt (an argument, -p, -f or stdin), got none");
  return { source };
}

function withoutLastBreak(read: string): string {
  return read.replace(/\r?\n$/, "");
}

function promptIds(model: Model, prompt: string, { flags: { raw, system } }: RunArguments): number[] {
  if (raw || model.info.chatTemplate === "none") return model.tokenize(prompt);
  const messages = system === undefined ? [] : [{ role: "system", content: system }];
  return chatIds(model, [...messages, { role: "user", content: prompt }]);
}

/** The template has written BOS if the model wants one. */
function chatIds(model: Model, messages: readonly ChatMessage[]): number[] {
  return model.tokenize(model.applyTemplate(messages), { addBos: false });
}

function generateOptions(model: Model, prompt: readonly number[], { flags: given }: RunArguments): GenerateOptions {
  const { sampling, endIds } = model.info;
  return {
    prompt,
    maxTokens: given.predict === -1 ? undefined : given.predict,
    endIds: given.ignoreEos ? [] : endIds,
    logprobs: given.logprobs,
    draftMax: given.draftMax,
    reasoningBudget: given.reasoningBudget === -1 ? undefined : given.reasoningBudget,
    contextShift: given.contextShift,
    keep: given.keep,
    sampling: samplingOptions(given, sampling, endIds),
  };
}
