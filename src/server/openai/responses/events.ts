/**
 * The events of a streamed answer of /v1/responses.
 * @module
 */
import type { Block, BlockEvent, Delta, Finish } from "../../blocks.ts";
import { sseEvent } from "../../streams.ts";
import {
  customInput,
  endedResponse,
  type ItemKind,
  itemId,
  itemOf,
  kindOf,
  logprobsOf,
  partOf,
  type ResponseStyle,
} from "./response.ts";

/** For each kind of item, the name of its text's events, and the field that holds the whole text in the last one. */
const TEXT_EVENTS: Readonly<Record<ItemKind, readonly [name: string, whole: string]>> = {
  reasoning: ["response.reasoning_text", "text"],
  text: ["response.output_text", "text"],
  call: ["response.function_call_arguments", "arguments"],
  custom: ["response.custom_tool_call_input", "input"],
};

type BlockPart = Exclude<BlockEvent, Finish | { type: "progress" }>;
type Event = readonly [type: string, fields: object];

/** The last event has llama-server's timings beside the response. */
export async function* responseEvents(
  style: ResponseStyle,
  events: AsyncIterable<BlockEvent>,
): AsyncGenerator<string, undefined> {
  let sequence = 0;
  const write = ([type, fields]: Event): string => sseEvent({ type, sequence_number: sequence++, ...fields }, type);
  const output: object[] = [];
  const blocks: Block[] = [];
  const begun = {
    ...style.start,
    status: "in_progress",
    completed_at: null,
    incomplete_details: null,
    output: [],
    usage: null,
  };
  yield write(["response.created", { response: begun }]);
  yield write(["response.in_progress", { response: begun }]);
  let id = "";
  for await (const part of events) {
    if (part.type === "finish") {
      const response = endedResponse(style, output, part);
      style.onEnd(response, blocks);
      yield write([`response.${response.status}`, { response, timings: part.timings }]);
      continue;
    }
    if (part.type === "progress") {
      yield write(["response.in_progress", { response: begun, prompt_progress: part.progress }]);
      continue;
    }
    if (part.type === "start") id = itemId(part.block, style);
    if (part.type === "stop") {
      blocks.push(part.block);
      output.push(itemOf(part.block, { id, status: "completed" }, style));
    }
    yield* blockEvents(part, id, style).map(write);
  }
}

function blockEvents(part: BlockPart, id: string, style: ResponseStyle): Event[] {
  const { block } = part;
  if (part.type === "start") return startEvents(block, id, style);
  if (part.type === "stop") return stopEvents(block, id, style);
  const kind = kindOf(block, style);
  // The input of a custom tool is a text within the arguments: it is known when they are whole.
  if (kind === "custom") return [];
  const { text, logprobs, timings } = part as Delta;
  const fields = { ...placeOf(block, id), delta: text, ...logprobsOf(block, logprobs), timings };
  return [[`${TEXT_EVENTS[kind][0]}.delta`, fields]];
}

function startEvents(block: Block, id: string, style: ResponseStyle): Event[] {
  const item = itemOf(block, { id, status: "in_progress" }, style);
  const added: Event = ["response.output_item.added", { output_index: block.index, item }];
  if (block.kind === "call") return [added];
  return [added, ["response.content_part.added", { ...placeOf(block, id), part: partOf(block) }]];
}

function stopEvents(block: Block, id: string, style: ResponseStyle): Event[] {
  const place = placeOf(block, id);
  const kind = kindOf(block, style);
  const [name, whole] = TEXT_EVENTS[kind];
  const text = kind === "custom" ? customInput(block.text) : block.text;
  const delta: Event[] = kind === "custom" ? [[`${name}.delta`, { ...place, delta: text }]] : [];
  const ended: Event = [`${name}.done`, { ...place, [whole]: text, ...logprobsOf(block, block.logprobs) }];
  const item = itemOf(block, { id, status: "completed" }, style);
  const done: Event = ["response.output_item.done", { output_index: block.index, item }];
  if (block.kind === "call") return [...delta, ended, done];
  return [ended, ["response.content_part.done", { ...place, part: partOf(block) }], done];
}

/** Where an event's text belongs. A call has no content parts. */
function placeOf({ kind, index }: Block, id: string): object {
  const item = { output_index: index, item_id: id };
  return kind === "call" ? item : { ...item, content_index: 0 };
}
