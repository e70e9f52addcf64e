/**
 * What the page says before the first question: about the loaded model, with questions that it can answer.
 * @module
 */
import type { ModelInfo } from "nibble-llm/browser";
import { button, byId, make } from "./dom.ts";

interface Welcome {
  readonly heading: string;
  /** A text, or the nodes of the page's own. */
  readonly about: readonly (string | Node)[];
  readonly examples: readonly string[];
}

const LOCAL = "It runs on your processor, and what you write goes nowhere.";

/** crumb's own text stands in the page's HTML, so that nothing moves while it is loaded. */
const OF_CRUMB: Welcome = {
  heading: byId("welcome").querySelector("h2")!.textContent,
  about: [...byId("welcome").querySelector(".about")!.childNodes],
  examples: [...byId("examples").querySelectorAll("button")].map(({ textContent }) => textContent),
};
const OF_CHAT = [
  "Explain to a child why the sky is blue.",
  "Give me three ideas for a dinner with lentils.",
  "Write a short poem about a lighthouse.",
];
const OF_CODE = [
  "Write a Python function that tells whether a word is a palindrome.",
  "What does git rebase do?",
  "Write an SQL query that finds the ten customers with the most orders.",
];
const OF_REASONING = [
  "A bat and a ball cost 1.10 together. The bat costs 1.00 more than the ball. What does the ball cost?",
  "How many of the numbers from 1 to 100 are divisible by 3 and not by 5?",
  "What is the derivative of x^2 * sin(x)?",
];
const OF_COMPLETION = ["Once upon a time", "The capital of France is", "def fibonacci(n):"];

/** @param isCrumb whether it is the package's own model */
export function showWelcome(info: ModelInfo, isCrumb: boolean): void {
  const { heading, about, examples } = isCrumb ? OF_CRUMB : ofModel(info);
  const place = byId("welcome");
  place.querySelector("h2")!.textContent = heading;
  place.querySelector(".about")!.replaceChildren(...about);
  byId("examples").replaceChildren(...examples.map((text) => make("li", "", exampleButton(text))));
}

/** `main.ts` listens to the clicks of the whole list. */
const exampleButton = (text: string): HTMLButtonElement => button(text, () => {});

function ofModel({ name, chatTemplate, contextLength }: ModelInfo): Welcome {
  const tokens = `${contextLength.toLocaleString("en")} tokens`;
  if (chatTemplate === "none") {
    const about = `${LOCAL} This model does not chat: it goes on with the text that you begin. Its context holds ${tokens}.`;
    return { heading: name, about: [about], examples: OF_COMPLETION };
  }
  return { heading: name, about: [`${LOCAL} Its context holds ${tokens}.`], examples: examplesOf(name) };
}

function examplesOf(name: string): readonly string[] {
  if (/code/i.test(name)) return OF_CODE;
  return /\br1\b|reason|think|math/i.test(name) ? OF_REASONING : OF_CHAT;
}
