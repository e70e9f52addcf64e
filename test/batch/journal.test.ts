/** Results that are kept while a batch runs. */
import { expect, it } from "vitest";
import { identify } from "../../src/batch/identity.ts";
import { Journal } from "../../src/batch/journal.ts";
import { type Outcome, resultLine } from "../../src/batch/result.ts";
import { memoryStore, once, readBlob, writeBlob } from "../../src/batch/store.ts";

async function lineOf(customId: string, outcome: Outcome = { status: 200, body: { text: customId } }): Promise<string> {
  return resultLine(await identify({ customId, url: "/v1/completions", body: {} }), outcome);
}

async function* order(...names: string[]): AsyncGenerator<string, undefined> {
  yield* names;
}

it("goes on from every byte at which a run was ended, and sorts at the end", async () => {
  const lines = await Promise.all(["c", "a", "b"].map((name) => lineOf(name)));
  const whole = `${lines.join("\n")}\n`;
  for (let cut = 0; cut <= whole.length; cut += 13) {
    const store = memoryStore(1e6);
    await writeBlob(store, "r", whole.slice(0, cut));
    const journal = await Journal.open(store, "r");
    const names = [...journal.names];
    expect(names).toEqual(["c", "a", "b"].slice(0, whole.slice(0, cut).split("\n").length - 1));
    for (const [i, name] of ["c", "a", "b"].entries()) if (!names.includes(name)) await journal.add(lines[i]!);
    expect(await readBlob(store, "r")).toBe(whole);
    await store.write("r", journal.lines(order("a", "b", "c")));
    expect(await readBlob(store, "r")).toBe(`${[lines[1], lines[2], lines[0]].join("\n")}\n`);
  }
});

it("failures of servers are asked again, errors of a request are not; successes and errors can be told apart", async () => {
  const store = memoryStore(1e6);
  const lines = [
    await lineOf("ok"),
    await lineOf("wrong", { status: 400, body: { error: {} } }),
    await lineOf("failed", { status: 500, body: null }),
    await lineOf("cut", { error: { code: "connection_error", message: "m" } }),
  ];
  await writeBlob(store, "r", `${lines.join("\n")}\n`);
  const journal = await Journal.open(store, "r");
  expect([...journal.names]).toEqual(["ok", "wrong"]);
  await journal.add(lines[3]!);
  expect([journal.completed, journal.unanswered, journal.size]).toEqual([1, 1, 3]);
  await store.write("errors", journal.lines(order("cut", "wrong", "ok"), false));
  expect(await readBlob(store, "errors")).toBe(`${lines[3]}\n${lines[1]}\n`);
});

it("a file of something else is refused", async () => {
  const store = memoryStore(1e6);
  await writeBlob(store, "r", "a,b\n1,2\n");
  await expect(Journal.open(store, "r")).rejects.toMatchObject({
    code: "bad_value",
    message: expect.stringContaining("line 1"),
  });
});

it("memory holds only so many bytes, and those of a deleted blob are free again", async () => {
  const store = memoryStore(10);
  await store.append("a", new Uint8Array(6));
  await expect(store.write("b", once(new Uint8Array(5)))).rejects.toMatchObject({ code: "too_large" });
  await expect(store.append("a", new Uint8Array(5))).rejects.toMatchObject({ code: "too_large" });
  expect(await store.size("b")).toBeUndefined();
  await store.delete("a");
  await store.write("b", once(new Uint8Array(10)));
  await store.write("b", once(new Uint8Array(0)));
  await store.append("c", new Uint8Array(10));
});
