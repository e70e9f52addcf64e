/**
 * Formats of strings (JSON Schema validation 2020-12, section 7.3) as patterns.
 * @module
 */
import { grammarError } from "../limits.ts";
import type { Dfa } from "../regular/dfa.ts";
import { patternDfa } from "../regular/nfa.ts";
import { parsePattern } from "../regular/pattern.ts";

const MONTH_DAY =
  "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))";
/** Years from 1000 on. The 29th of February is left out, since not every year has one. */
const DATE = `[1-9][0-9]{3}-${MONTH_DAY}`;
const TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
const BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const LABEL = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?";
const HOST = `${LABEL}(\\.${LABEL}){0,4}`;
const WORD = "[a-zA-Z0-9._~-]";
const QUARTET = "[0-9a-fA-F]{1,4}";

/** Each is a part of what the RFCs allow: all of its texts are valid, but not all valid texts are in it. */
const FORMATS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "date-time": `${DATE}T${TIME}`,
    date: DATE,
    time: TIME,
    duration: "P([0-9]{1,6}W|[0-9]{1,6}D(T[0-9]{1,6}H([0-9]{1,6}M([0-9]{1,6}S)?)?)?|T[0-9]{1,6}[HMS])",
    email: `[a-zA-Z0-9_+-]{1,32}(\\.[a-zA-Z0-9_+-]{1,32})?@${LABEL}(\\.${LABEL}){1,3}`,
    hostname: HOST,
    ipv4: `${BYTE}(\\.${BYTE}){3}`,
    ipv6: `${QUARTET}(:${QUARTET}){7}|::|${QUARTET}(:${QUARTET}){0,3}::${QUARTET}(:${QUARTET}){0,1}`,
    uuid: "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    uri: `https?://${HOST}(:[1-9][0-9]{0,3})?(/${WORD}*)*(\\?(${WORD}|[=&])*)?(#${WORD}*)?`,
  }),
);
/** Standard formats that are refused, since ignoring them would give wrong texts. Other names are annotations. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  ...["idn-email", "idn-hostname", "iri", "iri-reference", "uri-reference", "uri-template"],
  ...["json-pointer", "relative-json-pointer", "regex"],
]);

const built = new Map<string, Dfa>();

/** @throws NibbleError `invalid_argument` for a standard format that is not supported */
export function formatDfa(format: string): Dfa | undefined {
  const source = FORMATS.get(format);
  if (UNSUPPORTED.has(format)) throw grammarError(`schema: format ${format} is not supported`);
  if (source === undefined) return undefined;
  let dfa = built.get(format);
  if (!dfa) built.set(format, (dfa = patternDfa(parsePattern(source))));
  return dfa;
}
