/**
 * Explains errors to a person who opens files; nibble's own message is kept as the detail.
 * @module
 */
import { NibbleError } from "nibble-llm/browser";

const WORDS: ReadonlyMap<string | undefined, string> = new Map([
  ["bad_magic", "This is not a GGUF model."],
  ["truncated", "The file ends too early. A download may have been cut off."],
  ["out_of_memory", "The model does not fit into memory. A shorter context takes less."],
  ["unsupported_architecture", "nibble does not run this kind of model."],
  ["unsupported_type", "nibble does not run this kind of weights."],
  ["unsupported_host", "This browser cannot run it."],
  ["missing_file", "The model is not there."],
  ["io_error", "The model could not be read."],
  ["disposed", "The model was replaced meanwhile."],
  ["bad_json", "This is not JSON."],
  ["context_full", "This does not fit into the context."],
]);

export interface Explained {
  readonly title: string;
  readonly detail: string;
  readonly code: string | undefined;
}

export function explain(error: unknown): Explained {
  const code = error instanceof NibbleError ? error.code : undefined;
  const detail = error instanceof Error ? error.message : String(error);
  return { title: WORDS.get(code) ?? "That did not work.", detail, code };
}
