/**
 * The files of a folder that are read whole.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { parseJsonObject } from "../../base/json.ts";
import type { FileSet } from "../../io/byte-source.ts";
import { readExactly } from "../../io/byte-source.ts";

/** Reads the files that are read whole, and counts their bytes. */
export class TextFiles {
  readonly #files: FileSet;
  bytesRead = 0;

  constructor(files: FileSet) {
    this.#files = files;
  }

  async read(name: string, maxBytes: number): Promise<Uint8Array> {
    const source = await this.#files.open(name);
    try {
      if (source.size > maxBytes) {
        throw new NibbleError("limit_exceeded", `${name}: expected at most ${maxBytes} bytes, got ${source.size}`);
      }
      this.bytesRead += source.size;
      return await readExactly(source, 0, source.size);
    } finally {
      await source.close?.();
    }
  }

  async optional(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    return (await this.#files.has(name)) ? this.read(name, maxBytes) : undefined;
  }

  /** Names of the files in a folder; undefined if the set cannot tell. */
  async list(folder: string): Promise<readonly string[] | undefined> {
    const names = await this.#files.list?.();
    return names?.filter((name) => name.startsWith(`${folder}/`)).map((name) => name.slice(folder.length + 1));
  }

  async json(name: string, maxBytes: number): Promise<JsonObject | undefined> {
    const bytes = await this.optional(name, maxBytes);
    return bytes && parseJsonObject(bytes, { roundIntegers: true, name });
  }
}
