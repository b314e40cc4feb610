/** Where the console is: everything that it asks for is at the origin that it came from. */

/** The path below which the page lies, with a slash at its end. */
export const base = new URL("./", document.baseURI).pathname;

/** What the daemon tells before anybody signs in: `console.json`. */
export interface About {
  readonly version: string;
  readonly region: string;
  readonly auth: boolean;
  readonly s3: readonly { readonly place: string; readonly secure: boolean }[];
}

export async function askAbout(): Promise<About> {
  const answer = await fetch(`${base}console.json`, { cache: "no-store" });
  if (!answer.ok) throw new Error(`console.json: ${String(answer.status)}`);
  return (await answer.json()) as About;
}

/** Where clients most likely reach S3: the name in the browser's address, and the port that the daemon listens on for S3. */
export function endpointOf(about: About, host = location.hostname): string {
  const place = about.s3[0];
  const port = place === undefined ? undefined : /:(\d+)$/.exec(place.place)?.[1];
  if (place === undefined || port === undefined) return location.origin;
  const scheme = place.secure ? "https" : "http";
  return `${scheme}://${host}${port === (place.secure ? "443" : "80") ? "" : `:${port}`}`;
}
