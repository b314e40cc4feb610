/** Lifecycle rules, as a form and as JSON. */
import { DeleteBucketLifecycleCommand, GetBucketLifecycleConfigurationCommand, PutBucketLifecycleConfigurationCommand, type LifecycleRule } from "@aws-sdk/client-s3";
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Button, Check, Dialog, Failed, IconButton, Input, Notice } from "../parts";
import { text } from "../strings";
import { NEW, revived, ruleOf, said, simple, wrongRule, type Simple } from "./rules";
import { DocumentForm, orNone, Ready, Section } from "./section";

const words = text.bucket.lifecycle;

export function Lifecycle({ bucket }: { bucket: string }): ReactNode {
  const { s3 } = useSession();
  const [edited, setEdited] = useState<number | "new">();
  const { busy, failure: refused, run } = useAction();
  const loaded = useLoad(useCallback(async (signal) => (await orNone(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }), { abortSignal: signal }), "NoSuchLifecycleConfiguration"))?.Rules ?? [], [s3, bucket]));
  const store = async (rules: readonly LifecycleRule[]): Promise<void> => {
    if (rules.length === 0) await s3.send(new DeleteBucketLifecycleCommand({ Bucket: bucket }));
    else await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules: [...rules] } }));
  };
  return (
    <div className="panel">
      <Section title={words.title} help={words.help}>
        <Ready {...loaded}>
          {(rules) => (
            <>
              {rules.length === 0 ? <p className="muted">{words.none}</p> : (
                <div className="scroll">
                  <table>
                    <tbody>
                      {rules.map((rule, index) => (
                        <tr key={rule.ID ?? index}>
                          <td>
                            <span className="name">{rule.ID}</span> {rule.Status !== "Enabled" && <span className="badge">{text.off}</span>}
                            <div className="small muted">{simple(rule).form.prefix === "" ? words.all : <span className="mono">{simple(rule).form.prefix}</span>}: {said(rule)}</div>
                          </td>
                          <td>
                            <div className="row end">
                              <Button kind="small" onClick={() => { setEdited(index); }}>{words.edit}</Button>
                              <IconButton kind="plain small" icon="trash" disabled={busy} label={words.removeRule(rule.ID ?? String(index + 1))} onClick={() => {
                                void run(async () => {
                                  await store(rules.filter((_, at) => at !== index));
                                  loaded.reload();
                                });
                              }} />
                            </div>
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              )}
              <Failed failure={refused} />
              <div><Button icon="plus" onClick={() => { setEdited("new"); }}>{words.add}</Button></div>
              {edited !== undefined && (
                <RuleForm rule={edited === "new" ? undefined : rules[edited]} onClose={() => { setEdited(undefined); }} onSave={async (rule) => {
                  await store(edited === "new" ? [...rules, rule] : rules.map((old, index) => (index === edited ? rule : old)));
                  tell(text.saved);
                  setEdited(undefined);
                  loaded.reload();
                }} />
              )}
            </>
          )}
        </Ready>
      </Section>
      <Section title={words.document}>
        <Ready {...loaded}>
          {(rules) => (
            <DocumentForm
              key={JSON.stringify(rules)}
              label={words.title}
              value={rules.length === 0 ? "" : JSON.stringify({ Rules: rules }, null, 2)}
              check={(document) => (Array.isArray((document as { Rules?: unknown } | null)?.Rules) ? undefined : words.wrong)}
              onSave={async (document) => { await store(revived((document as { Rules: unknown }).Rules)); loaded.reload(); }}
              onRemove={async () => { await store([]); loaded.reload(); }}
            />
          )}
        </Ready>
      </Section>
    </div>
  );
}

function RuleForm({ rule, onClose, onSave }: { rule: LifecycleRule | undefined; onClose: () => void; onSave: (rule: LifecycleRule) => Promise<void> }): ReactNode {
  const [form, setForm] = useState<Simple>(rule === undefined ? NEW : simple(rule).form);
  const [tried, setTried] = useState(false);
  const { busy, failure, run } = useAction();
  const wrong = wrongRule(form);
  const set = (change: Partial<Simple>): void => { setForm({ ...form, ...change }); };
  const save = (): void => {
    setTried(true);
    if (Object.keys(wrong).length === 0) void run(() => onSave(ruleOf(form, rule)));
  };
  return (
    <Dialog title={words.editTitle} onClose={onClose} onSubmit={save} footer={<><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></>}>
      <Input label={words.name} value={form.id} maxLength={255} autoFocus onChange={(event) => { set({ id: event.target.value }); }} />
      <Input label={words.prefix} help={words.prefixHelp} className="mono" value={form.prefix} onChange={(event) => { set({ prefix: event.target.value }); }} />
      <Input label={words.expire} inputMode="numeric" value={form.expire} wrong={wrong.expire} onChange={(event) => { set({ expire: event.target.value.trim() }); }} />
      <Input label={words.old} inputMode="numeric" value={form.old} wrong={wrong.old} onChange={(event) => { set({ old: event.target.value.trim() }); }} />
      <Input label={words.abort} inputMode="numeric" value={form.abort} wrong={wrong.abort} onChange={(event) => { set({ abort: event.target.value.trim() }); }} />
      <Check label={words.markers} checked={form.markers} disabled={form.expire !== ""} onChange={(event) => { set({ markers: event.target.checked }); }} />
      <Check label={words.enabled} checked={form.enabled} onChange={(event) => { set({ enabled: event.target.checked }); }} />
      {tried && wrong.all !== undefined && <Notice kind="error">{wrong.all}</Notice>}
      <Failed failure={failure} />
    </Dialog>
  );
}
