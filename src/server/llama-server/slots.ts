/**
 * llama-server's /slots: a conversation's part of the key-value cache, saved and restored under a name. A slot of this
 * server holds nothing by itself, for what requests have computed is shared by all: the request says what to save.
 * @module
 */
import { Fields, invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import type { ChatCompletionRequest } from "../../engine/openai/types.ts";
import { asNibbleError } from "../errors.ts";

/** Where saved slots are: a folder, a bucket. Names are letters, digits, dots, dashes and underscores. */
export interface SlotStore {
  /** undefined: there is none of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}

/** llama-server's GET /slots. Slots are alike: of those that are taken, the first ones are said to be. */
export function slotStates({ info }: Model, slots: number, busy: number): object[] {
  return Array.from({ length: slots }, (_, id) => ({ id, n_ctx: info.contextLength, is_processing: id < busy }));
}

const ACTIONS = ["save", "restore", "erase"] as const;
const CONVERSATION = ["prompt", "messages", "tools", "chat_template_kwargs"];

/**
 * `?action=save` `{ filename, prompt | messages, tools?, chat_template_kwargs? }`, `restore` `{ filename }`, `erase`.
 * @throws NibbleError `invalid_request` that names the field
 */
export function slotAction(
  model: Model,
  { searchParams }: URL,
  body: unknown,
  store: SlotStore,
  id: number,
): (signal: AbortSignal) => Promise<object> {
  const given = searchParams.get("action");
  const action = ACTIONS.find((one) => one === given);
  if (action === undefined) throw invalid("action", ACTIONS.map((one) => `"${one}"`).join(" or "), given);
  if (action === "erase") {
    new Fields(body, ["model"]);
    return async () => {
      const { cachedPages } = model.load();
      model.clearPrefixCache();
      return { id_slot: id, n_erased_pages: cachedPages };
    };
  }
  const fields = new Fields(body, ["model", "filename", ...(action === "save" ? CONVERSATION : [])]);
  const name = fields.string("filename", 128);
  if (name === undefined || !/^[\w-][\w.-]*$/.test(name)) throw fields.invalid("filename", "a plain file name", name);
  if (action === "restore") return () => restore(model, store, name, id);
  const prompt = promptOf(model, fields);
  return (signal) => save(model, store, name, id, prompt, signal);
}

function promptOf(model: Model, fields: Fields): number[] {
  const prompt = fields.string("prompt", Infinity);
  const [messages, tools, variables] = ["messages", "tools", "chat_template_kwargs"].map((key) => fields.get(key));
  if ((prompt === undefined) === (messages === undefined))
    throw fields.invalid("prompt", "it or else messages", prompt);
  if (prompt !== undefined) return model.tokenize(prompt);
  // The engine checks every field: the type is what it will be then.
  const chat = { messages, tools, chat_template_kwargs: variables } as unknown as ChatCompletionRequest;
  return model.chatPrompt(chat).ids;
}

/** Tokens that were not computed yet are computed beside other requests first. */
async function save(
  model: Model,
  store: SlotStore,
  name: string,
  id: number,
  prompt: readonly number[],
  signal: AbortSignal,
): Promise<object> {
  for await (const _ of model.generate({ prompt, maxTokens: 1, signal }));
  const session = model.session();
  try {
    session.forward(prompt, { logits: "none" });
    const bytes = session.save();
    await store.write(name, bytes);
    return { id_slot: id, filename: name, n_saved: prompt.length, n_written: bytes.length };
  } finally {
    session.dispose();
  }
}

/** What the session held stays in the cache, for whoever begins with it. */
async function restore(model: Model, store: SlotStore, name: string, id: number): Promise<object> {
  const bytes = await store.read(name);
  if (!bytes) throw invalid("filename", "one that was saved", name);
  try {
    const session = model.restore(bytes);
    const { length } = session;
    session.dispose();
    return { id_slot: id, filename: name, n_restored: length, n_read: bytes.length };
  } catch (error) {
    const known = asNibbleError(error);
    if (!known || known.code === "context_full") throw error;
    throw invalid("filename", `a slot of this model (${known.message})`, name);
  }
}
