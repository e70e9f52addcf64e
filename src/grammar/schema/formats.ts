/**
 * Formats of strings (JSON Schema validation 2020-12, section 7.3) as patterns.
 *
 * Each is a part of what the RFCs allow: all of its texts are valid, but not all valid texts are in it. Other formats are
 * annotations.
 * @module
 */
import type { Dfa } from "../regular/dfa.ts";
import { parsePattern } from "../regular/pattern.ts";
import { patternDfa } from "../regular/pattern-dfa.ts";

const MONTH_DAY =
  "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))";
/** Years that are divisible by 4, but only those hundreds that are divisible by 400. */
const LEAP_YEAR = "([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)";
/** Years from 1000 on. */
const DATE = `([1-9][0-9]{3}-${MONTH_DAY}|${LEAP_YEAR}-02-29)`;
const TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";

const COUNT = "[0-9]{1,6}";
const SECONDS = `${COUNT}S`;
const MINUTES = `${COUNT}M(${SECONDS})?`;
const HOURS = `${COUNT}H(${MINUTES})?`;
const DAYS = `${COUNT}D`;
const MONTHS = `${COUNT}M(${DAYS})?`;
const YEARS = `${COUNT}Y(${MONTHS})?`;
const CLOCK = `T(${HOURS}|${MINUTES}|${SECONDS})`;
const DURATION = `P((${DAYS}|${MONTHS}|${YEARS})(${CLOCK})?|${CLOCK}|${COUNT}W)`;

/** Letters beyond ASCII, which internationalised names and identifiers allow. */
const LETTERS =
  "\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02af\\u0370-\\u03ff\\u0400-\\u04ff\\u3041-\\u3096\\u30a1-\\u30fa\\u4e00-\\u9fff\\uac00-\\ud7a3";

const label = (more: string): string => `[a-zA-Z0-9${more}]([a-zA-Z0-9${more}-]{0,20}[a-zA-Z0-9${more}])?`;
const host = (more: string): string => `${label(more)}(\\.${label(more)}){0,4}`;
/** The characters of an atom (RFC 5322), without those that few would expect. */
const mailbox = (more: string): string => `[a-zA-Z0-9_%+'&=~${more}-]{1,20}(\\.[a-zA-Z0-9_%+'&=~${more}-]{1,20}){0,2}`;
const email = (more: string): string => `${mailbox(more)}@${label(more)}(\\.${label(more)}){1,3}`;
const BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = `${BYTE}(\\.${BYTE}){3}`;
const QUARTET = "[0-9a-fA-F]{1,4}";
/** Eight quartets, of which `::` replaces at least one. */
const IPV6 = [
  `${QUARTET}(:${QUARTET}){7}`,
  `::(${QUARTET}(:${QUARTET}){0,6})?`,
  ...[1, 2, 3, 4, 5, 6].map((before) => `(${QUARTET}:){${before}}(:${QUARTET}){1,${7 - before}}`),
  `(${QUARTET}:){1,7}:`,
  `::ffff:${IPV4}`,
].join("|");

const ESCAPED = "%[0-9a-fA-F]{2}";

/**
 * URIs and references to them (RFC 3986), without limits on lengths, which would multiply with those of a schema.
 * @param more letters that identifiers of RFC 3987 allow, too
 */
function identifiers(more: string): { readonly absolute: string; readonly reference: string } {
  const name = `[a-zA-Z0-9${more}]+(-+[a-zA-Z0-9${more}]+)*`;
  const authority = `//${name}(\\.${name})*(:[0-9]+)?`;
  const char = `[a-zA-Z0-9._~!$&'()*+,;=:@${more}-]`;
  const path = `(/(${char}|${ESCAPED})*)*`;
  const query = `(\\?([/?]|${char}|${ESCAPED})*)?(#([/?]|${char})*)?`;
  return {
    absolute: `[a-zA-Z][a-zA-Z0-9+.-]+:(${authority}${path}|${char}+${path})${query}`,
    reference: `(${authority}${path}|/|/?[a-zA-Z0-9._~${more}-]+${path})?${query}`,
  };
}
const URI = identifiers("");
const IRI = identifiers(LETTERS);
/** Templates of URIs (RFC 6570): characters of URIs, and names in braces. */
const TEMPLATE = `([a-zA-Z0-9._~:/?#@!$&()*+,;=-]|${ESCAPED}|\\{[+#./;?&]?[a-zA-Z0-9_]+\\*?(,[a-zA-Z0-9_]+\\*?)*\\})*`;
const POINTER = "(/([^/~]|~[01])*)*";

/** REGEX, built from these, allows a subset of regular expressions: characters, escapes, simple classes and groups. */
const ATOM =
  "([a-zA-Z0-9_ ,:;=@#%&'\"<>~!/-]|\\.|\\\\[dwsDWS.*+?^$()|\\[\\]{}/\\\\]|\\[\\^?([a-zA-Z0-9_ ]|a-z|A-Z|0-9)+\\])";
const TERMS = `(${ATOM}([*+?]|\\{[1-9]\\})?)*`;
const REGEX = `\\^?(${TERMS}|\\((\\?:)?${TERMS}(\\|${TERMS})*\\)[*+?]?)*\\$?`;

const FORMATS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "date-time": `${DATE}T${TIME}`,
    date: DATE,
    time: TIME,
    duration: DURATION,
    email: email(""),
    "idn-email": email(LETTERS),
    hostname: host(""),
    "idn-hostname": host(LETTERS),
    ipv4: IPV4,
    ipv6: IPV6,
    uuid: "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    uri: URI.absolute,
    iri: IRI.absolute,
    "uri-reference": `${URI.absolute}|${URI.reference}`,
    "iri-reference": `${IRI.absolute}|${IRI.reference}`,
    "uri-template": TEMPLATE,
    "json-pointer": POINTER,
    "relative-json-pointer": `(0|[1-9][0-9]{0,5})(#|${POINTER})`,
    regex: REGEX,
  }),
);

const built = new Map<string, Dfa>();

/** The language of a format; undefined for a format that is an annotation. */
export function formatDfa(format: string): Dfa | undefined {
  const source = FORMATS.get(format);
  if (source === undefined) return undefined;
  let dfa = built.get(format);
  if (!dfa) built.set(format, (dfa = patternDfa(parsePattern(source))));
  return dfa;
}
