/** Who may use a bucket: public access, and its policy. */
import { DeleteBucketPolicyCommand, GetBucketPolicyCommand, GetPublicAccessBlockCommand, PutBucketPolicyCommand, PutPublicAccessBlockCommand, type PublicAccessBlockConfiguration } from "@aws-sdk/client-s3";
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Button, Check, Choice, Failed } from "../parts";
import { text } from "../strings";
import { EXAMPLES, wrongPolicy } from "./policy";
import { DocumentForm, orNone, Ready, Section } from "./section";

const words = text.bucket.access;

export function Access({ bucket }: { bucket: string }): ReactNode {
  const { s3 } = useSession();
  const block = useLoad(useCallback(async (signal) => (await orNone(s3.send(new GetPublicAccessBlockCommand({ Bucket: bucket }), { abortSignal: signal }), "NoSuchPublicAccessBlockConfiguration"))?.PublicAccessBlockConfiguration ?? {}, [s3, bucket]));
  const policy = useLoad(useCallback(async (signal) => (await orNone(s3.send(new GetBucketPolicyCommand({ Bucket: bucket }), { abortSignal: signal }), "NoSuchBucketPolicy"))?.Policy ?? "", [s3, bucket]));
  return (
    <div className="panel">
      <Section title={words.block} help={words.blockHelp}><Ready {...block}>{(found) => <BlockForm bucket={bucket} found={found} />}</Ready></Section>
      <Section title={words.policy} help={words.policyHelp}>
        <Ready {...policy}>
          {(found) => (
            <DocumentForm
              label={words.policy}
              value={found === "" ? "" : JSON.stringify(JSON.parse(found), null, 2)}
              check={(document) => wrongPolicy(document, bucket)}
              onSave={async (_, json) => { await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: json })); }}
              onRemove={async () => { await s3.send(new DeleteBucketPolicyCommand({ Bucket: bucket })); }}
              examples={(insert) => (
                <Choice label={words.example} value="" options={Object.entries(words.examples)} onChange={(event) => {
                  const example = EXAMPLES[event.target.value as keyof typeof EXAMPLES];
                  insert(JSON.stringify(example(bucket), null, 2));
                }} />
              )}
            />
          )}
        </Ready>
      </Section>
    </div>
  );
}

type Name = keyof typeof words.blocks;

function BlockForm({ bucket, found }: { bucket: string; found: PublicAccessBlockConfiguration }): ReactNode {
  const { s3 } = useSession();
  const [state, setState] = useState(found);
  const { busy, failure, run } = useAction();
  const save = (): void => {
    void run(async () => {
      await s3.send(new PutPublicAccessBlockCommand({ Bucket: bucket, PublicAccessBlockConfiguration: state }));
      tell(text.saved);
    });
  };
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); save(); }}>
      {(Object.keys(words.blocks) as Name[]).map((name) => (
        <Check key={name} label={words.blocks[name][0]} help={words.blocks[name][1]} checked={state[name] === true} onChange={(event) => { setState({ ...state, [name]: event.target.checked }); }} />
      ))}
      <Failed failure={failure} />
      <div><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></div>
    </form>
  );
}
