/** `PAR1`, which stands at both ends of a Parquet file. */
export const PARQUET_MAGIC = 0x31524150;

export function isParquet(head: Uint8Array): boolean {
  return head.length >= 4 && new DataView(head.buffer, head.byteOffset).getUint32(0, true) === PARQUET_MAGIC;
}
