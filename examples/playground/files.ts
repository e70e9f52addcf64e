/**
 * Opens models: files that are dropped on the page or chosen, names that are fetched, and models that the browser keeps.
 * @module
 */
import { pullBeside } from "./beside.ts";
import { button, byId, make, megabytes } from "./dom.ts";
import { canKeepFiles, type KeptModel, keepFile, keptModels, pulledModel } from "./kept-models.ts";
import type { Opened } from "./loader.ts";

export interface FileEvents {
  open(opened: Opened): void;
  /** JSON or JSONL files were dropped: the data of an evaluation. */
  data(files: readonly File[]): void;
  /** Is called with every error about files. */
  fail(error: unknown): void;
}

export function setUpFiles({ open, data, fail }: FileEvents): void {
  const input = byId<HTMLInputElement>("file");
  const keeping = byId<HTMLInputElement>("keep");
  const list = byId("kept");

  const show = async (): Promise<void> => {
    const rows = (await keptModels()).map((kept) => {
      const remove = (): void => void kept.remove().then(show).catch(fail);
      return keptRow(kept, { open: () => open(asOpened(kept)), remove });
    });
    list.replaceChildren(...rows);
  };
  const take = (file: File | undefined): void => {
    if (!file) return;
    open(asOpened({ name: file.name, bytes: file.size, source: file }));
    if (keeping.checked) keepFile(file).then(show).catch(fail);
  };

  show().catch(() => {}); // a private window may keep nothing
  keeping.closest("label")!.hidden = !canKeepFiles;
  byId("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files?.[0]);
    input.value = ""; // the same file may be chosen again
  });
  setUpDrop((files) => {
    const rows = files.filter(({ name }) => /\.jsonl?$/i.test(name));
    if (rows.length > 0) data(rows);
    else take(files[0]);
  });
  setUpFetch((kept) => {
    open(asOpened(kept));
    void show().catch(fail);
  }, fail);
  setUpKnown();
}

/** The model of this name (`Opened.name`) that the browser keeps, if it does. */
export async function keptAs(name: string): Promise<Opened | undefined> {
  const kept = await keptModels().catch(() => []); // a private window may keep nothing
  return kept.map(asOpened).find((one) => one.name === name);
}

/** The list of names fills itself when it is first opened; a name is fetched as if it was typed. */
function setUpKnown(): void {
  const known = byId<HTMLDetailsElement>("known");
  const list = known.querySelector("ul")!;
  known.addEventListener("toggle", async () => {
    if (!known.open || list.childElementCount > 0) return;
    const { knownModelRows, memoryOfBrowser } = await import("./known-models.ts");
    const rows = knownModelRows((name) => {
      byId<HTMLInputElement>("fetch-name").value = name;
      byId<HTMLFormElement>("fetch").requestSubmit();
    });
    known.querySelector("p")!.textContent =
      `They fit into ${megabytes(memoryOfBrowser())}, which this browser may have.`;
    list.replaceChildren(...rows);
  });
}

/** A row of the list of kept models. */
function keptRow({ name, bytes }: KeptModel, on: { open(): void; remove(): void }): HTMLElement {
  const remove = button("Remove", on.remove, "plain");
  remove.setAttribute("aria-label", `Remove ${name}`);
  return make("li", "", button(`${name} (${megabytes(bytes)})`, on.open), remove);
}

function asOpened({ name, bytes, source }: Omit<KeptModel, "remove">): Opened {
  return { source, name: name.replace(/\.gguf$/i, ""), bytes };
}

/** Sets up the form that fetches a model by name; its button cancels a fetch under way. */
function setUpFetch(done: (kept: KeptModel) => void, fail: (error: unknown) => void): void {
  const form = byId<HTMLFormElement>("fetch");
  const name = byId<HTMLInputElement>("fetch-name");
  const act = form.querySelector("button")!;
  const progress = byId("fetch-progress");
  let fetching: AbortController | undefined;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = name.value.trim();
    if (fetching) return fetching.abort();
    if (wanted === "") return;
    const { signal } = (fetching = new AbortController());
    act.textContent = "Cancel";
    progress.textContent = "Looking for it";
    const onProgress = ({ loaded, total }: { loaded: number; total: number }): void => {
      progress.textContent = `${megabytes(loaded)} of ${megabytes(total)}`;
    };
    pullBeside(wanted, onProgress, signal)
      .then((record) => done(pulledModel(record)))
      .catch((error) => signal.aborted || fail(error))
      .finally(() => {
        fetching = undefined;
        act.textContent = "Fetch";
        progress.textContent = "";
      });
  });
}

function setUpDrop(take: (files: readonly File[]) => void): void {
  const hint = byId("drop");
  const carriesFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault(); // otherwise the browser would leave the page and show the file
    hint.hidden = false;
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) hint.hidden = true;
  });
  addEventListener("drop", (event) => {
    hint.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
