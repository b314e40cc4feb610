/** What a refused signature most likely means, from what the server says of it. */

export type Hint = "time" | "missing" | "unsigned" | "region" | "key" | "host" | "secret" | "token" | "other";

const CODES: Readonly<Record<string, Hint>> = { InvalidAccessKeyId: "key", RequestTimeTooSkewed: "time", ExpiredToken: "token", InvalidToken: "token" };

/** @param error the code of the refusal, and maybe its words; `why` is the line of the API, whose parts begin with `time:`, `header:`, `region:` or `host:`. */
export function hintsOf(error: string, why: string): readonly Hint[] {
  const found = new Set<Hint>();
  const known = CODES[codeOf(error)];
  if (known !== undefined) found.add(known);
  if (why.includes("time: ")) found.add("time");
  if (why.includes("was signed and did not come")) found.add("missing");
  if (why.includes("came and was not signed")) found.add("unsigned");
  if (why.includes("region: ")) found.add("region");
  const host = /host: (.*?) came, tried was ([^;]*)/.exec(why);
  if (host !== null && !found.has("missing")) found.add(host[2]?.split(/[\s,]+/).includes(host[1] ?? "") === true ? "secret" : "host");
  return found.size > 0 ? [...found] : ["other"];
}

export function codeOf(error: string): string {
  return error.split(":")[0] ?? "";
}
