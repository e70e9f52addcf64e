/**
 * Dark or light: the system's choice, until the user presses the button.
 * @module
 */
import { recall, remember } from "./remembered.ts";

const KEY = "nibble-theme";

export function setUpTheme(switchButton: HTMLButtonElement): void {
  const { dataset } = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = (): boolean => (dataset.theme ? dataset.theme === "dark" : system.matches);
  const show = (): void => switchButton.setAttribute("aria-pressed", String(isDark()));
  const chosen = recall(KEY);
  if (chosen === "dark" || chosen === "light") dataset.theme = chosen;
  show();
  system.addEventListener("change", show);
  switchButton.addEventListener("click", () => {
    dataset.theme = isDark() ? "light" : "dark";
    remember(KEY, dataset.theme);
    show();
  });
}
