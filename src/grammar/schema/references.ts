/**
 * Resolves `$ref` (JSON Schema Core 2020-12, sections 8.2 and 9).
 * @module
 */
import { grammarError } from "../limits.ts";
import { isSchema, type RawSchema } from "./node.ts";

/** Keywords that hold a schema, an array of schemas, or schemas by name. */
const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
  ...["not", "if", "then", "else", "items", "additionalItems", "contains", "unevaluatedItems", "contentSchema"],
  ...["additionalProperties", "propertyNames", "unevaluatedProperties", "allOf", "anyOf", "oneOf", "prefixItems"],
]);
const NAMED_SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
  ...["properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"],
]);

/** The URI of a schema without `$id`. */
const DEFAULT_BASE = "schema://root/";

export class References {
  readonly #resources = new Map<string, RawSchema>();
  /** Schemas by their resource and `$anchor`. */
  readonly #anchors = new Map<string, RawSchema>();
  readonly #dynamicAnchors: string[] = [];
  /** The URI of the resource that a schema belongs to. */
  readonly #bases = new Map<RawSchema, string>();

  /** Whether `$ref` hides the keywords beside it, as up to draft 7. */
  readonly #refHidesId: boolean;

  constructor(root: RawSchema) {
    const draft: unknown = typeof root === "object" ? new Map(Object.entries(root)).get("$schema") : undefined;
    this.#refHidesId = typeof draft === "string" && /draft-0[3467]/.test(draft);
    this.#resources.set(DEFAULT_BASE, root);
    const open: [raw: unknown, base: string][] = [[root, DEFAULT_BASE]];
    for (let next = open.pop(); next; next = open.pop()) open.push(...this.#visit(...next));
  }

  /** Notes one schema and returns those inside it. */
  #visit(raw: unknown, outside: string): [raw: unknown, base: string][] {
    if (typeof raw !== "object" || raw === null || Array.isArray(raw) || this.#bases.has(raw)) return [];
    const fields = new Map(Object.entries(raw));
    const id = this.#refHidesId && fields.has("$ref") ? undefined : fields.get("$id");
    const base = this.#identify(raw, id, outside);
    this.#bases.set(raw, base);
    for (const key of ["$anchor", "$dynamicAnchor"]) {
      const anchor = fields.get(key);
      if (typeof anchor === "string") this.#anchors.set(`${base}#${anchor}`, raw);
      if (typeof anchor === "string" && key === "$dynamicAnchor") this.#dynamicAnchors.push(anchor);
    }
    return [...fields].flatMap(([key, value]) => {
      const isNamed = NAMED_SCHEMA_KEYWORDS.has(key) && typeof value === "object" && value !== null;
      if (!isNamed && !SCHEMA_KEYWORDS.has(key)) return [];
      const inside = isNamed ? Object.values(value) : [value].flat();
      return inside.map((schema): [unknown, string] => [schema, base]);
    });
  }

  /** Draft 7 wrote anchors as `$id`s that are a fragment. */
  #identify(raw: RawSchema, id: unknown, outside: string): string {
    const url = typeof id === "string" ? parseUrl(id, outside) : undefined;
    if (!url) return outside;
    if (url.fragment !== "") {
      this.#anchors.set(`${url.resource}#${url.fragment}`, raw);
      return outside;
    }
    this.#resources.set(url.resource, raw);
    return url.resource;
  }

  /**
   * @param from the schema that has the reference
   * @throws NibbleError `invalid_argument` for a reference to nothing or to another document
   */
  resolve(ref: string, from: RawSchema): RawSchema {
    const fail = () => grammarError(`schema: $ref: there is no ${ref.slice(0, 100)} in this schema`);
    const url = parseUrl(ref, this.#bases.get(from) ?? DEFAULT_BASE);
    const resource = url && this.#resources.get(url.resource);
    if (resource === undefined) throw fail();
    const { fragment } = url!;
    if (this.#dynamicAnchors.filter((anchor) => anchor === fragment).length > 1) {
      throw grammarError(`schema: $dynamicAnchor ${fragment} more than once is not supported`);
    }
    const target = fragment === "" || fragment.startsWith("/") ? atPointer(resource, fragment) : this.#anchor(url!);
    if (!isSchema(target)) throw fail();
    if (!this.#bases.has(target)) this.#bases.set(target, url!.resource);
    return target;
  }

  #anchor({ resource, fragment }: Reference): RawSchema | undefined {
    return this.#anchors.get(`${resource}#${fragment}`);
  }
}

interface Reference {
  readonly resource: string;
  readonly fragment: string;
}

function parseUrl(text: string, base: string): Reference | undefined {
  try {
    const url = new URL(text, base);
    const fragment = decodeURIComponent(url.hash.slice(1));
    url.hash = "";
    return { resource: url.href, fragment };
  } catch {
    return undefined;
  }
}

/** The value at a JSON pointer (RFC 6901). */
function atPointer(root: unknown, pointer: string): unknown {
  let place = root;
  for (const step of pointer.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof place !== "object" || place === null || !Object.hasOwn(place, key)) return undefined;
    place = (place as Record<string, unknown>)[key];
  }
  return place;
}
