import { expect, test } from "vitest";
import { text } from "../strings";
import { Failure, failureOf, kindOf } from "./failure";

test("a refusal's kind is that of its code, or else of its status", () => {
  expect(kindOf("ExpiredToken", 400)).toBe("session");
  expect(kindOf("SignatureDoesNotMatch", 403)).toBe("session");
  expect(kindOf("AccessDenied", 403)).toBe("denied");
  expect(kindOf("SlowDown", 503)).toBe("busy");
  expect(kindOf("NoSuchKey", 404)).toBe("missing");
  expect(kindOf("MalformedPolicy", 400)).toBe("invalid");
  expect(kindOf("QuotaExceeded", 403)).toBe("conflict");
  expect(kindOf("InternalError", 500)).toBe("other");
});

test("a request that was never answered is a lost connection", () => {
  expect(failureOf(new TypeError("Failed to fetch")).kind).toBe("offline");
  expect(failureOf(new TypeError("Failed to fetch")).sentence).toBe(text.failures.offline);
});

test("what was stopped is no mistake", () => {
  expect(failureOf(new DOMException("", "AbortError")).kind).toBe("stopped");
});

test("what the SDK throws is told with its code and its request", () => {
  const failure = failureOf(Object.assign(new Error("no"), { name: "AccessDenied", $metadata: { httpStatusCode: 403, requestId: "ABC" } }));
  expect(failure.sentence).toBe(text.failures.denied);
  expect(failure.details).toContain("AccessDenied: no");
  expect(failure.details).toContain("ABC");
});

test("a refusal that says what is wrong is shown with its own words", () => {
  expect(new Failure("invalid", "MalformedPolicy", "Statement 1 has no Effect").sentence).toBe("Statement 1 has no Effect");
});
