/**
 * Files that are dropped on the page or chosen, and the list of those it keeps.
 * @module
 */
import { button, byId, make } from "./dom.ts";
import { canKeep, keep, keptNames, openKept, removeKept } from "./kept-models.ts";

/** @param open is given each file; @param fail what went wrong with keeping one */
export function setUpFiles(open: (file: File) => void, fail: (error: unknown) => void): void {
  const input = byId<HTMLInputElement>("file");
  const keeping = byId<HTMLInputElement>("keep");
  const list = byId("kept");

  const show = async (): Promise<void> => {
    const rows = (await keptNames()).map((name) => {
      const remove = button("Remove", () => void removeKept(name).then(show).catch(fail), "plain");
      remove.setAttribute("aria-label", `Remove ${name}`);
      return make(
        "li",
        "",
        button(name, () => void openKept(name).then(open).catch(fail)),
        remove,
      );
    });
    list.replaceChildren(...rows);
  };
  const take = (file: File | undefined): void => {
    if (!file) return;
    open(file);
    if (keeping.checked) keep(file).then(show).catch(fail);
  };
  if (canKeep)
    void show().catch(() => {}); // a private window may have none
  else keeping.closest("label")!.hidden = true;

  byId("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files?.[0]);
    input.value = ""; // the same file may be chosen again
  });
  setUpDrop(take);
}

function setUpDrop(take: (file: File | undefined) => void): void {
  const hint = byId("drop");
  const carriesFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault(); // else the browser would leave the page for the file
    hint.hidden = false;
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) hint.hidden = true;
  });
  addEventListener("drop", (event) => {
    hint.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer?.files[0]);
  });
}
