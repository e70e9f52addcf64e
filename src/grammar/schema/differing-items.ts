/**
 * Arrays whose items must differ and have too many values to be listed (`uniqueItems`). The matcher compares their texts.
 * @module
 */
import {
  choice,
  EMPTY,
  type Expression,
  literal,
  NEVER,
  oneOf,
  optional,
  plain,
  repeat,
  sequence,
} from "../expression.ts";
import { grammarError, MAX_REPEAT } from "../limits.ts";
import type { Dfa } from "../regular/dfa.ts";
import { ANY_TEXT, lengthDfa } from "../regular/operations.ts";
import { parsePattern } from "../regular/pattern.ts";
import { patternDfa } from "../regular/pattern-dfa.ts";
import { caseTypes } from "./case-types.ts";
import type { Case, SchemaContext } from "./context.ts";
import { finiteValues } from "./finite.ts";
import { itemGoal } from "./goals.ts";
import { MAX_DIGITS, SEPARATOR, stringOf } from "./json-text.ts";
import { stringLength } from "./languages.ts";
import type { JsonType, Range } from "./node.ts";
import { isUnlimited, numberExpression } from "./numbers.ts";
import { Validator } from "./valid.ts";
import { listedValues, numberFacts } from "./value-lists.ts";

/**
 * The items of an array.
 * @throws NibbleError `invalid_argument` if some item is not a string, an integer or a listed value, since equal values
 * of other types have several texts
 */
export function differingItems(nodes: Case, count: Range, context: SchemaContext): Expression {
  const key = `differing ${nodes.map(({ id }) => id).join()}`;
  const { where } = nodes.find(({ uniqueItems }) => uniqueItems)!;
  if (nodes.some(({ prefixItems, contains }) => prefixItems.length > 0 || contains)) {
    throw grammarError(`schema: uniqueItems at ${where} is not supported beside prefixItems or contains`);
  }
  const goal = itemGoal(nodes, 0, context);
  const most = Math.min(count.max, finiteValues(goal, context)?.size ?? Number.POSITIVE_INFINITY);
  if (most < Math.max(1, count.min)) return count.min > 0 ? NEVER : EMPTY;
  const item = context.named(`${key} item`, `an item of ${where}`, () =>
    choice(...context.cases(goal).map((each) => onlyText(each, where, context))),
  );
  const more = context.named(`${key} more`, `a further item of ${where}`, () => sequence(SEPARATOR, item));
  const list = context.named(`${key} list`, `the items of ${where}`, () =>
    sequence(item, repeat(more, Math.max(0, count.min - 1), most - 1)),
  );
  context.differ(list, item);
  return count.min > 0 ? list : optional(list);
}

/** The values of a case, each with one text only. */
function onlyText(nodes: Case, where: string, context: SchemaContext): Expression {
  const values = listedValues(nodes, new Validator(context, false));
  if (values) return oneOf(values.map((value) => JSON.stringify(value)));
  const facts = numberFacts(nodes);
  const textOf = (type: JsonType): Expression => {
    if (type === "null") return literal("null");
    if (type === "boolean") return choice(literal("true"), literal("false"));
    if (type === "string") return stringOf(context.languages.strings(nodes) ?? anyString(nodes));
    if (type === "number" && facts.integer) return isUnlimited(facts) ? anyInteger() : numberExpression(facts);
    throw grammarError(`schema: uniqueItems at ${where} is supported for strings, integers and listed values only`);
  };
  return choice(...caseTypes(nodes).map(textOf));
}

const anyInteger = (): Expression => plain(patternDfa(parsePattern(`0|-?[1-9][0-9]{0,${MAX_DIGITS}}`)));

function anyString(nodes: Case): Dfa {
  const { min, max } = stringLength(nodes);
  return min === 0 && max === Number.POSITIVE_INFINITY ? ANY_TEXT : lengthDfa(min, Math.min(max, MAX_REPEAT));
}
