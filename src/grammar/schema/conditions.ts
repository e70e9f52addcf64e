/**
 * Keywords that hold under a condition, written as alternatives: `if`, `dependentRequired`, `dependentSchemas`, and
 * `dependencies` of draft 7.
 * @module
 */
import type { KeywordReader } from "./keyword-reader.ts";
import type { Alternatives, RawSchema } from "./node.ts";

/** Either `if` and `then` hold, or `if` does not hold and `else` does. */
export function conditionalAlternatives(keywords: KeywordReader): Alternatives[] {
  const condition = keywords.schema("if");
  const [whenTrue, whenFalse] = [keywords.schema("then"), keywords.schema("else")];
  if (condition === undefined || (whenTrue ?? whenFalse) === undefined) return [];
  const schemas = [{ allOf: [condition, whenTrue ?? true] }, { allOf: [{ not: condition }, whenFalse ?? true] }];
  return [{ keyword: "if", schemas, exclusive: false }];
}

/** Either a property is absent, or what depends on it holds. */
export function dependentAlternatives(keywords: KeywordReader): Alternatives[] {
  const alternatives = (name: string, dependent: RawSchema): Alternatives => {
    const present = { allOf: [{ required: [name] }, dependent] };
    return { keyword: "dependent", schemas: [{ properties: { [name]: false } }, present], exclusive: false };
  };
  const read = (keyword: string) =>
    keywords.entries(keyword).map(([name, value]) => {
      const needsNames = keyword === "dependentRequired" || (keyword === "dependencies" && Array.isArray(value));
      const dependent = needsNames ? { required: keywords.asNames(keyword, value) } : keywords.asSchema(keyword, value);
      return alternatives(name, dependent);
    });
  return ["dependentRequired", "dependentSchemas", "dependencies"].flatMap(read);
}
