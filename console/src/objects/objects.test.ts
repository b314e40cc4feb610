import { expect, test, vi } from "vitest";

vi.stubGlobal("document", { baseURI: "http://nas:9001/" });
vi.stubGlobal("location", { origin: "http://nas:9001", hostname: "nas", protocol: "http:", host: "nas:9001" });
const { partSize, sizeOf, SMALL } = await import("./parts");
const { lookOf, readable } = await import("./preview");
const { pathOf } = await import("../api/put");
const { leaf } = await import("./listing");

test("a file of any size has at most 10,000 parts", () => {
  for (const size of [SMALL + 1, 1024 ** 3, 5 * 1024 ** 4]) expect(Math.ceil(size / partSize(size))).toBeLessThanOrEqual(10_000);
  expect(sizeOf(1, 10, 25)).toBe(10);
  expect(sizeOf(3, 10, 25)).toBe(5);
});

test("an object is looked at by its type, and by its name where the type says nothing", () => {
  expect(lookOf("a", "image/png")).toBe("image");
  expect(lookOf("a.png", "application/octet-stream")).toBe("image");
  expect(lookOf("a.json", "application/json; charset=utf-8")).toBe("text");
  expect(lookOf("a.zip", "application/zip")).toBe("none");
  // A page is shown as what it is made of.
  expect(lookOf("a.html", "text/html")).toBe("text");
});

test("JSON is shown in lines, everything else as it is", () => {
  expect(readable("a.json", '{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(readable("a.json", "{broken")).toBe("{broken");
});

test("keys are encoded as they are signed", () => {
  expect(pathOf("b", "a b/ü(1)!'*+.txt")).toBe("/b/a%20b/%C3%BC%281%29%21%27%2A%2B.txt");
});

test("a name is what is below the folder", () => {
  expect(leaf("a/b/c", "a/")).toBe("b/c");
});
