/**
 * The pieces of a file that is being fetched: which ones are stored, and the SHA-256 of its beginning.
 * @module
 */
import { type Hasher, type PartialFile, PIECE_BYTES } from "./cache.ts";
import { digest } from "./sha256.ts";

/** Pieces of one request. With 16 there are few requests, and hashing is never far behind. */
const PIECES_PER_REQUEST = 16;

export interface PiecesOptions {
  /** Length of the whole file. */
  readonly bytes: number;
  readonly file: PartialFile;
  readonly hasher: Hasher;
  /** Is called with the bytes that are stored so far. */
  readonly onBytes?: ((loaded: number) => void) | undefined;
}

export class Pieces {
  readonly count: number;
  readonly #options: PiecesOptions;
  readonly #stored: boolean[];
  #loaded = 0;
  /** How many pieces of the beginning are hashed. */
  #hashed = 0;
  #hashing: Promise<void> = Promise.resolve();
  /** The first piece that no request has taken. */
  #next = 0;

  constructor(options: PiecesOptions) {
    this.#options = options;
    this.count = Math.ceil(options.bytes / PIECE_BYTES);
    this.#stored = new Array<boolean>(this.count).fill(false);
  }

  lengthOf(piece: number): number {
    return Math.min(PIECE_BYTES, this.#options.bytes - piece * PIECE_BYTES);
  }

  /** How many bytes are stored. */
  get loaded(): number {
    return this.#loaded;
  }

  get complete(): boolean {
    return this.#loaded === this.#options.bytes;
  }

  /** Takes over the pieces that an earlier attempt left, if their bytes have the hash that it wrote down for them. */
  async resume(): Promise<void> {
    const { file } = this.#options;
    for (const [piece, expected] of file.digests) {
      if (piece >= this.count) continue;
      const bytes = await file.read(piece).catch(() => undefined);
      if (bytes?.length === this.lengthOf(piece) && sameBytes(await digest(bytes), expected)) this.#markStored(piece);
    }
    this.#hashOn();
  }

  /**
   * The next missing pieces for a request, from `first` up to but without `end`; undefined if requests have taken all.
   */
  take(): { first: number; end: number } | undefined {
    while (this.#next < this.count && this.#stored[this.#next]) this.#next++;
    if (this.#next === this.count) return undefined;
    const first = this.#next;
    const end = Math.min(this.count, first + PIECES_PER_REQUEST);
    while (this.#next < end && !this.#stored[this.#next]) this.#next++;
    return { first, end: this.#next };
  }

  /** Stores a piece. Waits until hashing has caught up, so that a fast connection does not run ahead of it. */
  async write(piece: number, bytes: Uint8Array): Promise<void> {
    if (this.#stored[piece]) return;
    await this.#options.file.write(piece, bytes, await digest(bytes));
    this.#markStored(piece);
    this.#hashOn();
    await this.#hashing;
  }

  /** The SHA-256 of the complete file, in hexadecimal digits. */
  async sha256(): Promise<string> {
    await this.#hashing;
    return this.#options.hasher.hex();
  }

  #markStored(piece: number): void {
    this.#stored[piece] = true;
    this.#loaded += this.lengthOf(piece);
    this.#options.onBytes?.(this.#loaded);
  }

  /** Hashes the stored pieces that follow the beginning without a gap. */
  #hashOn(): void {
    const { file, hasher } = this.#options;
    this.#hashing = this.#hashing.then(async () => {
      for (; this.#stored[this.#hashed]; this.#hashed++) hasher.update(await file.read(this.#hashed));
    });
    this.#hashing.catch(() => {}); // `write` and `sha256` await it, and reject with its error
  }
}

/** Cuts bytes that arrive in order into pieces. It keeps its place when a request ends early. */
export class PieceWriter {
  readonly #pieces: Pieces;
  readonly #end: number;
  #piece: number;
  #buffer: Uint8Array<ArrayBuffer>;
  #filled = 0;

  /** Writes the pieces from `first` to before `end`. */
  constructor(pieces: Pieces, first: number, end: number) {
    this.#pieces = pieces;
    this.#piece = first;
    this.#end = end;
    this.#buffer = new Uint8Array(pieces.lengthOf(first));
  }

  /** The offset in the file of the next byte. */
  get offset(): number {
    return this.#piece * PIECE_BYTES + this.#filled;
  }

  get done(): boolean {
    return this.#piece === this.#end;
  }

  /** Takes the next bytes. Returns false if there are more than fit into the pieces. */
  async push(chunk: Uint8Array): Promise<boolean> {
    for (let at = 0; at < chunk.length; ) {
      if (this.done) return false;
      const part = chunk.subarray(at, at + this.#buffer.length - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#buffer.length) continue;
      await this.#pieces.write(this.#piece, this.#buffer);
      this.#filled = 0;
      if (++this.#piece < this.#end) this.#buffer = new Uint8Array(this.#pieces.lengthOf(this.#piece));
    }
    return true;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
