/**
 * The playground: a page that runs a language model in the browser.
 * @module
 */
import type { ModelPlan } from "nibble-llm/browser";
import { Chat } from "./chat.ts";
import { button, byId, make, megabytes } from "./dom.ts";
import { explain } from "./errors.ts";
import type { EvaluateTab } from "./evaluate-tab.ts";
import { keptAs, setUpFiles } from "./files.ts";
import { keepPage } from "./installed.ts";
import { Loader, type Opened } from "./loader.ts";
import { MemoryBar } from "./memory-bar.ts";
import { recall, remember } from "./remembered.ts";
import { SettingsForm } from "./settings.ts";
import { sharedBy, shareLink } from "./share.ts";
import { setUpTabs } from "./tabs.ts";
import { setUpTheme } from "./theme.ts";
import { Trends } from "./trends.ts";
import { showWelcome } from "./welcome.ts";

/** Where the name of the newest model is remembered. */
const LAST_MODEL = "nibble-model";
const CRUMB: Opened = { source: "crumb", name: "crumb", bytes: 3_597_216 };

const question = byId<HTMLTextAreaElement>("question");
const send = byId<HTMLButtonElement>("send");
const stop = byId<HTMLButtonElement>("stop");
const notice = byId("notice");
const modelLine = byId("model-line");
const share = byId<HTMLButtonElement>("share");
const panelToggle = byId("panel-toggle");

const loader = new Loader();
const trends = new Trends();
const chat = new Chat(trends);
const memory = new MemoryBar(byId("memory"));
const settings = new SettingsForm(byId<HTMLFormElement>("settings"), () => void open(opened));
let opened = CRUMB;
let planned = "";

function fail(error: unknown): void {
  const { title, detail, code } = explain(error);
  const close = button("Close", hideNotice, "plain");
  notice.replaceChildren(make("b", "", title), " ", close, make("small", "", code ? `${code}: ${detail}` : detail));
  notice.hidden = false;
}

function hideNotice(): void {
  notice.hidden = true;
}

/** Enables Send if there is a model and a question; while an answer can be stopped, Stop is shown instead. */
function showState(): void {
  const { answering } = chat;
  if (!answering && document.activeElement === stop) question.focus();
  send.hidden = answering;
  stop.hidden = !answering;
  share.hidden = chat.turns.length === 0;
  send.disabled = !loader.model || question.value.trim() === "";
}

function showPlan({ name, architecture, contextLength, threads, memory: plan }: ModelPlan, file: string): void {
  const isolated = crossOriginIsolated ? "" : " (page not isolated)";
  const rows: [string, string][] = [
    ["Name", name],
    ["Architecture", architecture],
    ["File", file],
    ["Context", `${contextLength.toLocaleString("en")} tokens`],
    ["Threads", `${threads}${isolated}`],
  ];
  byId("facts").replaceChildren(...rows.flatMap(([term, fact]) => [make("dt", "", term), make("dd", "", fact)]));
  planned = megabytes(plan.total);
  memory.show(plan);
  trends.plan(plan);
  memory.progress({ loaded: 0, total: 1 });
}

async function open(wanted: Opened): Promise<void> {
  const { contextLength } = settings.read();
  hideNotice();
  modelLine.setAttribute("aria-busy", "true"); // screen readers read how it ends
  modelLine.textContent = `${wanted.name}: reading its header`;
  try {
    const model = await loader.load(
      { ...wanted, ...(contextLength !== undefined && { contextLength }) },
      {
        onPlan(plan) {
          chat.clear();
          opened = wanted;
          showPlan(plan, megabytes(wanted.bytes));
          showState();
        },
        onProgress(progress) {
          memory.progress(progress);
          trends.load(progress.loaded);
          modelLine.textContent = `${wanted.name}: ${megabytes(progress.loaded)} of ${megabytes(progress.total)}`;
        },
      },
    );
    settings.suggest(model.info, wanted !== CRUMB); // crumb has learnt single problems
    showWelcome(model.info, wanted === CRUMB);
    remember(LAST_MODEL, wanted.name);
  } catch (error) {
    if ((error as Error).name === "AbortError") return; // another load has begun
    fail(error);
  }
  const { model } = loader;
  modelLine.removeAttribute("aria-busy");
  modelLine.textContent = model ? `${model.info.name}, ${planned} of memory` : "no model";
  showState();
}

async function ask(): Promise<void> {
  const { model } = loader;
  const text = question.value.trim();
  if (!model || chat.answering || text === "") return;
  hideNotice();
  question.value = "";
  try {
    const answered = chat.ask(model, text, settings.read());
    showState();
    await answered;
  } catch (error) {
    // A question without an answer may be asked again, in other words.
    if (question.value === "") question.value = text;
    fail(error);
  }
  showState();
}

function showPanel(shown: boolean): void {
  document.body.classList.toggle("panel-open", shown);
  panelToggle.setAttribute("aria-expanded", String(shown));
}

/** Copies a link with the conversation, and puts it into the address, for where there is no clipboard. */
async function copyLink(): Promise<void> {
  const { model } = loader;
  const link = await shareLink({ model: model?.info.name ?? "", turns: chat.turns });
  history.replaceState(null, "", link);
  const copied = await navigator.clipboard?.writeText(link).then(
    () => true,
    () => false,
  );
  share.textContent = copied ? "Link copied" : "Copy the address";
  setTimeout(() => {
    share.textContent = "Share";
  }, 2000);
}

/** Opens the model of the last visit if the browser keeps it, or crumb; then the conversation of a link. */
async function start(): Promise<void> {
  const last = recall(LAST_MODEL) ?? CRUMB.name;
  const kept = last === CRUMB.name ? undefined : await keptAs(last);
  await open(kept ?? CRUMB);
  if (kept && !loader.model) await open(CRUMB);
  const shared = await sharedBy(location.hash);
  if (!shared) return;
  chat.restore(
    shared.turns,
    `From a link: a conversation with ${shared.model}. The next question goes to the model of this page.`,
  );
  showState();
}

let evaluation: Promise<EvaluateTab> | undefined;

/** The tab of evaluations, which is fetched when it is first needed. */
function evaluateTab(): Promise<EvaluateTab> {
  evaluation ??= import("./evaluate-tab.ts").then(
    ({ EvaluateTab }) => new EvaluateTab({ model: evaluatedModel, begin: hideNotice, fail }),
  );
  return evaluation;
}

/** The loaded model, with the flags that name it on a command line. */
function evaluatedModel(): ReturnType<ConstructorParameters<typeof EvaluateTab>[0]["model"]> {
  const { model } = loader;
  const { source, name } = opened;
  const { contextLength } = settings.read();
  const path = typeof source === "string" ? source : `${name}.gguf`;
  const context = contextLength === undefined ? "" : ` -c ${contextLength}`;
  return model && { model, flags: `${opened === CRUMB ? "" : ` -m "${path}"`}${context}` };
}

const showTab = setUpTabs(byId("tabs"), (panel) => {
  byId("new-chat").hidden = panel !== "chat";
  byId(panel === "chat" ? "composer" : "eval-result").before(notice);
  if (panel === "evaluate") evaluateTab().catch(fail);
});
setUpTheme(byId<HTMLButtonElement>("theme"));
setUpFiles({
  open(wanted) {
    showPanel(false);
    void open(wanted);
  },
  data(files) {
    showPanel(false);
    showTab("evaluate");
    evaluateTab()
      .then((tab) => tab.take(files))
      .catch(fail);
  },
  fail,
});
byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  void ask();
});
question.addEventListener("input", showState);
question.addEventListener("keydown", (event) => {
  // Enter also ends a word that an input method composes.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  void ask();
});
addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  if (!byId("evaluate").hidden) void evaluation?.then((tab) => tab.stop());
  if (chat.answering) chat.stop();
  else if (document.body.classList.contains("panel-open")) {
    showPanel(false);
    panelToggle.focus();
  }
});
stop.addEventListener("click", () => chat.stop());
share.addEventListener("click", () => {
  copyLink().catch(fail);
});
byId("new-chat").addEventListener("click", () => {
  chat.clear();
  history.replaceState(null, "", location.pathname); // without the conversation of a link
  showState();
  question.focus();
});
byId("crumb").addEventListener("click", () => void open(CRUMB));
byId("examples").addEventListener("click", ({ target }) => {
  if (!(target instanceof HTMLButtonElement)) return;
  question.value = target.textContent;
  void ask();
});
panelToggle.addEventListener("click", () => showPanel(!document.body.classList.contains("panel-open")));
// On a phone a focused field would bring up the keyboard.
if (matchMedia("(pointer: fine)").matches) question.focus();
start()
  .catch(fail)
  .finally(() =>
    keepPage(() => chat.turns.length === 0 && !chat.answering && question.value === "" && opened === CRUMB),
  );
