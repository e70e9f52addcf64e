/**
 * Models by name that fit into this browser's memory. The list is fetched when it is first opened.
 * @module
 */
import { knownFamilies } from "../../src/hub/families.ts";
import type { KnownModel } from "../../src/hub/registry.ts";
import { button, make, megabytes } from "./dom.ts";

/** WebAssembly's memory of 32-bit addresses, in bytes. */
const MOST = 2 ** 32;
/** Bytes that are assumed where the browser does not tell. */
const ASSUMED = 4 * 2 ** 30;
/** The share of the device's memory that a page may hope for. */
const SHARE = 1 / 2;
/** Activations and key-value cache beside the weights, as a share of them, and at least in bytes. */
const BESIDE = { share: 0.2, least: 60e6 };
/** Bytes per weight where a file's size is not known: as Q4_K_M has them, and as a folder in 16 bits has them. */
const PER_WEIGHT = { quantised: 0.62, folder: 2 };

/** Bytes that a model may take here. (A browser tells at most 8 GiB, rounded.) */
export function memoryOfBrowser(): number {
  const { deviceMemory } = navigator as Navigator & { readonly deviceMemory?: number };
  return Math.min(MOST, SHARE * (deviceMemory === undefined ? ASSUMED : deviceMemory * 2 ** 30));
}

function bytesOf({ pinned, quant, parameters }: KnownModel): number {
  return pinned?.bytes ?? parameters * 1e6 * (quant === undefined ? PER_WEIGHT.folder : PER_WEIGHT.quantised);
}

const fits = (model: KnownModel, memory: number): boolean =>
  bytesOf(model) + Math.max(BESIDE.least, BESIDE.share * bytesOf(model)) <= memory;

/** Whether the page can do something with it: embeddings and rerankers do not write, and gated models need a token. */
const isUseful = ({ gated, repository, wheel }: KnownModel): boolean => !gated && Boolean(repository ?? wheel);

/** A row for each model that fits, under the name of its family. */
export function knownModelRows(fetch: (name: string) => void): HTMLElement[] {
  const memory = memoryOfBrowser();
  return knownFamilies()
    .filter(({ goodFor }) => !/^(?:embeddings|reranking)/.test(goodFor))
    .map(({ goodFor, models }) => ({ goodFor, models: models.filter((one) => isUseful(one) && fits(one, memory)) }))
    .filter(({ models }) => models.length > 0)
    .map(({ goodFor, models }) => {
      const rows = models.map((model) => {
        const size = `${model.pinned ? "" : "about "}${megabytes(bytesOf(model))}`;
        const pick = button(model.name, () => fetch(model.name), "plain");
        pick.title = `${model.title}, ${model.licence}`;
        return make("li", "known", pick, make("small", "", size));
      });
      return make("li", "family", make("p", "", goodFor), make("ul", "", ...rows));
    });
}
