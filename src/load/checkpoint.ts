/**
 * From a source to a checkpoint, which is the header of a model: its metadata, and where each tensor lies.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { isGguf } from "../formats/gguf/header.ts";
import { readGguf } from "../formats/gguf/model.ts";
import { splitNames } from "../formats/gguf/shards.ts";
import { readHuggingFace } from "../formats/huggingface/folder.ts";
import { readExactly } from "../io/byte-source.ts";
import type { OpenedModel } from "../io/opened-model.ts";
import type { Host } from "./host.ts";
import { type ModelSource, openSource } from "./source.ts";

/**
 * Opens a source and reads its header. The caller closes the checkpoint; after an error, everything is closed already.
 * @throws NibbleError `invalid_argument` or `missing_file` for the source, a format code for what it holds
 */
export async function openCheckpoint(source: ModelSource, host: Host): Promise<Checkpoint> {
  const opened = await openSource(source, host);
  return "files" in opened ? readHuggingFace(opened.files) : readGgufFile(opened);
}

/** Runs `action` on the open checkpoint. Nothing reads its files afterwards, so they are closed. */
export async function withCheckpoint<T>(
  source: ModelSource,
  host: Host,
  action: (checkpoint: Checkpoint) => Promise<T>,
): Promise<T> {
  const checkpoint = await openCheckpoint(source, host);
  try {
    return await action(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** Reads a GGUF file, and with a first shard (`model-00001-of-00003.gguf`) all those beside it. */
async function readGgufFile({ file, name, siblings }: Exclude<OpenedModel, { files: unknown }>): Promise<Checkpoint> {
  const shards = [file];
  try {
    const start = await readExactly(file, 0, Math.min(4, file.size));
    if (!isGguf(start)) throw notGguf(start);
    const names = siblings && name ? splitNames(name.slice(name.lastIndexOf("/") + 1)) : undefined;
    for (const shard of names?.slice(1) ?? []) shards.push(await siblings!.open(shard));
    return await readGguf(shards);
  } catch (error) {
    for (const shard of shards) await shard.close?.();
    throw error;
  }
}

function notGguf(start: Uint8Array): NibbleError {
  if (start.length === 0) return new NibbleError("bad_magic", "expected a GGUF file, got an empty file");
  const hex = Array.from(start, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new NibbleError("bad_magic", `expected a GGUF file, got one that begins ${hex}`);
}
