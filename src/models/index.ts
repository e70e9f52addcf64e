/**
 * The architectures we run, by the name in `general.architecture`.
 * @module
 */
import { NibbleError } from "../errors.ts";
import type { Checkpoint } from "../formats/types.ts";
import { type Program, ProgramBuilder, type ProgramOptions } from "../runtime/program.ts";
import type { Architecture, DecoderConfig } from "./decoder.ts";
import { llama } from "./llama.ts";
import { llama4 } from "./llama4.ts";

const architectures = new Map<string, Architecture>();

/** An architecture's own config type is known to itself alone: what it reads goes only to its own `build`. */
function register<Config extends DecoderConfig>(architecture: Architecture<Config>): void {
  architectures.set(architecture.name, architecture as unknown as Architecture);
}
register(llama);
register(llama4);

/** A model's facts, and how to record its forward pass for given options. */
export interface ModelDescription {
  readonly config: DecoderConfig;
  describe(options: ProgramOptions): Program;
}

/**
 * Reads the model's facts from the header; no weights are read (but for a RoPE table of a few hundred bytes).
 * @throws NibbleError `unsupported_architecture`, `missing_key`, `bad_value`
 */
export async function describeModel(checkpoint: Checkpoint): Promise<ModelDescription> {
  const architecture = architectures.get(checkpoint.architecture);
  if (!architecture) {
    const known = [...architectures.keys()].join(", ");
    throw new NibbleError("unsupported_architecture", `expected architecture ${known}, got ${checkpoint.architecture}`);
  }
  const config = await architecture.readConfig(checkpoint);
  return {
    config,
    describe(options) {
      const builder = new ProgramBuilder(checkpoint.tensors, options);
      return builder.finish(architecture.build(builder, config));
    },
  };
}
