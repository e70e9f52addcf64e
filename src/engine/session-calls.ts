/**
 * The model's calls that open sessions.
 * @module
 */
import { Fields, invalid } from "../base/fields.ts";
import type { Core } from "./core.ts";
import { checkLora, type LoraChoice } from "./request/lora.ts";
import { Session } from "./session/session.ts";
import { type SessionKey, verified } from "./session/signature.ts";

/** The calls of a model that open sessions. */
export interface SessionCalls {
  /** Opens an empty session. @param options `lora`: the adapters, as in `generate` */
  session(options?: { readonly lora?: readonly LoraChoice[] | undefined }): Session;
  /**
   * Opens a session from the bytes of a session's `save`, made here or elsewhere. The bytes are checked for damage, not
   * for who wrote them: whoever did can have put the keys and values of any text behind these tokens. So the session is
   * alone, and neither requests nor other sessions copy what it holds.
   * @throws NibbleError `bad_magic`, `unsupported_version`, `truncated`, `limit_exceeded` or `bad_value` for bytes that
   * are no session of this model; `context_full`
   */
  restore(bytes: Uint8Array): Session;
  /**
   * Opens a session from the bytes of `session.saveSigned` with the same key. Other sessions and requests may copy what
   * it holds, since only someone with the key can have written it.
   * @throws NibbleError as `restore`; `bad_value` for bytes that this key did not sign; `invalid_argument` for no key
   */
  restoreSigned(bytes: Uint8Array, key: SessionKey): Promise<Session>;
}

export function sessionCalls(core: Core): SessionCalls {
  return {
    session(options) {
      core.checkGenerates();
      const fields = new Fields(options ?? {}, ["lora"], "", "invalid_argument");
      const adapters = checkLora(fields, core.context.adapters);
      return new Session(core.sessions, core.prefixes.acquire([], { adapters }));
    },
    restore(bytes) {
      core.checkGenerates();
      return Session.restore(core.sessions, checkBytes(bytes), false);
    },
    async restoreSigned(bytes, key) {
      core.checkGenerates();
      const own = await verified(checkBytes(bytes), key);
      core.checkLive();
      return Session.restore(core.sessions, own, true);
    },
  };
}

function checkBytes(bytes: unknown): Uint8Array {
  // A view of a buffer that was transferred has no bytes, and cannot even be copied.
  if (bytes instanceof Uint8Array) return bytes.length > 0 ? bytes : new Uint8Array();
  throw invalid("bytes", "a Uint8Array", bytes, "invalid_argument");
}
