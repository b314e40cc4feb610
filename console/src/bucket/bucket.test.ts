import { expect, test } from "vitest";
import { isSize, wrongName } from "./name";
import { EXAMPLES, wrongPolicy } from "./policy";
import { NEW, revived, ruleOf, said, simple, wrongRule } from "./rules";

test("names of buckets are looked at as S3 looks at them", () => {
  for (const good of ["abc", "my-bucket.1", "a".repeat(63)]) expect(wrongName(good), good).toBeUndefined();
  for (const bad of ["ab", "a".repeat(64), "Abc", "a_b", "-abc", "abc.", "a..b", "192.168.1.1", "xn--abc", "abc-s3alias", "minio"])
    expect(wrongName(bad), bad).toBeDefined();
});

test("sizes may have units", () => {
  for (const good of ["100", "10GiB", "1.5 TB", "500mb"]) expect(isSize(good), good).toBe(true);
  for (const bad of ["", "ten", "-1", "10 boxes"]) expect(isSize(bad), bad).toBe(false);
});

test("every example is a good policy for its bucket", () => {
  for (const example of Object.values(EXAMPLES)) expect(wrongPolicy(example("photos"), "photos")).toBeUndefined();
});

test("a policy's mistakes are found before the server is asked", () => {
  const good = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/*" };
  const wrong = (statement: object): string | undefined => wrongPolicy({ Version: "2012-10-17", Statement: [statement] }, "photos");
  expect(wrong(good)).toBeUndefined();
  expect(wrong({ ...good, Effect: "allow" })).toContain("Effect");
  expect(wrong({ ...good, Resource: "arn:aws:s3:::other/*" })).toContain("other");
  expect(wrong({ ...good, Actions: "x" })).toContain("Actions");
  expect(wrong({ ...good, NotAction: "x" })).toContain("Action");
  expect(wrongPolicy([], "photos")).toBeDefined();
  expect(wrongPolicy({ Version: "2026-01-01", Statement: [good] }, "photos")).toContain("Version");
});

test("a lifecycle rule comes back from the form as it was", () => {
  const form = { ...NEW, id: "logs", prefix: "logs/", expire: "30", old: "7", abort: "2" };
  expect(simple(ruleOf(form)).form).toEqual(form);
  expect(said(ruleOf(form))).toBe("objects after 30 days, old versions after 7 days, unfinished uploads after 2 days");
});

test("what the form does not know of a rule stays", () => {
  const old = { ID: "x", Status: "Enabled" as const, Filter: { And: { Prefix: "a", Tags: [{ Key: "k", Value: "v" }] } }, Transitions: [{ Days: 5, StorageClass: "GLACIER" as const }], Expiration: { Days: 9 } };
  const found = simple(old);
  expect(found.more).toBe(true);
  expect(ruleOf({ ...found.form, expire: "10" }, old)).toEqual({ ...old, Expiration: { Days: 10 } });
});

test("days are whole numbers from 1, and something must be done", () => {
  expect(wrongRule({ ...NEW, expire: "0" }).expire).toBeDefined();
  expect(wrongRule({ ...NEW, old: "1.5" }).old).toBeDefined();
  expect(wrongRule(NEW).all).toBeDefined();
  expect(wrongRule({ ...NEW, abort: "1" })).toEqual({});
});

test("dates in typed rules become dates", () => {
  expect(revived([{ Expiration: { Date: "2030-01-01T00:00:00.000Z" } }])[0]?.Expiration?.Date).toEqual(new Date("2030-01-01T00:00:00Z"));
});
