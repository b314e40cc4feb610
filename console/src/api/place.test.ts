import { expect, test, vi } from "vitest";

vi.stubGlobal("document", { baseURI: "http://nas:9001/console/" });
vi.stubGlobal("location", { origin: "http://nas:9001", hostname: "nas" });
const { base, endpointOf } = await import("./place");

test("everything is asked for below the page's own path", () => {
  expect(base).toBe("/console/");
});

test("S3 is at the browser's name for the server, and the port that the daemon tells", () => {
  const about = { version: "1", region: "r", auth: true };
  expect(endpointOf({ ...about, s3: [{ place: ":9000", secure: false }] })).toBe("http://nas:9000");
  expect(endpointOf({ ...about, s3: [{ place: "127.0.0.1:443", secure: true }] })).toBe("https://nas");
  expect(endpointOf({ ...about, s3: [{ place: "unix:/run/s3.sock", secure: false }] })).toBe("http://nas:9001");
});
