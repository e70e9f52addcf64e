/**
 * The result of an evaluation on the page.
 * @module
 */
import type { EvalResult } from "../../src/eval/in-worker/evaluate-in-worker.ts";
import { make } from "./dom.ts";

/** The report, and its files to be saved. */
export class ResultView {
  readonly #place: HTMLElement;
  #urls: string[] = [];
  #styled = false;

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  show({ sections, style, files }: EvalResult, command: string): void {
    if (!this.#styled) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(style);
      document.adoptedStyleSheets.push(sheet);
      this.#styled = true;
    }
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = files.map(([, content]) => URL.createObjectURL(content));
    const links = files.map(([name], i) => {
      const link = make("a", "", name);
      Object.assign(link, { href: this.#urls[i], download: name });
      return make("li", "", link);
    });
    const report = make("div", "report");
    report.innerHTML = sections; // every text of rows and models in it is escaped
    this.#place.replaceChildren(
      report,
      make("h2", "", "Files, and the command that gives the same"),
      make("ul", "files", ...links),
      make("p", "", make("code", "", command)),
    );
  }
}
