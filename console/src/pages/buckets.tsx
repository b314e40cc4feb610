import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { useCallback, useState, type ReactNode } from "react";
import { CreateBucket } from "../bucket/create";
import { useLoad } from "../api/load";
import { useSession } from "../api/state";
import type { Session } from "../api/session";
import { bytes, number, when } from "../format";
import { Button, Empty, Failed, Icon, IconButton, Input, Loading, Meter, Page, Search, SortHead, type Sorted } from "../parts";
import { go, href, useRoute } from "../router";
import { text } from "../strings";
import Bucket from "./bucket";

/** A bucket as the list shows it; what it holds is unknown to those who may not ask the admin API. */
export interface Listed {
  readonly name: string;
  readonly created: string;
  readonly used: { readonly bytes: number; readonly objects: number } | null;
  readonly quota: { readonly bytes: number | null; readonly objects: number | null } | null;
}

interface AdminPage {
  readonly buckets: readonly { bucket: string; created: string; used: Listed["used"]; quota: Listed["quota"] }[];
  readonly next: string | null;
}

interface Found {
  readonly buckets: readonly Listed[];
  readonly next: string | undefined;
}

const PAGE = 500;

export async function listBuckets(session: Session, prefix: string, limit: number, signal: AbortSignal): Promise<Found> {
  if (session.admin) {
    const found: Listed[] = [];
    let after = "";
    for (;;) {
      const page: AdminPage = await session.api.get("/buckets", { prefix, after, limit: PAGE }, signal);
      found.push(...page.buckets.map((one) => ({ name: one.bucket, created: one.created, used: one.used, quota: one.quota })));
      if (page.next === null || found.length >= limit) return { buckets: found, next: page.next ?? undefined };
      after = page.next;
    }
  }
  const answer = await session.s3.send(new ListBucketsCommand({ Prefix: prefix, MaxBuckets: limit }), { abortSignal: signal });
  const buckets = (answer.Buckets ?? []).map((one) => ({ name: one.Name ?? "", created: one.CreationDate?.toISOString() ?? "", used: null, quota: null }));
  return { buckets, next: answer.ContinuationToken };
}

type Column = "name" | "objects" | "size" | "created";

const VALUES: Record<Column, (one: Listed) => string | number> = {
  name: (one) => one.name,
  objects: (one) => one.used?.objects ?? 0,
  size: (one) => one.used?.bytes ?? 0,
  created: (one) => one.created,
};

function inOrder(buckets: readonly Listed[], { by, descending }: Sorted<Column>): readonly Listed[] {
  const value = VALUES[by];
  const sign = descending ? -1 : 1;
  return [...buckets].sort((one, other) => (value(one) < value(other) ? -sign : value(one) > value(other) ? sign : 0));
}

export default function Buckets(): ReactNode {
  const name = useRoute().path[1];
  return name === undefined ? <List /> : <Bucket key={name} name={name} />;
}

function List(): ReactNode {
  const session = useSession();
  const [prefix, setPrefix] = useState("");
  const [creating, setCreating] = useState(false);
  const [limit, setLimit] = useState(PAGE);
  const [sorted, setSorted] = useState<Sorted<Column>>({ by: "name", descending: false });
  const { data, failure, loading, reload } = useLoad(useCallback((signal) => listBuckets(session, prefix, limit, signal), [session, prefix, limit]));
  const none = data !== undefined && data.buckets.length === 0;
  return (
    <Page title={text.pages.buckets} lead={text.buckets.lead} actions={<Button kind="main" icon="plus" onClick={() => { setCreating(true); }}>{text.buckets.create}</Button>}>
      {creating && <CreateBucket onClose={() => { setCreating(false); }} onMade={(name) => { go(["buckets", name]); }} />}
      <div className="row between">
        <Search label={text.buckets.search} value={prefix} onChange={(value) => { setPrefix(value.trim().toLowerCase()); }} />
        <IconButton label={text.reload} icon="reload" disabled={loading} onClick={reload} />
      </div>
      <Failed failure={failure} retry={reload} />
      {failure?.kind === "denied" && <Opening />}
      {data === undefined && failure === undefined && <Loading />}
      {none && (
        <div className="panel">
          {prefix !== "" ? <Empty icon="search" title={text.buckets.nothing(prefix)} /> : (
            <Empty icon="bucket" title={text.buckets.emptyTitle}><p className="muted">{session.admin ? text.buckets.empty : text.buckets.emptyLimited}</p></Empty>
          )}
        </div>
      )}
      {data !== undefined && !none && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{text.pages.buckets}</caption>
            <thead>
              <tr>
                <SortHead name="name" label={text.buckets.name} sorted={sorted} onSort={setSorted} />
                {session.admin && <SortHead name="objects" label={text.buckets.objects} sorted={sorted} onSort={setSorted} number />}
                {session.admin && <SortHead name="size" label={text.buckets.size} sorted={sorted} onSort={setSorted} number />}
                {session.admin && <th scope="col">{text.buckets.quota}</th>}
                <SortHead name="created" label={text.buckets.created} sorted={sorted} onSort={setSorted} />
                <th scope="col"><span className="hidden">{text.buckets.actions}</span></th>
              </tr>
            </thead>
            <tbody>
              {inOrder(data.buckets, sorted).map((one) => <Row key={one.name} bucket={one} admin={session.admin} />)}
            </tbody>
          </table>
        </div>
      )}
      {data?.next !== undefined && <Button onClick={() => { setLimit(limit + PAGE); }} disabled={loading}>{text.buckets.more}</Button>}
    </Page>
  );
}

function Row({ bucket, admin }: { bucket: Listed; admin: boolean }): ReactNode {
  const { name, used, quota } = bucket;
  return (
    <tr>
      <td><a className="name" href={href(["buckets", name])}>{name}</a></td>
      {admin && <td className="number">{used === null ? "–" : number(used.objects)}</td>}
      {admin && <td className="number">{used === null ? "–" : bytes(used.bytes)}</td>}
      {admin && <td><Quota bucket={bucket} limit={quota?.bytes ?? null} /></td>}
      <td className="muted">{when(bucket.created)}</td>
      <td className="number"><a className="button icon plain" href={href(["buckets", name], { tab: "overview" })} aria-label={text.buckets.settingsOf(name)} title={text.buckets.settings}><Icon name="gear" /></a></td>
    </tr>
  );
}

function Quota({ bucket, limit }: { bucket: Listed; limit: number | null }): ReactNode {
  if (limit === null) return <span className="muted">{text.unlimited}</span>;
  const used = bucket.used?.bytes ?? 0;
  const words = text.buckets.of(bytes(used), bytes(limit));
  return <div className="stack tight"><span className="small">{words}</span><Meter share={limit === 0 ? 1 : used / limit} label={words} /></div>;
}

/** For those who may open buckets but not list them. */
function Opening(): ReactNode {
  const [name, setName] = useState("");
  return (
    <form className="panel padded stack" onSubmit={(event) => { event.preventDefault(); if (name !== "") go(["buckets", name]); }}>
      <Input label={text.buckets.goTo} help={text.buckets.goToHelp} value={name} onChange={(event) => { setName(event.target.value.trim()); }} />
      <div><Button type="submit" kind="main" disabled={name === ""}>{text.buckets.open}</Button></div>
    </form>
  );
}
