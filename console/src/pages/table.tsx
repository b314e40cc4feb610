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
  { name: "access", title: text.pages.access, icon: "people", admin: false, page: lazy(() => import("./access")) },
  { name: "requests", title: text.pages.requests, icon: "list", admin: true, page: lazy(() => import("./requests")) },
  { name: "events", title: text.pages.events, icon: "bell", admin: true, page: lazy(() => import("./events")) },
  { name: "limits", title: text.pages.limits, icon: "gauge", admin: true, page: lazy(() => import("./limits")) },
  { name: "encryption-keys", title: text.pages.encryptionKeys, icon: "key", admin: true, page: lazy(() => import("./encryption-keys")) },
  { name: "integrity", title: text.pages.integrity, icon: "shield", admin: true, page: lazy(() => import("./integrity")) },
  { name: "server", title: text.pages.server, icon: "server", admin: true, page: lazy(() => import("./server")) },
];
