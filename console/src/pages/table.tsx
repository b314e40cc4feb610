/** Every page: one row. A page is loaded when it is first opened. */
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import { text } from "../strings";

export interface PageRow {
  /** The first piece of its address. */
  readonly name: string;
  readonly title: string;
  readonly icon: string;
  /** Shown to administrators alone. */
  readonly admin: boolean;
  readonly page: LazyExoticComponent<ComponentType>;
}

export const PAGES: readonly PageRow[] = [
  { name: "dashboard", title: text.pages.dashboard, icon: "dashboard", admin: true, page: lazy(() => import("./dashboard")) },
  { name: "buckets", title: text.pages.buckets, icon: "bucket", admin: false, page: lazy(() => import("./buckets")) },
];
