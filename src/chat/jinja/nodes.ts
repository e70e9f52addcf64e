/**
 * The syntax tree of a template.
 * @module
 */
import type { Value } from "./values.ts";

/** An expression. */
export type Expression =
  | { readonly type: "constant"; readonly value: Value }
  | Name
  | { readonly type: "tuple" | "list" | "concat"; readonly items: readonly Expression[] }
  | { readonly type: "dict"; readonly items: readonly (readonly [key: Expression, value: Expression])[] }
  | { readonly type: "unary"; readonly operator: "+" | "-" | "not"; readonly operand: Expression }
  | { readonly type: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly type: "logic"; readonly operator: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | { readonly type: "compare"; readonly first: Expression; readonly rest: readonly (readonly [string, Expression])[] }
  | { readonly type: "attribute"; readonly object: Expression; readonly name: string }
  | { readonly type: "item"; readonly object: Expression; readonly key: Expression }
  | { readonly type: "slice"; readonly object: Expression; readonly bounds: readonly (Expression | undefined)[] }
  | Call
  | Filter
  | { readonly type: "test"; readonly operand: Expression; readonly name: string; readonly args: CallArguments }
  | {
      readonly type: "condition";
      readonly test: Expression;
      readonly yes: Expression;
      readonly no: Expression | undefined;
    };

/** A name that is read. */
export interface Name {
  readonly type: "name";
  readonly name: string;
}

/** A call, `callee(args)`. */
export interface Call {
  readonly type: "call";
  readonly callee: Expression;
  readonly args: CallArguments;
}

/** `operand | name(args)` */
export interface Filter {
  readonly type: "filter";
  /** The value; undefined for the text of the block around the filter. */
  readonly operand: Expression | undefined;
  readonly name: string;
  readonly args: CallArguments;
}

/** The arguments of a call, filter or test. */
export interface CallArguments {
  readonly positional: readonly Expression[];
  readonly named: readonly (readonly [name: string, value: Expression])[];
  /** `*list` */
  readonly spread?: Expression | undefined;
  /** `**dict` */
  readonly namedSpread?: Expression | undefined;
}

/** The target of an assignment by `set`, `for` or `with`. */
export type Target =
  | Name
  | { readonly type: "tuple"; readonly items: readonly Target[] }
  | { readonly type: "member"; readonly object: string; readonly name: string };

/** A statement, with the line that it begins on. */
export type Statement = { readonly line: number } & (
  | { readonly type: "output"; readonly parts: readonly (string | Expression)[] }
  | For
  | {
      readonly type: "if";
      readonly branches: readonly { readonly test: Expression; readonly body: Body }[];
      readonly otherwise: Body;
    }
  | { readonly type: "set"; readonly target: Target; readonly value: Expression }
  | { readonly type: "setBlock"; readonly target: Target; readonly filter: Filter | undefined; readonly body: Body }
  | MacroDefinition
  | { readonly type: "callBlock"; readonly call: Call; readonly caller: MacroDefinition }
  | { readonly type: "filterBlock"; readonly filter: Filter; readonly body: Body }
  | {
      readonly type: "with";
      readonly targets: readonly Target[];
      readonly values: readonly Expression[];
      readonly body: Body;
    }
  | { readonly type: "autoescape"; readonly value: Expression; readonly body: Body }
  /** transformers' tag for the assistant's text. It has a scope of its own and no other effect. */
  | { readonly type: "generation"; readonly body: Body }
  | Block
  /** `include`, `import`, `from` or `extends`, which fail because there is no loader. */
  | { readonly type: "load"; readonly tag: string; readonly source: Expression; readonly ignoreMissing: boolean }
  | { readonly type: "break" | "continue" }
);

/** The statements of a block, in order. */
export type Body = readonly Statement[];

/** A loop. `otherwise` is its `else`. */
export interface For {
  readonly type: "for";
  readonly target: Target;
  readonly iterable: Expression;
  readonly test: Expression | undefined;
  readonly recursive: boolean;
  readonly body: Body;
  readonly otherwise: Body;
}

/** `{% macro %}`, or the body of `{% call %}`. */
export interface MacroDefinition {
  readonly type: "macro";
  /** null for the body of a call block. */
  readonly name: string | null;
  readonly parameters: readonly { readonly name: string; readonly value: Expression | undefined }[];
  readonly body: Body;
}

/** `{% block %}` */
export interface Block {
  readonly type: "block";
  readonly name: string;
  readonly scoped: boolean;
  readonly required: boolean;
  readonly body: Body;
}

/** The direct parts of an expression. */
export function childrenOf(node: Expression): readonly (Expression | undefined)[] {
  switch (node.type) {
    case "constant":
    case "name":
      return [];
    case "tuple":
    case "list":
    case "concat":
      return node.items;
    case "dict":
      return node.items.flat();
    case "unary":
      return [node.operand];
    case "binary":
    case "logic":
      return [node.left, node.right];
    case "compare":
      return [node.first, ...node.rest.map(([, operand]) => operand)];
    case "attribute":
      return [node.object];
    case "item":
      return [node.object, node.key];
    case "slice":
      return [node.object, ...node.bounds];
    case "call":
      return [node.callee, ...argumentsOf(node.args)];
    case "filter":
    case "test":
      return [node.operand, ...argumentsOf(node.args)];
    case "condition":
      return [node.test, node.yes, node.no];
  }
}

function argumentsOf({ positional, named, spread, namedSpread }: CallArguments): (Expression | undefined)[] {
  return [...positional, ...named.map(([, value]) => value), spread, namedSpread];
}
