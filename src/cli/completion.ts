/**
 * `nibble completion SHELL`: completions of commands and flags, from the table that help prints.
 * @module
 */
import { type Flags, shownFlags, UsageError } from "./flags.ts";

export interface CommandFlags {
  readonly name: string;
  readonly summary: string;
  readonly flags: Flags;
}

type Writer = (commands: readonly CommandFlags[]) => string;

const namesOf = ({ flags }: CommandFlags): string[] => shownFlags(flags).flatMap(({ names }) => names);

const words = (commands: readonly CommandFlags[]): string => [...commands.map(({ name }) => name), "help"].join(" ");

/** Flags of the command that was typed; anything else is a file. */
const bash: Writer = (commands) => `# nibble completion bash > /etc/bash_completion.d/nibble
_nibble() {
  local word=\${COMP_WORDS[COMP_CWORD]} flags=
  if ((COMP_CWORD == 1)); then COMPREPLY=($(compgen -W "${words(commands)}" -- "$word")); return; fi
  case \${COMP_WORDS[1]} in
${commands.map((command) => `    ${command.name}) flags="${namesOf(command).join(" ")}" ;;`).join("\n")}
    help) COMPREPLY=($(compgen -W "${words(commands)}" -- "$word")); return ;;
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _nibble nibble
`;

/** Text between single quotes, for zsh and fish. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const zsh: Writer = (commands) => {
  const escaped = (text: string): string => text.replace(/[\\[\]:]/g, "\\$&");
  const spec = ({ name, flags }: CommandFlags): string => {
    const lines = shownFlags(flags).flatMap(({ names, placeholder, help }) =>
      names.map((flag) => quoted(`*${flag}[${escaped(help)}]${placeholder ? `:${escaped(placeholder)}:_files` : ""}`)),
    );
    return `    ${name}) _arguments ${lines.join(" ")} '*:file:_files' ;;`;
  };
  return `#compdef nibble
# nibble completion zsh > a file called _nibble in a folder of $fpath
_nibble() {
  local -a commands=(${commands.map(({ name, summary }) => quoted(`${name}:${escaped(summary)}`)).join(" ")})
  if ((CURRENT == 2)); then _describe command commands; return; fi
  shift words; ((CURRENT--))
  case $words[1] in
${commands.map(spec).join("\n")}
  esac
}
if [ "$funcstack[1]" = "_nibble" ]; then _nibble; else compdef _nibble nibble; fi
`;
};

const fish: Writer = (commands) => {
  const one = ({ name, summary, flags }: CommandFlags): string[] => [
    `complete -c nibble -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...shownFlags(flags).map(({ names, placeholder, help }) => {
      // fish calls -m short, -np old and --model long.
      const kinds = names.map((flag) => {
        if (flag.startsWith("--")) return `-l ${flag.slice(2)}`;
        return flag.length === 2 ? `-s ${flag.slice(1)}` : `-o ${flag.slice(1)}`;
      });
      const value = placeholder === undefined ? "" : " -r";
      return `complete -c nibble -n '__fish_seen_subcommand_from ${name}' ${kinds.join(" ")}${value} -d ${quoted(help)}`;
    }),
  ];
  return ["# nibble completion fish > ~/.config/fish/completions/nibble.fish", ...commands.flatMap(one), ""].join("\n");
};

const SHELLS: Readonly<Record<string, Writer>> = { bash, zsh, fish };

/** @throws UsageError for a shell that is not known */
export function completion(shell: string | undefined, commands: readonly CommandFlags[]): string {
  const write = Object.entries(SHELLS).find(([name]) => name === shell)?.[1];
  if (write) return write(commands);
  const known = Object.keys(SHELLS).join(", ");
  throw new UsageError(`completion: expected the name of a shell (${known}), got ${shell ?? "none"}`);
}
