import { expect, test } from "vitest";
import { href, parse } from "./router";

test("an address comes back as it was given, whatever is in it", () => {
  const path = ["buckets", "a b/ü%2F?#"];
  const query = { prefix: "x/ü &=+%?#/", key: "a//b" };
  const route = parse(href(path, query));
  expect(route.path).toEqual(path);
  expect(Object.fromEntries(route.query)).toEqual(query);
});

test("what is not given is not in an address", () => {
  expect(href(["buckets"], { prefix: "", tab: undefined })).toBe("#/buckets");
});

test("an address that is none is read as far as it goes", () => {
  expect(parse("#/buckets/%zz").path).toEqual(["buckets", "%zz"]);
  expect(parse("").path).toEqual([]);
});
