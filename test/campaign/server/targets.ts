/**
 * The part `server`: lives of a server as fast-check's commands. The model that the commands keep beside the real server is
 * what a caller knows: which requests and sessions are open, what was saved, how the adapter is set.
 * @module
 */
import fc from "fast-check";
import type { Input, Target } from "../target.ts";
import { Broken } from "../target.ts";
import { drawSteps, type ServerStep } from "./steps.ts";
import { promptIds, SLOTS, System } from "./system.ts";

interface Known {
  open: number;
  sessions: number;
  batches: number;
  scale: number;
  readonly saved: Set<string>;
}

const WRONG: readonly (readonly [path: string, body: unknown])[] = [
  ["/v1/completions", '{"prompt":'],
  ["/v1/completions", { prompt: [1e9], max_tokens: 2 }],
  ["/v1/completions", { prompt: promptIds(1), seed: "x" }],
  ["/v1/completions", { prompt: Array(200).fill(7) }],
  ["/slots/0?action=restore", { filename: "never-saved" }],
];

/** Whether a step can be done, what it does to the server, and what it changes in what is known. */
const DOES: {
  readonly [Name in ServerStep["do"]]: {
    readonly can?: (known: Known) => boolean;
    readonly run: (step: Extract<ServerStep, { do: Name }>, known: Known, system: System) => Promise<void>;
  };
} = {
  ask: {
    can: ({ open }) => open < 3 * SLOTS,
    async run(step, known, system) {
      system.ask(step);
      known.open++;
    },
  },
  cancel: {
    can: ({ open }) => open > 0,
    async run({ turns }, known, system) {
      known.open--;
      await system.cancel(turns);
    },
  },
  finish: {
    can: ({ open }) => open > 0,
    async run(_, known, system) {
      known.open--;
      await system.finish();
    },
  },
  save: {
    async run({ name, prompt }, known, system) {
      const text = "a b c ".repeat(1 + prompt);
      const { status, text: answer } = await system.post("/slots/0?action=save", { filename: name, prompt: text });
      if (status !== 200) throw new Broken(`a save ended with ${status} ${answer}`);
      known.saved.add(name);
    },
  },
  restore: {
    can: ({ saved }) => saved.size > 0,
    async run({ name, damaged }, known, system) {
      const bytes = system.saved.get(name);
      const flip = (): void => {
        if (damaged && bytes) bytes[bytes.length >> 1]! ^= 4;
      };
      flip();
      const { status, text } = await system.post("/slots/0?action=restore", { filename: name });
      flip();
      const expected = known.saved.has(name) && !damaged ? 200 : 400;
      if (status !== expected && !(expected === 400 && status === 404))
        throw new Broken(`a restore ended with ${status} ${text}, not ${expected}`);
    },
  },
  erase: {
    async run(_, __, system) {
      const { status } = await system.post("/slots/0?action=erase", {});
      if (status !== 200) throw new Broken(`an erase ended with ${status}`);
    },
  },
  adapters: {
    async run({ scale }, known, system) {
      const { status, text } = await system.post("/lora-adapters", [{ id: 0, scale }]);
      if (status !== 200) throw new Broken(`setting adapters ended with ${status} ${text}`);
      known.scale = scale;
    },
  },
  session: {
    can: ({ sessions }) => sessions < 2,
    async run({ prompt }, known, system) {
      const session = system.model.session();
      session.forward(promptIds(prompt), { logits: "none" });
      system.sessions.push(session);
      known.sessions++;
    },
  },
  "close session": {
    can: ({ sessions }) => sessions > 0,
    async run(_, known, system) {
      system.sessions.shift()!.dispose();
      known.sessions--;
    },
  },
  batch: {
    can: ({ batches }) => batches < 3,
    async run({ prompts }, known, system) {
      await system.batch(prompts);
      known.batches++;
    },
  },
  "cancel batch": {
    can: ({ batches }) => batches > 0,
    async run(_, known, system) {
      known.batches--;
      await system.cancelBatch();
    },
  },
  "finish batch": {
    can: ({ batches }) => batches > 0,
    async run(_, known, system) {
      known.batches--;
      await system.finishBatch();
    },
  },
  wrong: {
    async run({ which }, _, system) {
      const [path, body] = WRONG[which % WRONG.length]!;
      const { status } = await system.post(path, body);
      if (status < 400 || status >= 500) throw new Broken(`a wrong request ended with ${status}`);
    },
  },
  dispose: {
    async run(_, known, system) {
      await system.dispose();
      Object.assign(known, { open: 0, sessions: 0, batches: 0, scale: 0 });
    },
  },
};

class StepCommand implements fc.AsyncCommand<Known, System> {
  readonly #step: ServerStep;
  constructor(step: ServerStep) {
    this.#step = step;
  }

  check(known: Readonly<Known>): boolean {
    return DOES[this.#step.do].can?.(known as Known) ?? true;
  }

  async run(known: Known, system: System): Promise<void> {
    const { run } = DOES[this.#step.do] as { run: (step: ServerStep, known: Known, system: System) => Promise<void> };
    await run(this.#step, known, system);
    await system.check(known.scale);
  }

  toString(): string {
    return JSON.stringify(this.#step);
  }
}

async function runSteps({ steps }: Input): Promise<string> {
  const system = await System.start();
  const commands = (steps as readonly ServerStep[]).map((step) => new StepCommand(step));
  const known: Known = { open: 0, sessions: 0, batches: 0, scale: 0, saved: new Set() };
  await fc.asyncModelRun(() => ({ model: known, real: system }), commands);
  await system.end();
  return "works";
}

export const SERVER_TARGETS: readonly Target[] = [
  {
    part: "server",
    name: "server/life",
    promise:
      "After every step of a server's life all pages are accounted for and a fixed question has the same answer; at the end no slot, request or page is in use.",
    inputs: 60,
    generate: async (random) => ({ base: "llama", steps: drawSteps(random.integer(-(2 ** 31), 2 ** 31 - 1)) }),
    run: runSteps,
  },
];
