/**
 * The tabs of the page, by the pattern of WAI-ARIA: arrow keys go from one to the next, and each controls a panel.
 * @module
 */
import { byId } from "./dom.ts";

/**
 * @param onShow is called with the id of a panel after it was shown
 * @returns shows the panel of an id
 */
export function setUpTabs(list: HTMLElement, onShow: (panel: string) => void): (panel: string) => void {
  const tabs = [...list.querySelectorAll<HTMLButtonElement>("[role=tab]")];
  const panelOf = (tab: Element): string => tab.getAttribute("aria-controls")!;
  const show = (panel: string): void => {
    for (const tab of tabs) {
      const shown = panelOf(tab) === panel;
      tab.setAttribute("aria-selected", String(shown));
      tab.tabIndex = shown ? 0 : -1;
      byId(panelOf(tab)).hidden = !shown;
    }
    onShow(panel);
  };
  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener("click", () => show(panelOf(tab)));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (step === undefined) return;
      const next = tabs[(i + step + tabs.length) % tabs.length]!;
      show(panelOf(next));
      next.focus();
    });
  }
  return show;
}
