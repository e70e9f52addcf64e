/** The part `soak`: one server for the whole time of the part, with clients of every kind. */
import { type SoakResult, soak, startSoakServer } from "../slow/soak.ts";
import { Broken, type Target } from "./target.ts";

/** Growth of resident memory from the middle to the end beyond which something leaks. */
const MOST_GROWTH_MIB = 16;
const CLIENTS = 200;

let last: SoakResult | undefined;

export const SOAK_TARGETS: readonly Target[] = [
  {
    part: "soak",
    name: "soak/mixed",
    promise: `${CLIENTS} clients of every endpoint, a tenth of them hostile: good ones are answered, and memory, open files, the time to a first token and tokens per second stay as they were.`,
    inputs: 0, // what a server does within seconds depends on the machine; CI runs test/slow/server-soak.test.ts
    patience: 24 * 3600,
    measured: () => last,
    generate: async () => ({ base: "crumb", steps: [] }),
    async run(_, seconds) {
      const server = await startSoakServer();
      try {
        last = await soak(server, { seconds, clients: CLIENTS });
        const growth = last.lastMiB - last.middleMiB;
        if (growth > MOST_GROWTH_MIB)
          throw new Broken(`resident memory grows by ${growth} MiB from the middle to the end`);
        return "works";
      } finally {
        server.stop();
      }
    },
  },
];
