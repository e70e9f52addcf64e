/**
 * Tools that Anthropic defines and the client runs. A request names only their type: the model needs their schema.
 * Source: Anthropic's documentation of the tools, by their versions from 2024-10 on.
 * @module
 */
interface ClientTool {
  readonly description: string;
  readonly parameters: object;
}

const string = (description: string): object => ({ type: "string", description });
const path = string("Absolute path of the file or folder.");

const EDIT_FIELDS = {
  path,
  file_text: string("With create: the content of the file."),
  old_str: string("With str_replace: the text to replace, which the file has once."),
  new_str: string("With str_replace: its replacement."),
  insert_line: { type: "integer", description: "With insert: the number of the line after which the text comes." },
  insert_text: string("With insert: the text."),
  view_range: { type: "array", items: { type: "integer" }, description: "With view: the first and the last line." },
};

function edit(description: string, commands: readonly string[], more: object = {}): ClientTool {
  const properties = { command: { type: "string", enum: commands }, ...EDIT_FIELDS, ...more };
  return { description, parameters: { type: "object", properties, required: ["command"] } };
}

const CLIENT_TOOLS: Readonly<Record<string, ClientTool>> = {
  bash: {
    description: "Runs a command in a bash shell that lives from call to call.",
    parameters: {
      type: "object",
      properties: {
        command: string("The command to run."),
        restart: { type: "boolean", description: "Start a new shell instead." },
      },
    },
  },
  text_editor: edit("Views, creates and edits text files.", ["view", "create", "str_replace", "insert", "undo_edit"]),
  memory: edit(
    "Reads and writes files of a memory folder that outlives the conversation.",
    ["view", "create", "str_replace", "insert", "delete", "rename"],
    { old_path: path, new_path: path },
  ),
};

/** The tool of a type such as "bash_20250124"; undefined for types that only Anthropic can run, or of a screen. */
export function clientTool(type: string): ClientTool | undefined {
  const kind = /^(bash|text_editor|memory)_\d{8}$/.exec(type)?.[1];
  return kind === undefined ? undefined : CLIENT_TOOLS[kind];
}
