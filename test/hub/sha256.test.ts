import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { Sha256 } from "../../src/hub/sha256.ts";

function ours(...parts: Uint8Array[]): string {
  const hash = new Sha256();
  for (const part of parts) hash.update(part);
  return hash.hex();
}
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

it("NIST's examples (FIPS 180-2, appendix B)", () => {
  expect(ours(text("abc"))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(ours(text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))).toBe(
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
  expect(ours(new Uint8Array(1_000_000).fill(0x61))).toBe(
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  );
});

it("equal to node:crypto at every length around a block, in any parts", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
    const expected = createHash("sha256").update(bytes).digest("hex");
    expect(ours(bytes)).toBe(expected);
    const cut = (length * 7) % (length + 1);
    expect(ours(bytes.subarray(0, cut), bytes.subarray(cut))).toBe(expected);
  }
});
