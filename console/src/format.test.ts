import { expect, test } from "vitest";
import { bytes, duration } from "./format";

test("sizes have three digits at most, and a unit", () => {
  expect([0, 1023, 1024, 1536, 150 * 1024, 5 * 1024 ** 4].map(bytes)).toEqual(["0 B", "1023 B", "1.00 KiB", "1.50 KiB", "150 KiB", "5.00 TiB"]);
});

test("durations have two units at most", () => {
  expect([0.25, 9, 61, 3661, 90000].map(duration)).toEqual(["0.3 s", "9 s", "1 min", "1 h 1 min", "1 d 1 h"]);
});
