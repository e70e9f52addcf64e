/**
 * The filters by name (https://jinja.palletsprojects.com/templates/#list-of-builtin-filters).
 * @module
 */
import { bind } from "./arguments.ts";
import type { FilterContext, FilterTable, Given } from "./filter-context.ts";
import { HTML_FILTERS } from "./html-filters.ts";
import { LIST_FILTERS } from "./list-filters.ts";
import { NUMBER_FILTERS } from "./number-filters.ts";
import { TEXT_FILTERS } from "./text-filters.ts";
import { VALUE_FILTERS } from "./value-filters.ts";
import type { Arguments, Value } from "./values.ts";

const FILTERS: FilterTable = new Map([
  ...VALUE_FILTERS,
  ...TEXT_FILTERS,
  ...HTML_FILTERS,
  ...NUMBER_FILTERS,
  ...LIST_FILTERS,
]);

/** Whether there is a filter of that name. */
export function isFilter(name: string): boolean {
  return FILTERS.has(name);
}

/** `value | name(args)`; undefined if there is no such filter. */
export function applyFilter(context: FilterContext, name: string, value: Value, args: Arguments): Value | undefined {
  const filter = FILTERS.get(name);
  if (!filter) return undefined;
  const [signature, apply] = filter;
  if (signature === "*") return apply(context, value, [], args);
  const given: Given = bind(name, signature, args);
  return apply(context, value, given, args);
}
