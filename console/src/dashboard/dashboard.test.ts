import { expect, test } from "vitest";
import { look, rate } from "./metrics";
import { warnings, type Known } from "./warnings";

const TOLD = (requests: number): string => `# HELP http_requests_total x
http_requests_total{method="GET",path="/:bucket",status="200"} ${String(requests)}
http_requests_total{method="GET",path="/:bucket",status="404"} 3.0
http_requests_total{method="PUT",path="/:bucket",status="503"} 1.0
http_request_duration_seconds_sum{method="GET",path="/:bucket"} ${String(requests / 100)}
geckos3_sent_bytes_total{operation="GetObject"} ${String(requests * 10)}
geckos3_disk_free_bytes 7.0
`;

test("metrics are summed over all operations", () => {
  const found = look(TOLD(10), 0);
  expect(found).toMatchObject({ requests: 14, refused: 3, failed: 1, sent: 100 });
  expect(found.gauges.geckos3_disk_free_bytes).toBe(7);
});

test("what happened between two looks is told by the second", () => {
  const found = rate(look(TOLD(10), 0), look(TOLD(30), 2000));
  expect(found).toMatchObject({ requests: 10, refused: 0, sent: 100 });
  expect(found?.latency).toBeCloseTo(0.01);
});

test("a daemon that was started anew begins anew", () => {
  expect(rate(look(TOLD(30), 0), look(TOLD(10), 2000))).toBeUndefined();
});

const FINE: Known = { defaultKeys: false, auth: true, gauges: { geckos3_disk_size_bytes: 100, geckos3_disk_free_bytes: 50 }, certificates: [], jobs: [] };

test("nothing is warned of while all is well", () => {
  const job = { name: "scan", runs: 3, last_begun: "2026-01-01T00:00:00Z", last_succeeded: "2026-01-01T00:00:01Z", running: false };
  expect(warnings({ ...FINE, jobs: [job], certificates: [{ subject: "CN=a", days_left: 60 }] })).toEqual([]);
});

test("each trouble is told with what to do", () => {
  const job = { name: "scan", runs: 3, last_begun: "2026-01-02T00:00:00Z", last_succeeded: "2026-01-01T00:00:01Z", running: false };
  const all: Known = {
    defaultKeys: true,
    auth: true,
    gauges: { geckos3_disk_size_bytes: 100, geckos3_disk_free_bytes: 2, geckos3_disk_free_inodes: 10, geckos3_quarantined_versions: 1 },
    certificates: [{ subject: "CN=a", days_left: -1 }, { subject: "CN=b", days_left: 5 }],
    jobs: [job],
  };
  const found = warnings(all);
  expect(found).toHaveLength(7);
  for (const one of found) expect(one.todo).not.toBe("");
});
