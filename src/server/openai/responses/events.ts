/**
 * The events of a streamed answer of /v1/responses.
 * @module
 */
import type { Block, BlockEvent } from "../../blocks.ts";
import { sseEvent } from "../../streams.ts";
import { endedResponse, itemId, itemOf, logprobsOf, partOf } from "./response.ts";

/** For each kind of block, the name of its text's events, and the field that holds the whole text in the last one. */
const TEXT_EVENTS = {
  reasoning: ["response.reasoning_text", "text"],
  text: ["response.output_text", "text"],
  call: ["response.function_call_arguments", "arguments"],
} as const;

type BlockPart = Exclude<BlockEvent, { type: "finish" }>;
type Event = readonly [type: string, fields: object];

export async function* responseEvents(
  start: object,
  blocks: AsyncIterable<BlockEvent>,
): AsyncGenerator<string, undefined> {
  let sequence = 0;
  const write = ([type, fields]: Event): string => sseEvent({ type, sequence_number: sequence++, ...fields }, type);
  const output: object[] = [];
  const begun = { ...start, status: "in_progress", incomplete_details: null, output, usage: null };
  yield write(["response.created", { response: begun }]);
  yield write(["response.in_progress", { response: begun }]);
  let id = "";
  for await (const part of blocks) {
    if (part.type === "finish") {
      const response = endedResponse(start, output, part);
      yield write([`response.${response.status}`, { response }]);
      continue;
    }
    if (part.type === "start") id = itemId(part.block);
    if (part.type === "stop") output.push(itemOf(part.block, id, "completed"));
    yield* blockEvents(part, id).map(write);
  }
}

function blockEvents(part: BlockPart, id: string): Event[] {
  const { block } = part;
  if (part.type === "delta") {
    const [name] = TEXT_EVENTS[block.kind];
    return [[`${name}.delta`, { ...placeOf(block, id), delta: part.text, ...logprobsOf(block, part.logprobs) }]];
  }
  return part.type === "start" ? startEvents(block, id) : stopEvents(block, id);
}

function startEvents(block: Block, id: string): Event[] {
  const item = itemOf(block, id, "in_progress");
  const added: Event = ["response.output_item.added", { output_index: block.index, item }];
  if (block.kind === "call") return [added];
  return [added, ["response.content_part.added", { ...placeOf(block, id), part: partOf(block) }]];
}

function stopEvents(block: Block, id: string): Event[] {
  const place = placeOf(block, id);
  const [name, whole] = TEXT_EVENTS[block.kind];
  const text: Event = [`${name}.done`, { ...place, [whole]: block.text, ...logprobsOf(block, block.logprobs) }];
  const item = itemOf(block, id, "completed");
  const done: Event = ["response.output_item.done", { output_index: block.index, item }];
  if (block.kind === "call") return [text, done];
  return [text, ["response.content_part.done", { ...place, part: partOf(block) }], done];
}

/** Where an event's text belongs. A call has no content parts. */
function placeOf({ kind, index }: Block, id: string): object {
  const item = { output_index: index, item_id: id };
  return kind === "call" ? item : { ...item, content_index: 0 };
}
