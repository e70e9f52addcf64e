/**
 * Small texts that outlive the page, where the browser allows it.
 * @module
 */

export function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined; // storage is blocked for this page
  }
}

export function remember(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // It is remembered as long as the page is open.
  }
}
