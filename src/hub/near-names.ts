/**
 * What a word that is no model's name most likely stands for.
 * @module
 */
import { nearestName } from "../base/field-table.ts";
import { KNOWN_MODELS, sizesOf } from "./registry.ts";

/** The known names that one word most likely stands for: those of its family, or of a family that is spelt nearly so. */
export function namesLike(word: string): string[] {
  if (!/^[\w.:-]{4,64}$/.test(word)) return [];
  const [family = "", size] = word.toLowerCase().split(":");
  const families = [...new Set(KNOWN_MODELS.map(({ name }) => name.split(":")[0]!))];
  const begun = families.filter((known) => known.startsWith(family) && family.length >= 4);
  const near = nearestName(family, families);
  const meant = begun.length > 0 ? begun : near === undefined ? [] : [near];
  const names = meant.flatMap((known) => (known === "crumb" ? [known] : sizesOf(known)));
  const exact = names.filter((name) => size !== undefined && name.endsWith(`:${size}`));
  return exact.length > 0 ? exact : names;
}

/** The clause that ends an error about an unknown name: the names that it may stand for, or else where all are listed. */
export function nameHint(word: string): string {
  const names = namesLike(word);
  return names.length > 0 ? `did you mean ${names.join(" or ")}?` : "nibble ls --all lists the names";
}

/** The sentence for a text that is neither the name of a model nor a path at which there is something. */
export function noSuchModel(name: string): string {
  if (name === "") return "expected a model name, a GGUF file or a model folder, got an empty text";
  if (/[/\\]|\.[a-z]\w*$/i.test(name)) return `${name}: there is no such file or folder`;
  return `${name}: there is no model of this name, and no such file or folder; ${nameHint(name)}`;
}
