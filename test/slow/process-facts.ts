import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The facts that Linux has of a process; undefined on other systems. */
export function processFacts(pid: number): { sockets: number; files: number; bytes: number } | undefined {
  if (process.platform !== "linux") return undefined;
  const files = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ""; // closed meanwhile
    }
  });
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  const sockets = files.filter((file) => file.startsWith("socket:")).length;
  return { sockets, files: files.length, bytes: Number(resident[1]) * 1024 };
}
