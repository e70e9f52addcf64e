/**
 * The text of content blocks of /v1/messages.
 * @module
 */
import { type Fields, invalid, unsupported } from "../../../base/fields.ts";
import { DOCUMENT_FIELDS, SEARCH_RESULT_FIELDS, TEXT_FIELDS } from "./field-tables.ts";

export const MAX_BLOCKS = 1024;

/** Blocks with something other than text in them. */
const UNREADABLE = ["image", "container_upload"];

/** The type of a block; `name` is its place. @throws NibbleError `invalid_request` */
export function blockType(block: unknown, name: string): string {
  const type = typeof block === "object" && block !== null ? (block as { type?: unknown }).type : undefined;
  if (typeof type !== "string") throw invalid(`${name}.type`, "the name of a type", type);
  if (UNREADABLE.includes(type))
    throw unsupported(`${name}.type`, `content of type "${type}"`, "send text, which is all that the models here read");
  return type;
}

type ReadBlock = (parent: Fields, block: unknown, place: string) => string;

const READERS: ReadonlyMap<string, ReadBlock> = new Map([
  ["text", readText],
  ["document", readDocument],
  ["search_result", readSearchResult],
]);

/** The text of a block, or undefined if a block of this type has none. */
export function readBlockText(parent: Fields, block: unknown, place: string): string | undefined {
  return READERS.get(blockType(block, parent.param(place)))?.(parent, block, place);
}

/** A string, or the text of blocks joined; undefined without any. @throws NibbleError `invalid_request` that names the field */
export function readTexts(fields: Fields, key: string): string | undefined {
  const value = fields.get(key);
  if (value === undefined || typeof value === "string") return value;
  const blocks = Array.isArray(value) && value.length <= MAX_BLOCKS ? value : undefined;
  if (!blocks) throw fields.invalid(key, "a string or text blocks", value);
  if (blocks.length === 0) return undefined;
  return Array.from(blocks, (block, i) => {
    const place = `${key}[${i}]`;
    const text = readBlockText(fields, block, place);
    if (text !== undefined) return text;
    throw invalid(
      `${fields.param(place)}.type`,
      [...READERS.keys()].map((one) => `"${one}"`).join(" or "),
      blockType(block, place),
    );
  }).join("");
}

function readText(parent: Fields, block: unknown, place: string): string {
  return requiredText(parent.nested(block, TEXT_FIELDS, place), "text");
}

/** A document of plain text or of text blocks, behind its title and context. */
function readDocument(parent: Fields, block: unknown, place: string): string {
  const fields = parent.nested(block, DOCUMENT_FIELDS, place);
  const source = fields.nested(fields.get("source"), ["type", "media_type", "data", "content"], "source");
  const type = source.string("type", 64);
  if (type !== "text" && type !== "content")
    throw unsupported(source.param("type"), `a document of type ${JSON.stringify(type)}`, "send its text");
  const text = type === "text" ? requiredText(source, "data") : (readTexts(source, "content") ?? "");
  const title = fields.string("title", Infinity);
  const context = fields.string("context", Infinity);
  return `${[title, context, text].filter(Boolean).join("\n\n")}\n`;
}

function readSearchResult(parent: Fields, block: unknown, place: string): string {
  const fields = parent.nested(block, SEARCH_RESULT_FIELDS, place);
  const head = [fields.string("title", Infinity), fields.string("source", Infinity)].filter(Boolean).join(" - ");
  return `${head}\n${readTexts(fields, "content") ?? ""}\n`;
}

export function requiredText(fields: Fields, key: string): string {
  const text = fields.string(key, Infinity);
  if (text === undefined) throw fields.invalid(key, "a string", text);
  return text;
}
