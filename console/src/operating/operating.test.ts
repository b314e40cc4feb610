import { describe, expect, it } from "vitest";
import { endOf, wrongLimit } from "../access/key-fields";
import { wrongIdentityPolicy } from "../access/policy";
import { Events, joined, type Seen } from "./stream";
import { hintsOf } from "./why";

describe("a stream of events", () => {
  it("is read in pieces that end anywhere, without comments", () => {
    const events = new Events();
    expect(events.take(': begins\n\ndata: {"a"')).toEqual([]);
    expect(events.take(': 1}\n\ndata: 2\n\n: nothing new\n\nda')).toEqual(['{"a": 1}', "2"]);
    expect(events.take("ta: 3\n\n")).toEqual(["3"]);
  });
  it("shows each request once, newest first", () => {
    const seen = (id: string, time: string): Seen => ({ request_id: id, time }) as Seen;
    const old = [seen("b", "2"), seen("a", "1")];
    expect(joined(old, [seen("a", "1")])).toBe(old);
    expect(joined(old, [seen("c", "3"), seen("b", "2")]).map((one) => one.request_id)).toEqual(["c", "b", "a"]);
  });
});

describe("a refused signature", () => {
  it("is explained by what differed", () => {
    const tail = "; else the secret, or what a proxy changed of path, query or a signed header";
    expect(hintsOf("SignatureDoesNotMatch", `host: a:9000 came, tried was a:9000${tail}`)).toEqual(["secret"]);
    expect(hintsOf("SignatureDoesNotMatch", `host: a came, tried was b${tail}`)).toEqual(["host"]);
    expect(hintsOf("SignatureDoesNotMatch", `header: x-amz-date was signed and did not come; host: a came, tried was a${tail}`)).toEqual(["missing"]);
    expect(hintsOf("RequestTimeTooSkewed: the time", "time: it says 1, here it is 2")).toEqual(["time"]);
    expect(hintsOf("InvalidAccessKeyId", "")).toEqual(["key"]);
    expect(hintsOf("AccessDenied", "")).toEqual(["other"]);
  });
});

describe("forms of keys and policies", () => {
  it("say what is wrong before the server is asked", () => {
    expect(wrongLimit("actions", "s3:Get*, object:get, *")).toBeUndefined();
    expect(wrongLimit("actions", "nothing")).toContain("nothing");
    expect(wrongLimit("networks", "10.0.0.0/8, 2001:db8::/32, ::1")).toBeUndefined();
    expect(wrongLimit("networks", "here")).toContain("here");
    expect(wrongIdentityPolicy({ Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" } })).toBeUndefined();
    expect(wrongIdentityPolicy({ Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*", Principal: "*" }] })).toContain("Principal");
    expect(wrongIdentityPolicy({ Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: "*" }] }, true)).toBeUndefined();
  });
  it("know when a key ends", () => {
    const now = Date.UTC(2026, 0, 1);
    expect(endOf("", "", now)).toBeNull();
    expect(endOf("7", "", now)).toBe("2026-01-08T00:00:00Z");
    expect(endOf("date", "", now)).toBeUndefined();
    expect(endOf("date", "2025-12-31T00:00", now)).toBeUndefined();
  });
});
