/**
 * `npm run campaign`: tries what could go wrong for as long as it is given. `README.md` says how to run it.
 * @module
 */
import { parseArgs } from "node:util";
import { machine, machineLine } from "../../bench/machine.ts";
import buildWasm from "../helpers/build-wasm.ts";
import { storeCase } from "./cases.ts";
import { type CampaignResults, keepResults, writeReport } from "./report.ts";
import { type Found, runPart } from "./runner.ts";
import { PARTS, type PartName } from "./target.ts";

const USAGE: string = `npm run campaign -- [options]

  --minutes N        time in all (5), divided among the parts by their weight
  --ci               instead of a time: the inputs that CI runs, a fixed number of each target (one to three minutes, seed 1)
  --seed S           seed of all inputs (a new one); a seed and a part give the same inputs again
  --part NAME        one part: ${PARTS.join(", ")}
  --target NAME      one target, such as mutation/gguf
  --record           keep the figures in test/campaign/results.json, and write docs/reliability.md
  --report           write docs/reliability.md from the figures that are kept, and run nothing`;

/** Shares of the time. */
const WEIGHTS: Readonly<Record<PartName, number>> = { mutation: 5, server: 2, faults: 2, soak: 1 };

const say = (line: string): void => console.error(line);

function keep({ target, input, seen, number }: Found, seed: string, commit: string): void {
  const path = storeCase({ target, input, seen, seed: `${seed} ${number}`, commit });
  say(`FOUND ${target}, input ${number}: ${seen.split("\n")[0]}\n      ${path}`);
}

interface RunOptions {
  readonly seed: string;
  /** undefined: until every target has run its `inputs` */
  readonly minutes: number | undefined;
  readonly only: string | undefined;
}

/** Runs parts one after the other. @returns their figures, and how many failures were found */
async function run(
  parts: readonly PartName[],
  { seed, minutes, only }: RunOptions,
): Promise<[CampaignResults, number]> {
  const about = machine();
  say(`${machineLine(about)}; seed ${seed}`);
  const weight = parts.reduce((sum, part) => sum + WEIGHTS[part], 0);
  const results: CampaignResults = {};
  let findings = 0;
  for (const part of parts) {
    const begin = performance.now();
    const time = minutes && (60 * minutes * WEIGHTS[part]) / weight;
    say(time === undefined ? `${part}: the inputs of CI` : `${part}: ${time.toFixed(0)} s`);
    const { figures, found } = await runPart(part, {
      seed,
      seconds: time,
      only,
      onFound: (one) => keep(one, seed, about.commit),
    });
    for (const { target, inputs, outcomes, slowest, measured } of figures)
      say(`  ${target}: ${inputs} inputs, slowest ${slowest.toFixed(2)} s, ${JSON.stringify(measured ?? outcomes)}`);
    findings += found.length;
    const seconds = (performance.now() - begin) / 1000;
    results[part] = { machine: about, seed, seconds, targets: figures };
  }
  return [results, findings];
}

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    ci: { type: "boolean", default: false },
    seed: { type: "string" },
    part: { type: "string" },
    target: { type: "string" },
    record: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const part = values.part ?? values.target?.split("/")[0];
if (values.help) console.log(USAGE);
else if (values.report) writeReport();
else {
  const minutes = values.ci ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(minutes > 0))
    throw new Error(`--minutes: expected a number above 0, got ${values.minutes}`);
  if (part !== undefined && !PARTS.includes(part as PartName))
    throw new Error(`--part: expected ${PARTS.join(", ")}, got ${part}`);
  buildWasm();
  const parts = part === undefined ? PARTS : [part as PartName];
  const seed = values.seed ?? (values.ci ? "1" : String(Date.now() % 1e9));
  const [results, findings] = await run(parts, { seed, minutes, only: values.target });
  if (values.record) {
    keepResults(results);
    writeReport();
  }
  say(`${findings} findings`);
  process.exitCode = findings > 0 ? 1 : 0;
}
