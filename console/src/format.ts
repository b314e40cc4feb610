/** Figures and times as people read them. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ""}`;
}

const numbers = new Intl.NumberFormat("en");

export function number(count: number): string {
  return numbers.format(count);
}

const dates = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export function when(time: string | Date | undefined | null): string {
  if (time === undefined || time === null || time === "") return "–";
  const date = typeof time === "string" ? new Date(time) : time;
  return Number.isNaN(date.getTime()) ? String(time) : dates.format(date);
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1).replace(/\.0$/, "") : seconds.toFixed(0)} s`;
  const parts: [number, string][] = [[86400, "d"], [3600, "h"], [60, "min"]];
  const at = parts.findIndex(([length]) => seconds >= length);
  const [length, unit] = parts[at] ?? [60, "min"];
  const next = parts[at + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % length) / next[0]);
  return `${String(Math.floor(seconds / length))} ${unit}${rest > 0 && next !== undefined ? ` ${String(rest)} ${next[1]}` : ""}`;
}
