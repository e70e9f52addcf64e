/**
 * The parts of Cloudflare's queues and R2 that the example uses; Cloudflare's own types have more.
 * @module
 */

export interface Env {
  readonly BUCKET: Bucket;
  readonly REQUESTS: Queue<Message>;
  /** The key of a GGUF file in the bucket. Default: crumb, which is part of the Worker. */
  readonly MODEL?: string;
  /** A secret (`wrangler secret put API_KEY`). Without it, requests need no key. */
  readonly API_KEY?: string;
}

/** A message names the bytes of its request in the stored batch, so that a request may be longer than a message (128 KB). */
export interface Message {
  readonly batch: string;
  readonly hash: string;
  readonly start: number;
  readonly end: number;
}

export interface Queue<Body> {
  /** Takes at most 100 messages. */
  sendBatch(messages: readonly { readonly body: Body }[]): Promise<unknown>;
}

export interface MessageBatch<Body> {
  readonly queue: string;
  readonly messages: readonly {
    readonly body: Body;
    /** How often it was delivered, this time included. */
    readonly attempts: number;
    ack(): void;
    retry(options: { readonly delaySeconds: number }): void;
  }[];
}

export interface StoredObject {
  readonly size: number;
  readonly customMetadata?: Readonly<Record<string, string>>;
}

export interface Bucket {
  head(key: string): Promise<StoredObject | null>;
  get(
    key: string,
    options?: { readonly range: { readonly offset: number; readonly length: number } },
  ): Promise<(StoredObject & { readonly body: ReadableStream<Uint8Array>; text(): Promise<string> }) | null>;
  /** Resolves to null, and changes nothing, if the condition does not hold. */
  put(
    key: string,
    value: string | Uint8Array,
    options?: { readonly customMetadata?: Record<string, string>; readonly onlyIf?: Headers },
  ): Promise<unknown>;
  delete(keys: readonly string[]): Promise<void>;
  /** At most 1,000 keys; `cursor` asks for those after them. */
  list(options: { readonly prefix: string; readonly cursor?: string }): Promise<{
    readonly objects: readonly { readonly key: string }[];
    readonly truncated: boolean;
    readonly cursor?: string;
  }>;
}
