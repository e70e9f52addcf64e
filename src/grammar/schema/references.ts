/**
 * What `$ref` refers to.
 * @module
 */
import { grammarError } from "../limits.ts";
import { isSchema, type RawSchema } from "./node.ts";

/**
 * Resolves a JSON pointer (RFC 6901) into the schema, or the root by its `$id`.
 * @throws NibbleError `invalid_argument` for a reference to nothing or to another document
 */
export function resolveReference(ref: string, root: RawSchema): RawSchema {
  const id = typeof root === "object" ? new Map(Object.entries(root)).get("$id") : undefined;
  const fragment = typeof id === "string" && id !== "" && ref.startsWith(id) ? ref.slice(id.length) || "#" : ref;
  const fail = () => grammarError(`schema: $ref: expected a place in the schema (#/...), got ${ref.slice(0, 100)}`);
  if (!fragment.startsWith("#")) throw fail();
  let place: unknown = root;
  let pointer: string;
  try {
    pointer = decodeURIComponent(fragment.slice(1));
  } catch {
    throw fail();
  }
  if (pointer !== "" && !pointer.startsWith("/")) throw fail();
  for (const step of pointer.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof place !== "object" || place === null || !Object.hasOwn(place, key)) throw fail();
    place = (place as Record<string, unknown>)[key];
  }
  if (!isSchema(place)) throw fail();
  return place;
}
