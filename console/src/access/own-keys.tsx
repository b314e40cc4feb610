/** The keys of whoever is signed in, by IAM: for those without admin permissions. */
import { useCallback, useState, type ReactNode } from "react";
import { first, iam, iamAll } from "../api/iam";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { when } from "../format";
import { Button, Confirm, Empty, Failed, IconButton, Loading, Notice } from "../parts";
import { text } from "../strings";
import { KeyMade } from "./key-form";
import type { Made } from "./kinds";

const words = text.access.key;

interface Own {
  readonly key: string;
  readonly active: boolean;
  readonly created: string;
}

export function OwnKeys(): ReactNode {
  const session = useSession();
  const keys = useLoad(useCallback(async (signal) => (await iamAll(session, "ListAccessKeys", {}, signal)).map((one): Own => ({ key: first(one, "AccessKeyId"), active: first(one, "Status") === "Active", created: first(one, "CreateDate") })), [session]));
  const [made, setMade] = useState<Made>();
  const [revoking, setRevoking] = useState<string>();
  const change = useAction();
  const removal = useAction();
  if (keys.failure?.kind === "denied") return <Notice kind="info">{words.ownDenied}</Notice>;
  const create = (): void => {
    void change.run(async () => {
      const answer = await iam(session, "CreateAccessKey");
      setMade({ access_key: first(answer, "AccessKeyId"), secret_key: first(answer, "SecretAccessKey") });
      keys.reload();
    });
  };
  const set = (one: Own): void => {
    void change.run(async () => {
      await iam(session, "UpdateAccessKey", { AccessKeyId: one.key, Status: one.active ? "Inactive" : "Active" });
      keys.reload();
    });
  };
  return (
    <>
      <div className="row between"><p className="muted">{words.ownLimit}</p><Button kind="main" icon="plus" disabled={change.busy || keys.data === undefined} onClick={create}>{words.create}</Button></div>
      <Failed failure={change.failure} />
      <Failed failure={keys.failure} retry={keys.reload} />
      {keys.data === undefined && keys.failure === undefined && <Loading />}
      {keys.data?.length === 0 && <div className="panel"><Empty icon="key" title={words.emptyTitle}><p className="muted">{words.empty}</p></Empty></div>}
      {keys.data !== undefined && keys.data.length > 0 && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{text.access.keys}</caption>
            <thead><tr><th scope="col">{words.key}</th><th scope="col">{words.created}</th><th scope="col">{text.access.state}</th><th scope="col"><span className="hidden">{text.buckets.actions}</span></th></tr></thead>
            <tbody>
              {keys.data.map((one) => (
                <tr key={one.key}>
                  <td><span className="name mono">{one.key}</span>{one.key === session.credentials.accessKeyId && <> <span className="badge good">{words.yours}</span></>}</td>
                  <td className="muted">{when(one.created)}</td>
                  <td><span className={`badge ${one.active ? "good" : "warning"}`}>{one.active ? text.access.enabled : text.access.disabled}</span></td>
                  <td>
                    <span className="row end nowrap">
                      <Button kind="small" disabled={change.busy} aria-label={one.active ? words.disable(one.key) : words.enable(one.key)} onClick={() => { set(one); }}>{one.active ? text.access.disable : text.access.enable}</Button>
                      <IconButton label={words.revokeOne(one.key)} icon="trash" onClick={() => { setRevoking(one.key); }} />
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {made !== undefined && <KeyMade made={made} onClose={() => { setMade(undefined); }} />}
      {revoking !== undefined && (
        <Confirm title={words.revokeTitle(revoking)} action={words.revoke} busy={removal.busy} failure={removal.failure} onClose={() => { setRevoking(undefined); }} onConfirm={() => {
          void removal.run(async () => {
            await iam(session, "DeleteAccessKey", { AccessKeyId: revoking });
            setRevoking(undefined);
            tell(words.revoked);
            keys.reload();
          });
        }}><p>{words.revokeWarn}</p></Confirm>
      )}
    </>
  );
}
