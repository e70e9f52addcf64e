/**
 * A stand-in for the tokenizer: one id for each byte (0 to 255), special tokens from 256 on. Characters beyond ASCII
 * are several tokens, so answers break inside characters.
 */
import { symmetric } from "../../src/tokenizer/around.ts";
import type { EncodeOptions, StreamDecoder, Tokenizer } from "../../src/tokenizer/types.ts";

const SPECIAL = ["<bos>", "<eos>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"];
/** The tokens that fill a gap; no text becomes them. */
export const FIM = { prefix: 280, suffix: 281, middle: 282, pad: 283, repository: 284, file: 285 };
export const BOS = 256;
export const EOS = 257;
export const IM_END = 259;

export class FakeTokenizer implements Tokenizer {
  readonly vocabSize: number = 300;
  readonly bosId: number = BOS;
  readonly eosId: number = EOS;
  readonly endIds: ReadonlySet<number> = new Set([EOS, IM_END]);
  readonly addBos: boolean = true;
  readonly around: Tokenizer["around"] = symmetric([BOS], [], []);
  readonly fim: Tokenizer["fim"] = FIM;

  encode(text: string, { special = true, addBos = this.addBos }: EncodeOptions = {}): number[] {
    const ids = addBos ? [BOS] : [];
    const pieces = special ? text.split(/(<bos>|<eos>|<\|im_start\|>|<\|im_end\|>|<think>|<\/think>)/) : [text];
    for (const piece of pieces) {
      const at = special ? SPECIAL.indexOf(piece) : -1;
      if (at >= 0) ids.push(256 + at);
      else ids.push(...new TextEncoder().encode(piece));
    }
    return ids;
  }
  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string {
    const decoder = this.decoder(options);
    return Array.from(ids, (id) => decoder.push(id)).join("") + decoder.end();
  }
  decoder({ skipSpecial = false }: { skipSpecial?: boolean } = {}): StreamDecoder {
    const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (id) => (id >= 256 && skipSpecial ? "" : utf8.decode(this.tokenBytes(id), { stream: true })),
      end: () => utf8.decode(),
    };
  }
  token(id: number): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.tokenBytes(id));
  }
  tokenBytes(id: number): Uint8Array {
    return id < 256 ? Uint8Array.of(id) : new TextEncoder().encode(SPECIAL[id - 256] ?? `<unused ${id}>`);
  }
  idOf(content: string): number | undefined {
    const at = SPECIAL.indexOf(content);
    return at < 0 ? undefined : 256 + at;
  }
  isSpecial(id: number): boolean {
    return id >= 256;
  }
}
