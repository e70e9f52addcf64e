/**
 * What servers tell about their model: /v1/models, and /props, which nibble and llama-server have.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ServerPool } from "../batch/pool.ts";
import { isObject } from "../batch/request.ts";

export interface ServerFacts {
  readonly name: string;
  /** Most tokens of a prompt and its answer together; undefined where the server does not tell. */
  readonly contextLength: number | undefined;
  /** Whether the server takes llama.cpp's settings of sampling. */
  readonly isNative: boolean;
  /** The Jinja source of the chat template; undefined where the server does not tell. */
  readonly template: string | undefined;
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  /** Tokens that end an answer, the one for a text's end first. */
  readonly endIds: readonly number[];
}

/** @throws NibbleError `io_error` where no server answers, `bad_gateway` where none names its model */
export async function readFacts(pool: ServerPool): Promise<ServerFacts> {
  const get = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
    const outcome = await pool.ask({ path });
    return "status" in outcome && outcome.status === 200 && isObject(outcome.body) ? outcome.body : {};
  };
  const models = await get("/v1/models");
  const model = Array.isArray(models.data) ? models.data[0] : undefined;
  if (!isObject(model) || typeof model.id !== "string")
    throw new NibbleError("bad_gateway", "/v1/models: the servers name no model");
  const props = await get("/props");
  const { n_ctx: served } = isObject(props.default_generation_settings) ? props.default_generation_settings : {};
  const length = model.context_length ?? model.max_model_len ?? served;
  const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
  return {
    name: model.id,
    contextLength: typeof length === "number" ? length : undefined,
    isNative: "default_generation_settings" in props,
    template: text(props.chat_template),
    bosToken: text(props.bos_token),
    eosToken: text(props.eos_token),
    endIds: Array.isArray(props.end_tokens) ? props.end_tokens : [],
  };
}
