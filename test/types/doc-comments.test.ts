/**
 * Everything that users import has a doc comment: each export of the package's entries, and each member of its
 * interfaces and classes. The comments are what an editor shows.
 *
 * The declarations of the modules, of which the build puts those in `dist/types` together, are read with regular expressions, as TypeScript 7 has no API for programs.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { ENTRIES, moduleOf } from "../../scripts/entries.mjs";
import { root } from "../helpers/models.ts";

/** Types that repeat a public specification (OpenAI's API, the AI SDK's), which explains their members. */
const SPECIFIED_ELSEWHERE = /^(engine\/openai\/|ai-sdk\/types$)/;

/** A declaration, and whether a doc comment stands before it. */
interface Declaration {
  readonly name: string;
  readonly module: string;
  readonly documented: boolean;
  /** The text between its braces; empty for a function, a constant or an alias of another type. */
  readonly body: string;
}

/** Modules as in the declarations: below dist/.build/types, without an ending. */
const modules = new Map<string, string>();
function textOf(module: string): string {
  const text = modules.get(module) ?? readFileSync(join(root, "dist/.build/types", `${module}.d.ts`), "utf8");
  modules.set(module, text);
  return text;
}

const target = (module: string, specifier: string): string =>
  join(dirname(module), specifier.replace(/(?:\.d)?\.ts$/, ""));

/** The text from an opening brace to the one that closes it, without both. Comments and strings hold no single braces. */
function braced(text: string, open: number): string {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "{") depth++;
    if (text[at] === "}" && --depth === 0) return text.slice(open + 1, at);
  }
  throw new Error(`no closing brace: ${text.slice(open, open + 60)}`);
}

/** The declaration of `name` in a module, wherever it is re-exported from. */
function declarationOf(module: string, name: string): Declaration {
  const text = textOf(module);
  const head = new RegExp(
    `(\\*/\\n)?^export (?:declare )?(?:abstract )?(function|class|interface|type|const) ${name}\\b[^\\n]*`,
    "m",
  ).exec(text);
  if (head) {
    const [line, comment, kind] = head;
    const hasBody = kind === "class" || kind === "interface" || (kind === "type" && line.endsWith("= {"));
    const body = hasBody ? braced(text, text.indexOf("{", head.index + line.length - 1)) : "";
    return { name, module, documented: comment !== undefined, body };
  }
  for (const [, names, specifier] of text.matchAll(/^(?:export|import) (?:type )?\{([^}]*)\} from "([^"]+)"/gm)) {
    for (const [, original, renamed] of names!.matchAll(/(?:type )?(\w+)(?: as (\w+))?\s*(?:,|$)/g)) {
      if ((renamed ?? original) === name) return declarationOf(target(module, specifier!), original!);
    }
  }
  throw new Error(`${module} declares no ${name}`);
}

/** The names that a module exports. */
function exportsOf(module: string): { module: string; name: string }[] {
  const text = textOf(module);
  const declared = [
    ...text.matchAll(/^export (?:declare )?(?:abstract )?(?:function|class|interface|type|const) (\w+)/gm),
  ].map(([, name]) => ({ module, name: name! }));
  const named = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names]) =>
    [...names!.matchAll(/(?:type )?(\w+)(?: as (\w+))?\s*(?:,|$)/g)].map(([, original, renamed]) => ({
      module,
      name: renamed ?? original!,
    })),
  );
  const all = [...text.matchAll(/^export (?:type )?\* from "([^"]+)"/gm)].flatMap(([, specifier]) =>
    exportsOf(target(module, specifier!)),
  );
  return [...declared, ...named, ...all];
}

/** The members of a body without a comment; the members of nested objects need none. */
function bareMembers({ name, module, body }: Declaration): string[] {
  if (SPECIFIED_ELSEWHERE.test(module)) return [];
  const bare: string[] = [];
  let depth = 0;
  let documented = false;
  for (const line of body.split("\n")) {
    const text = line.trim();
    const comment = text.startsWith("/**") || text.startsWith("*");
    if (depth === 0 && text !== "" && !comment) {
      const member = /^(?:(?:static|readonly|get|set|abstract|override) )*([A-Za-z_]\w*)/.exec(text)?.[1];
      const hidden = [undefined, "constructor", "private", "readonly"].includes(member); // readonly: of an index
      if (!hidden && !documented) bare.push(`${name}.${member}`);
    }
    if (comment) documented = true;
    else {
      depth += [...text].filter((c) => "{([".includes(c)).length - [...text].filter((c) => "})]".includes(c)).length;
      documented = false;
    }
  }
  return bare;
}

const found = new Map<string, Declaration>();
for (const { source, subpath, kilobytes } of ENTRIES) {
  if (!subpath && !kilobytes) continue;
  for (const { module, name } of exportsOf(moduleOf(source))) {
    const declaration = declarationOf(module, name);
    found.set(`${declaration.module} ${declaration.name}`, declaration);
  }
}

it("every export of the package and every member of its types has a doc comment", () => {
  expect(found.size).toBeGreaterThan(90);
  const missing = [...found.values()].flatMap((declaration) => [
    ...(declaration.documented ? [] : [`${declaration.module}: ${declaration.name}`]),
    ...bareMembers(declaration).map((member) => `${declaration.module}: ${member}`),
  ]);
  expect(missing).toEqual([]);
});

it("finds what has no comment", () => {
  const body =
    "\n    /** Bytes. */\n    readonly size: number;\n    read(): {\n        a: 1;\n    };\n    close?(): void;\n";
  expect(bareMembers({ name: "Source", module: "io/source", documented: true, body })).toEqual([
    "Source.read",
    "Source.close",
  ]);
});
