/**
 * llama-server's /slots: saves and restores a conversation's part of the key-value cache under a name. A slot of this
 * server has no cache of its own, because all requests share one cache; so the request says what to save.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { Fields, invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import type { ChatCompletionRequest } from "../../engine/openai/chat-types.ts";
import type { SessionKey } from "../../engine/session/signature.ts";
import { PAGE_TOKENS } from "../../runtime/layout.ts";
import type { Call } from "../call.ts";
import { asNibbleError } from "../errors.ts";
import type { Exchange } from "../route.ts";
import { tokenizePrompt } from "../tokenize.ts";
import type { SlotStore } from "./slot-store.ts";

/**
 * Slots are alike: where `n` are taken, the first `n` are shown as busy.
 * @throws NibbleError with status 503 with `?fail_on_no_slot=1`, where none is free
 */
export function slotStates({ info }: Model, { url, server: { settings, admission } }: Exchange): object[] {
  if (url.searchParams.get("fail_on_no_slot") === "1" && admission.active >= settings.slots)
    throw new NibbleError("shutting_down", "no slot is free");
  return Array.from({ length: settings.slots }, (_, id) => ({
    id,
    n_ctx: info.contextLength,
    is_processing: id < admission.active,
  }));
}

const ACTIONS = ["save", "restore", "erase"] as const;
const CONVERSATION = ["prompt", "messages", "tools", "chat_template_kwargs"];

/** One checked action on a slot. */
interface SlotAction {
  readonly model: Model;
  readonly store: SlotStore;
  /** The slot's number, which the answer repeats. */
  readonly id: number;
  /** The file's name in the store. */
  readonly name: string;
  /** Signs what is saved, and is asked for what is restored. */
  readonly key: () => Promise<SessionKey>;
}

type Compute = (signal: AbortSignal) => Promise<object>;

/**
 * `?action=save` with `{ filename, prompt | messages, tools?, chat_template_kwargs? }`, `?action=restore` with
 * `{ filename }`, or `?action=erase`.
 * @throws NibbleError `invalid_request` that names the field; `not_found` for a slot that does not exist
 */
export function slotAction({ model, body, exchange }: Call): Compute {
  const { url, params, server } = exchange;
  const { slotStore: store, slots } = server.settings;
  const id = /^\d{1,4}$/.test(params.id!) ? Number(params.id) : slots;
  if (id >= slots) throw new NibbleError("not_found", `${url.pathname.slice(0, 100)}: there is no such slot`);
  const given = url.searchParams.get("action");
  const action = ACTIONS.find((one) => one === given);
  if (action === undefined) throw invalid("action", ACTIONS.map((one) => `"${one}"`).join(" or "), given);
  if (action === "erase") return erase(model, id);
  if (!store) {
    const message = `${url.pathname}: this server saves no slots; start it with --slot-save-path, or the option slotStore`;
    throw new NibbleError("not_supported", message);
  }
  const fields = new Fields(body, ["model", "filename", ...(action === "save" ? CONVERSATION : [])]);
  const name = fields.string("filename", 128);
  if (name === undefined || !/^[\w-][\w.-]*$/.test(name)) throw fields.invalid("filename", "a plain file name", name);
  const slot = { model, store, id, name, key: () => slotKeyOf(exchange) };
  if (action === "restore") return () => restore(slot);
  const prompt = promptOf(model, fields);
  return (signal) => save(slot, prompt, signal);
}

/** The keys of handlers whose options name none. */
const ownKeys = new WeakMap<object, Uint8Array>();

/** The handler's key, or one made of it and the caller, so that callers do not restore each other's slots. */
async function slotKeyOf({ caller, server: { settings } }: Exchange): Promise<SessionKey> {
  const own = ownKeys.get(settings) ?? crypto.getRandomValues(new Uint8Array(32));
  ownKeys.set(settings, own);
  const secret = new Uint8Array(settings.slotKey ?? own);
  if (caller === undefined || settings.sharePrefixes) return secret;
  const hmac = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", hmac, new TextEncoder().encode(caller)));
}

/** Drops the tokens of ended requests from the cache. There need not be a body. */
function erase(model: Model, id: number): Compute {
  return async () => {
    const { cachedPages } = model.stats();
    model.clearPrefixCache();
    return { id_slot: id, n_erased: cachedPages * PAGE_TOKENS, n_erased_pages: cachedPages };
  };
}

function promptOf(model: Model, fields: Fields): number[] {
  const prompt = fields.string("prompt", Infinity);
  const [messages, tools, variables] = ["messages", "tools", "chat_template_kwargs"].map((key) => fields.get(key));
  if ((prompt === undefined) === (messages === undefined))
    throw fields.invalid("prompt", "a text, or messages in its place: the slots here share one cache", prompt);
  if (prompt !== undefined) return tokenizePrompt(model, prompt, "prompt");
  // The cast is safe, because the engine checks every field.
  const chat = { messages, tools, chat_template_kwargs: variables } as unknown as ChatCompletionRequest;
  return model.chatPrompt(chat).ids;
}

/** Computes the tokens that the cache does not have, beside other requests, and writes all of them. */
async function save(
  { model, store, id, name, key }: SlotAction,
  prompt: readonly number[],
  signal: AbortSignal,
): Promise<object> {
  const start = performance.now();
  for await (const _ of model.generate({ prompt, maxTokens: 1, signal }));
  const session = model.session();
  try {
    session.forward(prompt, { logits: "none" });
    const bytes = await session.saveSigned(await key());
    await store.write(name, bytes);
    return {
      id_slot: id,
      filename: name,
      n_saved: prompt.length,
      n_written: bytes.length,
      timings: { save_ms: performance.now() - start },
    };
  } finally {
    session.dispose();
  }
}

/** The session ends at once, and its tokens stay in the cache for the requests that begin with them. */
async function restore({ model, store, id, name, key }: SlotAction): Promise<object> {
  const start = performance.now();
  const bytes = await store.read(name);
  if (!bytes) throw invalid("filename", "one that was saved", name);
  try {
    const session = await model.restoreSigned(bytes, await key());
    const { length } = session;
    session.dispose();
    return {
      id_slot: id,
      filename: name,
      n_restored: length,
      n_read: bytes.length,
      timings: { restore_ms: performance.now() - start },
    };
  } catch (error) {
    const known = asNibbleError(error);
    if (!known || known.code === "context_full") throw error;
    throw invalid("filename", `a slot of this model (${known.message})`, name);
  }
}
