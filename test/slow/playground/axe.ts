/**
 * Accessibility by axe.
 * @module
 */
import { readFileSync } from "node:fs";
import { tool } from "../hosts/project.ts";
import type { Page } from "./page.ts";

/** What axe finds in the page: rules with the elements that break them. */
export async function violations(page: Page): Promise<unknown> {
  await page.evaluate(readFileSync(tool("axe-core/axe.min.js"), "utf8"));
  return page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html, any }) => [html, any.map(({ message }) => message)])]))`,
  );
}
