/** What keeps objects: object lock, and encryption. */
import { DeleteBucketEncryptionCommand, GetBucketEncryptionCommand, GetObjectLockConfigurationCommand, PutBucketEncryptionCommand, PutObjectLockConfigurationCommand, type DefaultRetention, type ServerSideEncryptionByDefault } from "@aws-sdk/client-s3";
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Button, Choice, Failed, Input } from "../parts";
import { text } from "../strings";
import { orNone, Ready, Section } from "./section";

const words = text.bucket.protection;

export function Protection({ bucket }: { bucket: string }): ReactNode {
  const { s3 } = useSession();
  const lock = useLoad(useCallback(async (signal) => {
    const found = await orNone(s3.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }), { abortSignal: signal }), "ObjectLockConfigurationNotFoundError");
    return found === undefined ? null : (found.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {});
  }, [s3, bucket]));
  const encryption = useLoad(useCallback(async (signal) => {
    const found = await orNone(s3.send(new GetBucketEncryptionCommand({ Bucket: bucket }), { abortSignal: signal }), "ServerSideEncryptionConfigurationNotFoundError");
    return found?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault ?? null;
  }, [s3, bucket]));
  return (
    <div className="panel">
      <Section title={words.lock} help={words.lockHelp}>
        <Ready {...lock}>{(found) => (found === null ? <p className="muted">{words.lockOff}</p> : <LockForm bucket={bucket} found={found} />)}</Ready>
      </Section>
      <Section title={words.encryption} help={words.encryptionHelp}><Ready {...encryption}>{(found) => <EncryptionForm bucket={bucket} found={found} />}</Ready></Section>
    </div>
  );
}

function LockForm({ bucket, found }: { bucket: string; found: DefaultRetention }): ReactNode {
  const { s3 } = useSession();
  const [mode, setMode] = useState<keyof typeof words.modes>(found.Mode ?? "");
  const [unit, setUnit] = useState<keyof typeof words.units>(found.Years === undefined ? "Days" : "Years");
  const [period, setPeriod] = useState(String(found.Years ?? found.Days ?? ""));
  const [tried, setTried] = useState(false);
  const { busy, failure, run } = useAction();
  const wrong = mode !== "" && !/^[1-9]\d*$/.test(period) ? words.wrongPeriod : undefined;
  const save = (): void => {
    setTried(true);
    if (wrong !== undefined) return;
    void run(async () => {
      const rule = mode === "" ? {} : { Rule: { DefaultRetention: { Mode: mode, [unit]: Number(period) } } };
      await s3.send(new PutObjectLockConfigurationCommand({ Bucket: bucket, ObjectLockConfiguration: { ObjectLockEnabled: "Enabled", ...rule } }));
      tell(text.saved);
    });
  };
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); save(); }}>
      <Choice label={words.mode} value={mode} options={Object.entries(words.modes)} onChange={(event) => { setMode(event.target.value as keyof typeof words.modes); }} />
      {mode !== "" && (
        <div className="two">
          <Input label={words.period} inputMode="numeric" value={period} wrong={tried || period !== "" ? wrong : undefined} onChange={(event) => { setPeriod(event.target.value.trim()); }} />
          <Choice label={words.unit} value={unit} options={Object.entries(words.units)} onChange={(event) => { setUnit(event.target.value as keyof typeof words.units); }} />
        </div>
      )}
      <Failed failure={failure} />
      <div><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></div>
    </form>
  );
}

function EncryptionForm({ bucket, found }: { bucket: string; found: ServerSideEncryptionByDefault | null }): ReactNode {
  const { s3 } = useSession();
  const known = found?.SSEAlgorithm;
  const [algorithm, setAlgorithm] = useState<keyof typeof words.algorithms>(known === "AES256" || known === "aws:kms" ? known : "");
  const [key, setKey] = useState(found?.KMSMasterKeyID ?? "");
  const { busy, failure, run } = useAction();
  const save = (): void => {
    void run(async () => {
      if (algorithm === "") await s3.send(new DeleteBucketEncryptionCommand({ Bucket: bucket }));
      else {
        const rule = { SSEAlgorithm: algorithm, ...(algorithm === "aws:kms" && key !== "" && { KMSMasterKeyID: key }) };
        await s3.send(new PutBucketEncryptionCommand({ Bucket: bucket, ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: rule }] } }));
      }
      tell(text.saved);
    });
  };
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); save(); }}>
      <Choice label={words.encryption} value={algorithm} options={Object.entries(words.algorithms)} onChange={(event) => { setAlgorithm(event.target.value as keyof typeof words.algorithms); }} />
      {algorithm === "aws:kms" && <Input label={words.key} help={words.keyHelp} value={key} wrong={failure?.code === "KMS.NotFoundException" ? failure.message : undefined} onChange={(event) => { setKey(event.target.value.trim()); }} />}
      {failure?.code !== "KMS.NotFoundException" && <Failed failure={failure} />}
      <div><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></div>
    </form>
  );
}
