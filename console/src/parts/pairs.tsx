/** Names and values, a line for each. */
import { type ReactNode } from "react";
import { text } from "../strings";
import { Button, IconButton } from ".";

export type Pair = readonly [string, string];

/** What is wrong with some pairs, in words; undefined when they are good. Lines with nothing in them do not count. */
export function wrongPairs(pairs: readonly Pair[]): string | undefined {
  const used = filled(pairs);
  if (used.some(([name]) => name.trim() === "")) return text.object.pairs.empty;
  return new Set(used.map(([name]) => name.trim())).size === used.length ? undefined : text.object.pairs.twice;
}

export function filled(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.filter(([name, value]) => name !== "" || value !== "");
}

export function Pairs({ label, pairs, wrong, onChange }: { label: string; pairs: readonly Pair[]; wrong?: string | undefined; onChange: (pairs: readonly Pair[]) => void }): ReactNode {
  const set = (index: number, pair: Pair): void => {
    onChange(pairs.map((old, at) => (at === index ? pair : old)));
  };
  return (
    <fieldset className="stack tight">
      <legend>{label}</legend>
      {pairs.map(([name, value], index) => (
        <div className="row" key={index}>
          <input className="input pair" aria-label={`${text.object.pairs.name} ${String(index + 1)}`} placeholder={text.object.pairs.name} value={name} onChange={(event) => { set(index, [event.target.value, value]); }} />
          <input className="input pair" aria-label={`${text.object.pairs.value} ${String(index + 1)}`} placeholder={text.object.pairs.value} value={value} onChange={(event) => { set(index, [name, event.target.value]); }} />
          <IconButton label={text.object.pairs.remove(name)} icon="close" onClick={() => { onChange(pairs.filter((_, at) => at !== index)); }} />
        </div>
      ))}
      {wrong !== undefined && <span className="wrong" role="alert">{wrong}</span>}
      <div><Button kind="small" icon="plus" onClick={() => { onChange([...pairs, ["", ""]]); }}>{text.object.pairs.add}</Button></div>
    </fieldset>
  );
}
