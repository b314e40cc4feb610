/** A line over time, small. What it shows is said in words beside it. */
import { type ReactNode } from "react";

const WIDTH = 320;
const HEIGHT = 64;

export function Line({ label, values, most }: { label: string; values: readonly number[]; most?: number }): ReactNode {
  const top = Math.max(most ?? 0, ...values, Number.MIN_VALUE);
  const x = (index: number): number => (values.length < 2 ? WIDTH : (index / (values.length - 1)) * WIDTH);
  const points = values.map((value, index) => `${x(index).toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 6)).toFixed(1)}`);
  return (
    <svg className="line" viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {points.length > 1 && <polygon points={`0,${String(HEIGHT)} ${points.join(" ")} ${String(WIDTH)},${String(HEIGHT)}`} />}
      {points.length > 1 && <polyline points={points.join(" ")} />}
    </svg>
  );
}
