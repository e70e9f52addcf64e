/**
 * llama-server's /lora-adapters: which adapters a model has, and how strongly they apply to requests that name none.
 * @module
 */
import { Fields, invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import type { Call } from "../call.ts";
import type { Exchange } from "../route.ts";

export function listAdapters({ info }: Model, { server }: Exchange): object[] {
  const set = server.models.models.find(({ name }) => name === info.name)?.lora;
  return info.lora.map(({ id, name, scale }) => ({
    id,
    name,
    path: name,
    scale: set ? (set.find((one) => one.id === id)?.scale ?? 0) : scale,
  }));
}

/**
 * `[{ id, scale }, ...]`; adapters that are not named are off.
 * @throws NibbleError `invalid_request` that names the entry
 */
export function setAdapters({ model, served, body, exchange }: Call): object {
  const { lora } = model.info;
  if (!Array.isArray(body) || body.length > lora.length)
    throw invalid("body", `an array of at most ${lora.length} adapters`, body);
  served.lora = Array.from(body, (one, i) => {
    const fields = new Fields(one, ["id", "scale"], `[${i}]`, exchange.rules);
    const id = fields.number("id", { min: 0, max: lora.length - 1, integer: true });
    const scale = fields.number("scale", {});
    if (id === undefined) throw fields.invalid("id", "the id of an adapter", id);
    if (scale === undefined) throw fields.invalid("scale", "a number", scale);
    return { id, scale };
  });
  return { success: true };
}
