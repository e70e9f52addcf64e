/**
 * `encrypted_content` of reasoning items. Clients that store nothing send it back in the next turn without looking into it,
 * so it carries the text of the reasoning. It is encoded, not encrypted: the text is the client's own anyway.
 * @module
 */

const PREFIX = "nibble-v1.";

export function encodeReasoning(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return PREFIX + btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** The text; "" for content of another server, which only that one can read. */
export function decodeReasoning(content: string | undefined): string {
  if (!content?.startsWith(PREFIX)) return "";
  try {
    const bytes = Uint8Array.from(atob(content.slice(PREFIX.length)), (letter) => letter.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return "";
  }
}
