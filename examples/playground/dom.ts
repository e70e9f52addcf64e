/**
 * Elements of the page, found by id or made.
 * @module
 */

/** @throws Error if the page has no such element */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found as T;
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = "",
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function button(label: string, onClick: () => void, className = ""): HTMLButtonElement {
  const element = make("button", className, label);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

/** `98.4 MB`. */
export function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return value < 1000 ? `${value.toFixed(1)} MB` : `${(value / 1000).toFixed(2)} GB`;
}
