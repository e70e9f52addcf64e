/**
 * The tools of /v1/messages as those of a chat completion.
 * @module
 */
import { Fields } from "../../../base/fields.ts";
import type { Body } from "../../engine-calls.ts";
import { checkCacheControl } from "./cache-control.ts";

export function readTool(value: unknown, i: number): object {
  const known = ["type", "name", "description", "input_schema", "strict", "eager_input_streaming", "cache_control"];
  const fields = new Fields(value, known, `tools[${i}]`);
  checkCacheControl(fields);
  fields.oneOf("type", ["custom"]);
  fields.boolean("eager_input_streaming");
  return {
    type: "function",
    function: {
      name: fields.get("name"),
      description: fields.get("description"),
      parameters: fields.get("input_schema"),
      strict: fields.boolean("strict"),
    },
  };
}

export function readToolChoice(value: unknown): Body {
  if (value === undefined) return {};
  const fields = new Fields(value, ["type", "name", "disable_parallel_tool_use"], "tool_choice");
  const single = fields.boolean("disable_parallel_tool_use");
  const type = fields.oneOf("type", ["auto", "any", "none", "tool"]);
  if (type === undefined) throw fields.invalid("type", '"auto", "any", "none" or "tool"', type);
  const named = { type: "function", function: { name: fields.string("name", 256) } };
  return {
    tool_choice: type === "tool" ? named : type === "any" ? "required" : type,
    parallel_tool_calls: single === undefined ? undefined : !single,
  };
}
