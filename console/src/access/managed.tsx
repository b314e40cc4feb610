/** Managed policies of the account of the key that is signed in, by IAM. */
import { useCallback, useState, type ReactNode } from "react";
import { first, iam, iamAll } from "../api/iam";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { when } from "../format";
import { Button, Confirm, Failed, IconButton, Loading } from "../parts";
import { text } from "../strings";
import { PolicyDialog } from "./policy-dialog";

const words = text.access.managed;
const AWS = "arn:aws:iam::aws:policy/";

interface Managed {
  readonly name: string;
  readonly arn: string;
  readonly version: string;
  readonly uses: string;
  readonly updated: string;
}

export function ManagedPolicies(): ReactNode {
  const session = useSession();
  const policies = useLoad(useCallback(async (signal) => (await iamAll(session, "ListPolicies", {}, signal)).map((one): Managed => ({
    name: first(one, "PolicyName"), arn: first(one, "Arn"), version: first(one, "DefaultVersionId"), uses: first(one, "AttachmentCount"), updated: first(one, "UpdateDate"),
  })), [session]));
  const [creating, setCreating] = useState(false);
  const [shown, setShown] = useState<{ readonly policy: Managed; readonly document: object }>();
  const [removing, setRemoving] = useState<Managed>();
  const opening = useAction();
  const removal = useAction();
  const open = (policy: Managed): void => {
    void opening.run(async () => {
      const answer = await iam(session, "GetPolicyVersion", { PolicyArn: policy.arn, VersionId: policy.version });
      setShown({ policy, document: JSON.parse(decodeURIComponent(first(answer, "Document"))) as object });
    });
  };
  return (
    <>
      <div className="row between"><p className="muted">{words.own}</p><Button kind="main" icon="plus" onClick={() => { setCreating(true); }}>{words.create}</Button></div>
      <Failed failure={opening.failure} />
      <Failed failure={policies.failure} retry={policies.reload} />
      {policies.data === undefined && policies.failure === undefined && <Loading />}
      {policies.data !== undefined && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{text.access.tabs.policies}</caption>
            <thead><tr><th scope="col">{text.access.name}</th><th scope="col">{words.versions}</th><th scope="col" className="number">{words.uses}</th><th scope="col">{text.objects.modified}</th><th scope="col"><span className="hidden">{text.buckets.actions}</span></th></tr></thead>
            <tbody>
              {policies.data.map((one) => (
                <tr key={one.arn}>
                  <td><button type="button" className="link name" aria-label={words.show(one.name)} disabled={opening.busy} onClick={() => { open(one); }}>{one.name}</button>{one.arn.startsWith(AWS) && <> <span className="badge">{words.aws}</span></>}</td>
                  <td className="muted">{one.version}</td>
                  <td className="number">{one.uses}</td>
                  <td className="muted">{one.arn.startsWith(AWS) ? "–" : when(one.updated)}</td>
                  <td className="number">{!one.arn.startsWith(AWS) && <IconButton label={words.removeTitle(one.name)} icon="trash" onClick={() => { setRemoving(one); }} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {creating && (
        <PolicyDialog title={words.title} taken={(policies.data ?? []).map((one) => one.name)} onClose={() => { setCreating(false); }} onSave={async (name, document) => {
          await iam(session, "CreatePolicy", { PolicyName: name, PolicyDocument: JSON.stringify(document) });
          policies.reload();
        }} />
      )}
      {shown !== undefined && (
        <PolicyDialog title={shown.policy.name} name={shown.policy.name} document={shown.document} {...(shown.policy.arn.startsWith(AWS) ? { readOnly: words.readOnly } : { note: words.saveNote })} onClose={() => { setShown(undefined); }}
          onSave={async (_, document) => {
            const arn = shown.policy.arn;
            const versions = await iamAll(session, "ListPolicyVersions", { PolicyArn: arn });
            // IAM keeps five versions: the oldest that does not count makes room.
            const oldest = versions.filter((one) => first(one, "IsDefaultVersion") !== "true").map((one) => first(one, "VersionId")).sort((one, other) => Number(one.slice(1)) - Number(other.slice(1)))[0];
            if (versions.length >= 5 && oldest !== undefined) await iam(session, "DeletePolicyVersion", { PolicyArn: arn, VersionId: oldest });
            await iam(session, "CreatePolicyVersion", { PolicyArn: arn, PolicyDocument: JSON.stringify(document), SetAsDefault: "true" });
            policies.reload();
          }} />
      )}
      {removing !== undefined && (
        <Confirm title={words.removeTitle(removing.name)} action={words.remove} busy={removal.busy} failure={removal.failure} onClose={() => { setRemoving(undefined); }} onConfirm={() => {
          void removal.run(async () => {
            for (const one of await iamAll(session, "ListPolicyVersions", { PolicyArn: removing.arn }))
              if (first(one, "IsDefaultVersion") !== "true") await iam(session, "DeletePolicyVersion", { PolicyArn: removing.arn, VersionId: first(one, "VersionId") });
            await iam(session, "DeletePolicy", { PolicyArn: removing.arn });
            setRemoving(undefined);
            tell(text.object.deleted);
            policies.reload();
          });
        }}><p>{words.removeWarn}</p></Confirm>
      )}
    </>
  );
}
