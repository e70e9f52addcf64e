/**
 * OpenAI's embeddings: the shapes of a request and its answer.
 * @module
 */
import type { Embeddings } from "../generate/embedding.ts";
import type { LoraChoice } from "../request/lora.ts";
import type { Pooling } from "../schedule/batch-plan.ts";

/** A request for embeddings. */
export interface EmbeddingRequest {
  /** A text or its token ids, or at most 2,048 of either. */
  readonly input: string | readonly number[] | readonly (string | readonly number[])[];
  /** Any name; one model answers. */
  readonly model?: string | null;
  /** "base64" gives vectors as little-endian f32. Default: "float". */
  readonly encoding_format?: "float" | "base64" | null;
  /** How many of the first numbers of each vector are kept. Default: all. */
  readonly dimensions?: number | null;
  /** Accepted and not used. */
  readonly user?: string | null;
  /** Not OpenAI's; see `EmbedOptions`. "none" is refused, since this API has one vector per text. */
  readonly pooling?: Pooling | null;
  /** Not OpenAI's; see `EmbedOptions`. */
  readonly normalize?: boolean | null;
  /** Not OpenAI's; see `EmbedOptions.promptName`. */
  readonly prompt_name?: string | null;
  /** Not OpenAI's; see `EmbedOptions`. */
  readonly prompt?: string | null;
  /** Not OpenAI's; see `EmbedOptions`. */
  readonly truncate?: boolean | null;
  /** Not OpenAI's; see `EmbedOptions`. */
  readonly lora?: readonly LoraChoice[] | null;
}

/** The answer to an `EmbeddingRequest`. */
export interface EmbeddingResponse {
  readonly object: "list";
  readonly data: readonly {
    readonly object: "embedding";
    readonly index: number;
    /** Numbers, or base64 where the request asks for it. */
    readonly embedding: readonly number[] | string;
  }[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

/** @param base64 vectors as base64 of little-endian f32 instead of numbers */
export function embeddingResponse({ vectors, tokens }: Embeddings, model: string, base64: boolean): EmbeddingResponse {
  return {
    object: "list",
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: base64 ? toBase64(vector) : Array.from(vector),
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** The vector as little-endian f32 in base64. */
function toBase64(vector: Float32Array): string {
  const bytes = new Uint8Array(vector.length * 4);
  const view = new DataView(bytes.buffer);
  vector.forEach((x, i) => {
    view.setFloat32(4 * i, x, true);
  });
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
