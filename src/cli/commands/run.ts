/**
 * `nibble run`: answers a prompt, or chats.
 * @module
 */
import { join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import type { ChatMessage } from "../../chat/template.ts";
import type { Model } from "../../engine/model.ts";
import type { GenerateOptions } from "../../engine/request/generate-options.ts";
import { nodeHost } from "../../hosts/node/host.ts";
import { nodeHub } from "../../hosts/node/hub.ts";
import { namesLike } from "../../hub/near-names.ts";
import { createLoad } from "../../load/create-load.ts";
import { loraFlags, loraOptions } from "../adapters.ts";
import { type Answer, answer, speed } from "../answer.ts";
import type { Arguments } from "../arguments.ts";
import type { Conversation } from "../chat/commands.ts";
import { type Command, defineCommand } from "../command.ts";
import { draftFlags, draftOptions } from "../drafts.ts";
import { ANSWER_LENGTH, conflict, type Flags, missing, number, requires, text, toggle, UsageError } from "../flags.ts";
import { hasTerminal, isShellInput, readStdin, readText } from "../input.ts";
import { DEFAULT_MODEL, isModel, jsonFlag, loading, modelFlag, runtimeFlags, runtimeOptions } from "../model.ts";
import { note, printJson } from "../output.ts";
import { samplingFlags, samplingOptions } from "../sampling.ts";

const flags = {
  model: modelFlag,
  prompt: text("-p, --prompt", "TEXT", "the prompt"),
  file: text("-f, --file", "FILE", "a file with the prompt; - is stdin"),
  system: text("-sys, --system-prompt", "TEXT", "a system message before the prompt"),
  raw: toggle("--raw", "use no chat template: the model continues the text"),
  predict: number(
    ANSWER_LENGTH,
    "N",
    { min: -1, integer: true },
    "most tokens of the answer (-1: until the context is full)",
  ),
  ...samplingFlags,
  reasoningBudget: number(
    "--reasoning-budget",
    "N",
    { min: -1, integer: true },
    "most tokens of reasoning, after which </think> is forced (0: no reasoning, -1: no limit)",
  ),
  contextShift: toggle("--context-shift", "when the context is full, drop half of it and go on, up to -n tokens"),
  keep: number(
    "--keep",
    "N",
    { min: 0, integer: true },
    "tokens at the start of the prompt that --context-shift keeps",
  ),
  ...draftFlags,
  logprobs: number(
    "--logprobs",
    "K",
    { min: 0, max: 20, integer: true },
    "with --json, also print log-probabilities of the tokens and of K alternatives",
  ),
  ...runtimeFlags,
  ...loraFlags,
  json: jsonFlag,
};

export const run: Command = defineCommand({
  name: "run",
  usage: "[MODEL] [PROMPT]",
  positionals: [0, 2],
  about: `Answers PROMPT; without a prompt, on a terminal, it chats. A single argument is the model if it is a model's name, a
path that exists, or ends in .gguf; otherwise it is a prompt for crumb. Text that a shell pipes in is put after the prompt.
One line break at the end of a file or of stdin is dropped. Settings of sampling that no flag sets are the model's own.
Ctrl-C ends the answer (exit code 130).`,
  flags,
  async run(args) {
    const { flags: given } = args;
    checkFlags(given);
    const { source, prompt } = await readArguments(args);
    const options = { ...runtimeOptions(given), ...loraOptions(given), ...(await draftOptions(given)) };
    const model = await loading(source, options, (all) => createLoad(nodeHost)(source, all));
    const base = model.info.chatTemplate === "none";
    if (base && given.system !== undefined)
      throw new NibbleError("invalid_request", "-sys: this model has no chat template, so it takes no system message");
    if (prompt === undefined) {
      if (base) throw missing("a prompt", "this model has no chat template, so it cannot chat");
      return startChat(model, args);
    }
    const ids = promptIds(model, prompt, args);
    const result = await answer(model, generateOptions(model, ids, args), !given.json);
    if (result.finishReason === "abort") process.exitCode = 130;
    if (!given.json) return void finish(result);
    await printJson(resultJson(ids, result, given.logprobs !== undefined));
  },
});

type RunArguments = Arguments<typeof flags>;

/** @throws UsageError for flags that cannot be combined */
function checkFlags({ logprobs, json, raw, system, contextShift, predict }: RunArguments["flags"]): void {
  if (logprobs !== undefined && !json) throw requires("--logprobs", "--json");
  if (raw && system !== undefined) throw conflict("-sys", "--raw", "only a chat template has a system message");
  if (contextShift && (predict ?? -1) === -1)
    throw requires("--context-shift", "-n N", "otherwise the answer would never end");
  if (predict === 0) throw new UsageError("-n: expected at least 1, or -1, got 0", "-n");
}

function resultJson(promptIds: readonly number[], result: Answer, withLogprobs: boolean): object {
  const logprobs = result.logprobs.map(({ id, logprob, top }) => ({
    id,
    logprob,
    top: top.map((one) => [one.id, one.logprob]),
  }));
  return {
    prompt_tokens: promptIds,
    tokens: result.tokens,
    text: result.text,
    finish_reason: result.finishReason,
    ...(withLogprobs && { logprobs }),
    timings: result.timings,
  };
}

/** `/set` cannot change these, since it takes one short value; they stay as on the command line. */
const NOT_IN_CHAT = ["logitBias", "allowedTokens", "badWords", "dryBreakers", "ignoreEos"];

/** The settings that `/set` can change, in the order of its list. */
function chatSettings(): Flags {
  const { predict, draftMax, draftMin, draftPMin } = flags;
  const all: Flags = { predict, draftMax, draftMin, draftPMin, ...samplingFlags };
  return Object.fromEntries(Object.entries(all).filter(([key]) => !NOT_IN_CHAT.includes(key)));
}

function newConversation(model: Model, given: RunArguments["flags"]): Conversation {
  const { name, architecture, contextLength, sampling } = model.info;
  const settings = chatSettings();
  const count = (messages: readonly ChatMessage[]): number => (messages.length ? chatIds(model, messages).length : 0);
  return {
    system: given.system,
    turns: [],
    // crumb has learnt single problems: an earlier answer would only lead it astray (models/crumb/README.md).
    forgets: architecture === "llama4" && name === DEFAULT_MODEL,
    settings,
    values: new Map(Object.entries(given).filter(([key]) => key in settings)),
    ownValue: (key) => (sampling as Readonly<Record<string, unknown>>)[key],
    facts: (messages) => [
      `${"model".padEnd(21)}${name}, architecture ${architecture}`,
      `${"conversation".padEnd(21)}${messages.length} messages, ${count(messages)} of ${contextLength} tokens`,
    ],
  };
}

async function startChat(model: Model, args: RunArguments): Promise<void> {
  const { chat } = await import("../chat/chat.ts");
  const conversation = newConversation(model, args.flags);
  const { settings, values } = conversation;
  const respond = async (messages: readonly ChatMessage[], signal: AbortSignal): Promise<Answer> => {
    const set = Object.fromEntries(Object.keys(settings).map((key) => [key, values.get(key)]));
    const given = { ...args.flags, ...set };
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

/** The model and the prompt; no prompt stands for a chat. */
async function readArguments({
  flags: given,
  positionals,
}: RunArguments): Promise<{ source: string; prompt?: string }> {
  const rest = [...positionals];
  const named = given.model === undefined && (rest.length === 2 || (rest.length === 1 && isModel(rest[0]!)));
  if (!named && given.model === undefined && rest.length === 1) checkNotName(rest[0]!);
  const source = given.model ?? (named ? rest.shift()! : DEFAULT_MODEL);
  const prompts = [...rest, given.prompt, given.file].filter((one) => one !== undefined);
  if (prompts.length > 1) throw new UsageError("only one of PROMPT, -p and -f can give the prompt");

  const parts: string[] = [];
  if (given.file !== undefined) parts.push(withoutLastBreak(await readText(given.file)));
  else if (prompts[0] !== undefined) parts.push(prompts[0]);
  const wantsStdin = parts.length > 0 ? isShellInput() && given.file !== "-" : !(await hasTerminal());
  if (wantsStdin) parts.push(withoutLastBreak(await readStdin()));
  const prompt = parts.filter((part) => part !== "").join("\n");
  if (prompt !== "") return { source, prompt };
  if (parts.length > 0) throw new UsageError("the prompt is empty; give it as PROMPT, by -p or -f, or on stdin");
  if (given.raw || given.json) throw missing("a prompt", "give it as PROMPT, by -p or -f, or on stdin");
  return { source };
}

/** A single word that is nearly the name of a model is asked back, since it is hardly a question to crumb. */
function checkNotName(word: string): void {
  const names = namesLike(word);
  if (names.length === 0) return;
  throw new UsageError(
    `${word}: there is no such model; did you mean ${names.join(" or ")}? As a prompt for crumb, give it by -p`,
    word,
  );
}

function withoutLastBreak(read: string): string {
  return read.replace(/\r?\n$/, "");
}

function promptIds(model: Model, prompt: string, { flags: { raw, system } }: RunArguments): number[] {
  if (raw || model.info.chatTemplate === "none") return model.tokenize(prompt);
  const messages = system === undefined ? [] : [{ role: "system", content: system }];
  return chatIds(model, [...messages, { role: "user", content: prompt }]);
}

/** The ids of a chat's prompt. No BOS is added: the template has written it if the model wants one. */
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
    draftMin: given.draftMin,
    draftPMin: given.draftPMin,
    reasoningBudget: given.reasoningBudget === -1 ? undefined : given.reasoningBudget,
    contextShift: given.contextShift,
    keep: given.keep,
    sampling: samplingOptions(given, sampling, endIds),
  };
}
