/**
 * The tools of /v1/responses as those of a chat completion.
 * @module
 */
import { Fields } from "../../../base/fields.ts";

/** The fields of a function stand beside its type here, below it in a chat completion. */
export function readTool(value: unknown, i: number): object {
  const fields = new Fields(value, ["type", "name", "description", "parameters", "strict"], `tools[${i}]`);
  if (fields.oneOf("type", ["function"]) === undefined) throw fields.invalid("type", '"function"', undefined);
  const [name, description, parameters] = ["name", "description", "parameters"].map((key) => fields.get(key));
  return { type: "function", function: { name, description, parameters, strict: fields.boolean("strict") } };
}

/** A word such as "auto" stays as it is; the name of a function moves below its type. */
export function readToolChoice(value: unknown): unknown {
  if (value === undefined || typeof value !== "object") return value;
  const fields = new Fields(value, ["type", "name"], "tool_choice");
  if (fields.oneOf("type", ["function"]) === undefined) throw fields.invalid("type", '"function"', undefined);
  return { type: "function", function: { name: fields.string("name", 256) } };
}
