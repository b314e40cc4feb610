/** A bucket for browsers: as a website, and for pages of other origins. */
import { DeleteBucketCorsCommand, DeleteBucketWebsiteCommand, GetBucketCorsCommand, GetBucketWebsiteCommand, PutBucketCorsCommand, PutBucketWebsiteCommand, type CORSRule, type WebsiteConfiguration } from "@aws-sdk/client-s3";
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Button, Check, Failed, Input } from "../parts";
import { text } from "../strings";
import { DocumentForm, orNone, Ready, Section } from "./section";

const words = text.bucket.web;

export function Web({ bucket }: { bucket: string }): ReactNode {
  const { s3 } = useSession();
  const site = useLoad(useCallback(async (signal) => {
    const found = await orNone(s3.send(new GetBucketWebsiteCommand({ Bucket: bucket }), { abortSignal: signal }), "NoSuchWebsiteConfiguration");
    if (found === undefined) return null;
    const { $metadata: _metadata, ...configuration } = found;
    return configuration;
  }, [s3, bucket]));
  const cors = useLoad(useCallback(async (signal) => (await orNone(s3.send(new GetBucketCorsCommand({ Bucket: bucket }), { abortSignal: signal }), "NoSuchCORSConfiguration"))?.CORSRules ?? [], [s3, bucket]));
  return (
    <div className="panel">
      <Section title={words.website} help={words.websiteHelp}><Ready {...site}>{(found) => <Site bucket={bucket} found={found} />}</Ready></Section>
      <Section title={words.cors} help={words.corsHelp}>
        <Ready {...cors}>
          {(rules) => (
            <DocumentForm
              label={words.cors}
              value={rules.length === 0 ? "" : JSON.stringify({ CORSRules: rules }, null, 2)}
              check={(document) => (Array.isArray((document as { CORSRules?: unknown } | null)?.CORSRules) ? undefined : words.corsWrong)}
              onSave={async (document) => { await s3.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: { CORSRules: (document as { CORSRules: CORSRule[] }).CORSRules } })); }}
              onRemove={async () => { await s3.send(new DeleteBucketCorsCommand({ Bucket: bucket })); }}
              examples={(insert) => <div><Button kind="small" onClick={() => { insert(JSON.stringify({ CORSRules: [{ AllowedOrigins: ["https://example.com"], AllowedMethods: ["GET", "HEAD"], AllowedHeaders: ["*"], MaxAgeSeconds: 3600 }] }, null, 2)); }}>{text.bucket.access.example}</Button></div>}
            />
          )}
        </Ready>
      </Section>
    </div>
  );
}

function Site({ bucket, found }: { bucket: string; found: WebsiteConfiguration | null }): ReactNode {
  const { s3 } = useSession();
  const [on, setOn] = useState(found !== null);
  const [index, setIndex] = useState(found?.IndexDocument?.Suffix ?? "index.html");
  const [error, setError] = useState(found?.ErrorDocument?.Key ?? "");
  const { busy, failure, run } = useAction();
  const wrong = on && (index === "" || index.includes("/")) ? words.indexWrong : undefined;
  const save = (): void => {
    if (wrong !== undefined) return;
    void run(async () => {
      if (!on) await s3.send(new DeleteBucketWebsiteCommand({ Bucket: bucket }));
      else {
        // Rules for redirects that were set elsewhere stay.
        const { IndexDocument: _index, ErrorDocument: _error, RedirectAllRequestsTo: _all, ...rest } = found ?? {};
        await s3.send(new PutBucketWebsiteCommand({ Bucket: bucket, WebsiteConfiguration: { ...rest, IndexDocument: { Suffix: index }, ...(error !== "" && { ErrorDocument: { Key: error } }) } }));
      }
      tell(text.saved);
    });
  };
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); save(); }}>
      <Check label={words.on} checked={on} onChange={(event) => { setOn(event.target.checked); }} />
      {on && (
        <div className="two">
          <Input label={words.index} value={index} wrong={wrong} onChange={(event) => { setIndex(event.target.value.trim()); }} />
          <Input label={words.error} help={text.optional} value={error} onChange={(event) => { setError(event.target.value.trim()); }} />
        </div>
      )}
      <Failed failure={failure} />
      <div><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></div>
    </form>
  );
}
