/** Prometheus' text format read, and what happened between two looks at it. */

export interface Look {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly requests: number;
  /** Answers of 400 to 499, and of 500 and more. */
  readonly refused: number;
  readonly failed: number;
  readonly seconds: number;
  readonly received: number;
  readonly sent: number;
  readonly gauges: Readonly<Record<string, number>>;
}

export interface Rate {
  readonly at: number;
  /** Requests, refusals and failures a second; seconds that a request took; bytes a second. */
  readonly requests: number;
  readonly refused: number;
  readonly failed: number;
  readonly latency: number;
  readonly received: number;
  readonly sent: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;

export function look(document: string, at: number): Look {
  const sums = { requests: 0, refused: 0, failed: 0, seconds: 0, received: 0, sent: 0 };
  const gauges: Record<string, number> = {};
  for (const line of document.split("\n")) {
    const [, name, labels, told] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const value = Number(told);
    if (name === "http_requests_total") {
      sums.requests += value;
      const status = /status="(\d)/.exec(labels ?? "")?.[1];
      if (status === "4") sums.refused += value;
      if (status === "5") sums.failed += value;
    } else if (name === "http_request_duration_seconds_sum") sums.seconds += value;
    else if (name === "geckos3_received_bytes_total") sums.received += value;
    else if (name === "geckos3_sent_bytes_total") sums.sent += value;
    else if (labels === undefined && name.startsWith("geckos3_")) gauges[name] = value;
  }
  return { at, ...sums, gauges };
}

/** What happened between two looks; undefined when the daemon was started anew between them. */
export function rate(before: Look, after: Look): Rate | undefined {
  const seconds = (after.at - before.at) / 1000;
  const requests = after.requests - before.requests;
  if (seconds <= 0 || requests < 0) return undefined;
  return {
    at: after.at,
    requests: requests / seconds,
    refused: Math.max(0, after.refused - before.refused) / seconds,
    failed: Math.max(0, after.failed - before.failed) / seconds,
    latency: requests === 0 ? 0 : Math.max(0, after.seconds - before.seconds) / requests,
    received: Math.max(0, after.received - before.received) / seconds,
    sent: Math.max(0, after.sent - before.sent) / seconds,
  };
}
