/**
 * Wrong answers to read: the question, what the model wrote, what was found in it, and what is right.
 * @module
 */
import { NO_ANSWER } from "../answers.ts";
import type { TaskFacts } from "./facts.ts";
import { html, type Markup, NOTHING } from "./markup.ts";
import { count, percent } from "./numbers.ts";
import { lineName } from "./result-lines.ts";
import type { Excerpt, ShownChoice, Verdict, WrongRow } from "./wrong-row.ts";

/** Characters from which a text is folded. */
const FOLD = 700;

/**
 * @param most characters of HTML that the entries may take
 * @returns the list, and the characters that it took
 */
export function wrongList({ name, rows, wrong, wrongCount }: TaskFacts, most: number): readonly [Markup, number] {
  if (wrongCount === 0) return [NOTHING, 0];
  const entries: Markup[] = [];
  let taken = 0;
  for (const row of wrong) {
    const made = entry(row);
    taken += made.text.length;
    if (taken > most) break;
    entries.push(made);
  }
  const left = wrongCount - entries.length;
  const all = `${count(wrongCount)} of ${count(rows.length)} rows`;
  const shown = left === 0 ? all : `${all}; ${count(left)} of them are not shown here, see samples_${name}.jsonl`;
  const list = html`<details class="task"><summary><b>${name}</b>: ${shown}</summary>
${entries}</details>
`;
  return [list, taken];
}

function entry(row: WrongRow): Markup {
  const { id, best, question, target, output, moreOutputs, choices, verdicts } = row;
  const answer = choices.find(({ chosen }) => chosen)?.text ?? firstFound(verdicts);
  const right = choices.find((choice) => choice.right)?.text ?? target.head + target.tail;
  const score = best >= 1 ? "right by another filter" : best > 0 ? `${percent(best)} % of the answers are right` : "";
  return html`<details class="entry"><summary>Row ${id}: <q dir="auto">${brief(answer)}</q>, right is <q dir="auto">${brief(right)}</q>${score === "" ? NOTHING : html` <small>${score}</small>`}</summary>
<dl>
${question.head === "" ? NOTHING : term("Question", text(question))}${choices.length > 0 ? term("Choices", choiceList(choices)) : NOTHING}${output ? term(moreOutputs > 0 ? `Answer 1 of ${moreOutputs + 1}` : "Answer", text(output)) : NOTHING}${choices.length > 0 ? NOTHING : html`${term("Found", found(verdicts))}${term("Right", text(target))}`}</dl></details>
`;
}

/** The most frequent answer of the first filter that found one. */
function firstFound(verdicts: readonly Verdict[]): string {
  const answers = verdicts.flatMap(({ answers }) => answers.slice(0, 1).map(({ text }) => text));
  return answers.find((answer) => answer !== NO_ANSWER) ?? answers[0] ?? "";
}

/** One line; of a long text the end, where an answer with reasoning has its result. */
function brief(value: string): string {
  const chars = [...value.replace(/\s+/g, " ").trim()];
  return chars.length <= 60 ? chars.join("") : `…${chars.slice(-59).join("")}`;
}

const term = (name: string, value: Markup): Markup => html`<dt>${name}</dt><dd>${value}</dd>
`;

function text({ head, left, tail }: Excerpt): Markup {
  const gap = left === 0 ? NOTHING : html`<i>${` … ${count(left)} characters are left out here … `}</i>`;
  const whole = html`<pre dir="auto">${head}${gap}${tail}</pre>`;
  const length = head.length + tail.length + left;
  return length <= FOLD ? whole : html`<details><summary>${count(length)} characters</summary>${whole}</details>`;
}

function choiceList(choices: readonly ShownChoice[]): Markup {
  const item = ({ text: choice, logprob, right, chosen }: ShownChoice): Markup => {
    const marks = [chosen ? "likeliest" : "", right ? "right" : ""].filter((mark) => mark !== "").join(", ");
    return html`<li class="${right ? "right" : chosen ? "chosen" : ""}"><span dir="auto">${choice}</span> <small>${logprob.toFixed(2)}${marks === "" ? "" : `, ${marks}`}</small></li>
`;
  };
  return html`<ul>${choices.map(item)}</ul>`;
}

/** What each filter found, and its scores. */
function found(verdicts: readonly Verdict[]): Markup {
  const item = ({ filter, answers, metrics }: Verdict): Markup => {
    const texts = answers.map(
      ({ text: answer, times }) => html`<q dir="auto">${answer}</q>${times > 1 ? ` × ${times} ` : " "}`,
    );
    const scores = metrics.map(({ name, value }) => `${lineName({ metric: name, filter })}: ${percent(value)} %`);
    return html`<li>${texts} <small>${scores.join("; ")}</small></li>
`;
  };
  return html`<ul>${verdicts.map(item)}</ul>`;
}
