/**
 * How much work a template value is.
 * @module
 */
import type { Value } from "./jinja.ts";
import { templateError } from "./limits.ts";

/** A value written out in full: a list that holds one list twice counts it twice. */
export interface Size {
  readonly nodes: number;
  /** UTF-16 units of all strings and keys. */
  readonly chars: number;
  readonly depth: number;
}

const MAX_VALUE_DEPTH = 64;

// Lists and mappings never change once made; only namespaces do, and those are not allowed inside.
const known = new WeakMap<object, Size>();

/** @throws NibbleError `template_error` for a value that nests too deep, or holds a namespace (it could hold itself). */
export function sizeOf(value: Value, level = 0): Size {
  const inner = value.value;
  if (typeof inner === "string") return { nodes: 1, chars: inner.length, depth: 0 };
  if (typeof inner !== "object" || inner === null) return { nodes: 1, chars: 24, depth: 0 };
  if (level > MAX_VALUE_DEPTH) throw templateError(`a value nests deeper than ${MAX_VALUE_DEPTH}`);
  const namespace = value.type === "NamespaceValue";
  if (namespace && level > 0) throw templateError("a namespace inside a list or mapping cannot be printed");
  const cached = namespace ? undefined : known.get(inner);
  if (cached) {
    if (level + cached.depth > MAX_VALUE_DEPTH) throw templateError(`a value nests deeper than ${MAX_VALUE_DEPTH}`);
    return cached;
  }
  let nodes = 1;
  let chars = 0;
  let depth = 0;
  for (const [key, item] of (inner as Map<unknown, Value> | Value[]).entries()) {
    const size = sizeOf(item, level + 1);
    nodes = Math.min(nodes + size.nodes, Number.MAX_SAFE_INTEGER / 2);
    chars = Math.min(chars + size.chars + (typeof key === "string" ? key.length : 0), Number.MAX_SAFE_INTEGER / 2);
    depth = Math.max(depth, size.depth + 1);
  }
  const size = { nodes, chars, depth };
  if (!namespace) known.set(inner, size);
  return size;
}

/** Elements of a list or mapping itself, without what they hold. */
export function elements({ value }: Value): number {
  return Array.isArray(value) ? value.length : value instanceof Map ? value.size : 0;
}
