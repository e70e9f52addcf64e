/**
 * Keeps small texts between visits, where the browser allows it.
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
    // Storage is blocked; the setting holds while the page is open.
  }
}
