/**
 * The manual page nibble(1), from the table that help prints; the build writes it to `dist/nibble.1`.
 * @module
 */
import type { CommandFlags } from "./completion.ts";
import { shownFlags } from "./flags.ts";

/** Text of roff: backslashes and hyphens are escaped, and no line begins with a full stop or an apostrophe. */
const roff = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^(?=[.'])/gm, "\\&");

/** @param about what the command is, and how models are named, as `nibble help` says it */
export function manual(version: string, about: string, commands: readonly CommandFlags[]): string {
  const sections = commands.map(({ name, summary, flags }) => {
    const rows = shownFlags(flags).map(
      ({ names, placeholder, help }) =>
        `.TP\n.B ${roff(names.join(", "))}${placeholder ? ` ${roff(placeholder)}` : ""}\n${roff(help)}`,
    );
    return `.SS nibble ${name}\n${roff(summary)}\n${rows.join("\n")}`;
  });
  return `.TH NIBBLE 1 "" "nibble ${version}"
.SH NAME
nibble \\- small reasoning language models on any CPU
.SH SYNOPSIS
.B nibble
COMMAND [FLAGS]
.SH DESCRIPTION
${roff(about)}
.SH COMMANDS
${sections.join("\n")}
`;
}
