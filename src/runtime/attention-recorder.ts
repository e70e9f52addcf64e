/**
 * Records the stores of keys and values and the attention over them, and counts the bytes of a page.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import {
  ATTENTION_QUERIES,
  attentionScratchBytes,
  KV_TYPES,
  kvHeadBytes,
  kvStoreScratchBytes,
  MAX_HEAD_DIM,
  QUERY_BLOCK_BYTES,
} from "./layout.ts";
import type { ProgramOptions } from "./program.ts";
import { dst, type KvLayer, type Recording, src, type Value } from "./recording.ts";

/** Variants of attention. */
export interface AttentionOptions {
  /** Tokens that a token attends to: itself and the `window` - 1 before it. 0 (default) stands for all. */
  readonly window?: number;
  /** Softcap of the scores, which become cap tanh(score / cap). 0 (default) leaves them as they are. */
  readonly softcap?: number;
  /** Whether a token also attends to all tokens after it, or to the `window` - 1 after it (default false). */
  readonly bidirectional?: boolean | undefined;
}

export class AttentionRecorder {
  /** Bytes of a page over all layers so far. */
  pageBytes = 0;
  /** Bytes of a page for each kv head of each layer. */
  readonly headPageBytes: number[] = [];
  /** Whether some layer's tokens attend to those after them. */
  bidirectional = false;
  private readonly recording: Recording;
  private readonly options: ProgramOptions;

  constructor(recording: Recording, options: ProgramOptions) {
    this.recording = recording;
    this.options = options;
  }

  /** Stores the keys and values of every row of the batch. Returns the layer's place in the pages. */
  kvStore(k: Value, v: Value, headDim: number): KvLayer {
    if (headDim > MAX_HEAD_DIM || headDim % 8 !== 0)
      throw new NibbleError(
        "bad_value",
        `expected a head size that is a multiple of 8 up to ${MAX_HEAD_DIM}, got ${headDim}`,
      );
    const { kvType } = this.options;
    const kvHeads = k.width / headDim;
    const headBytes = kvHeadBytes(kvType, headDim);
    const layer = { offset: this.pageBytes, kvHeads, headDim, headBytes };
    this.pageBytes += kvHeads * headBytes;
    for (let head = 0; head < kvHeads; head++) this.headPageBytes.push(headBytes);
    this.recording.emit("kvStore", "all", {
      keys: { place: k },
      keyStride: k.buffer.stride,
      values: { place: v },
      valueStride: v.buffer.stride,
      ...this.pagesOf(layer),
      ...this.recording.scratch(kvStoreScratchBytes(headDim)),
    });
    return layer;
  }

  private pagesOf({ offset, kvHeads, headDim, headBytes }: KvLayer) {
    const kvType = KV_TYPES[this.options.kvType];
    return { kvHeads, headDim, kvType, pages: { layerPages: offset }, headStride: { headPages: headBytes } };
  }

  /**
   * Attention of q over the cached tokens of each row's sequence, causal unless the options say otherwise: [rows, q.width].
   * `scale` multiplies the scores.
   */
  attention(q: Value, layer: KvLayer, scale: number, options: AttentionOptions = {}): Value {
    const { window = 0, softcap = 0, bidirectional = false } = options;
    this.bidirectional ||= bidirectional;
    const heads = q.width / layer.headDim;
    const queryHeads = heads / layer.kvHeads;
    if (queryHeads > ATTENTION_QUERIES)
      throw new NibbleError(
        "bad_value",
        `expected at most ${ATTENTION_QUERIES} query heads per key-value head, got ${queryHeads}`,
      );
    const y = this.recording.value(q.width, q.rows, false);
    this.recording.emit("attention", q.rows, {
      ...dst(y),
      ...src(q),
      heads,
      ...this.pagesOf(layer),
      scale: scale,
      window,
      softcap: softcap,
      bidirectional: bidirectional ? 1 : 0,
      ...this.recording.scratch(QUERY_BLOCK_BYTES + attentionScratchBytes(layer.headDim)),
    });
    return y;
  }
}
